#!/usr/bin/env bash
# Builds the EL1 image from its sources with clang-19 and ld.lld-19.
#   build.sh          writes bin/el1.bin, bin/layout.tsv and bin/SHA256SUMS
#   build.sh --check  builds in a temporary folder and compares; exit 1 on a difference
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")"
for tool in clang-19 ld.lld-19 llvm-objcopy-19 llvm-nm-19; do
  command -v "$tool" >/dev/null || { echo "build.sh: $tool is missing (packages clang-19 lld-19 llvm-19)" >&2; exit 2; }
done
sources=(entry.S tramp.S syscall.S ids.S clocks.S switch.S vdso_update.S)
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
for f in "${sources[@]}"; do
  clang-19 --target=aarch64-linux-gnu -march=armv8.1-a -nostdinc -ffile-prefix-map="$PWD=." -c "$f" -o "$tmp/${f%.S}.o"
done
ld.lld-19 -nostdlib -static --build-id=none -T el1.lds -o "$tmp/el1.elf" "$tmp"/{entry,tramp,syscall,ids,clocks,switch,vdso_update}.o
llvm-objcopy-19 -O binary "$tmp/el1.elf" "$tmp/el1.bin"
{
  # Constants of layout.h, evaluated by the preprocessor and the shell, then the symbols.
  sed -n 's/^#define[ \t]\+\([A-Z][A-Z0-9_]*\)[ \t]\+\([0-9][0-9a-fx]*\).*/\1 \2/p' layout.h |
    while read -r name value; do printf '%s\t%d\n' "$name" "$((value))"; done
  llvm-nm-19 --defined-only "$tmp/el1.elf" | awk '$2 ~ /[TtRrDd]/ && $3 !~ /^\$/ {printf "%s\t0x%s\n", $3, $1}' | sort
} > "$tmp/layout.tsv"
cat "${sources[@]}" layout.h asm.h el1.lds | sha256sum | sed 's/-$/sources/' > "$tmp/SHA256SUMS"
(cd "$tmp" && sha256sum el1.bin layout.tsv) >> "$tmp/SHA256SUMS"
if [ "${1:-}" = --check ]; then
  for f in el1.bin layout.tsv SHA256SUMS; do
    cmp -s "$tmp/$f" "bin/$f" || { echo "build.sh: bin/$f differs from a fresh build" >&2; exit 1; }
  done
  echo "EL1 image: up to date"
else
  mkdir -p bin && cp "$tmp"/{el1.bin,layout.tsv,SHA256SUMS} bin/
fi
