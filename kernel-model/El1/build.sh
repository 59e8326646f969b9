#!/usr/bin/env bash
# Builds the EL1 image from its sources with clang-19 and ld.lld-19.
#   build.sh          writes bin/el1.bin, bin/SHA256SUMS and Generated/El1Layout.g.cs
#   build.sh --check  builds in a temporary folder and compares; exit 1 on a difference
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")"
for tool in clang-19 ld.lld-19 llvm-objcopy-19 llvm-nm-19; do
  command -v "$tool" >/dev/null || { echo "build.sh: $tool is missing (packages clang-19 lld-19 llvm-19)" >&2; exit 2; }
done
sources=(entry.S tramp.S syscall.S ids.S clocks.S switch.S vdso_update.S calls.S)
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/bin" "$tmp/Generated" "$tmp/armvdso"
# The files in designs/ include what they find in the kit of a design in a folder, too.
ln -s "$PWD" "$tmp/armvdso/el1"
for f in "${sources[@]}"; do
  clang-19 --target=aarch64-linux-gnu -march=armv8.1-a -nostdinc -ffile-prefix-map="$PWD=." -I "$tmp" -c "$f" -o "$tmp/${f%.S}.o"
done
ld.lld-19 -nostdlib -static --build-id=none -T el1.lds -o "$tmp/el1.elf" "$tmp"/{entry,tramp,syscall,ids,clocks,switch,vdso_update,calls}.o
llvm-objcopy-19 -O binary "$tmp/el1.elf" "$tmp/bin/el1.bin"
llvm-objcopy-19 --dump-section .patch_sites="$tmp/sites" "$tmp/el1.elf"
tr '\0' '\n' < "$tmp/sites" > "$tmp/sites.txt"
llvm-nm-19 --defined-only "$tmp/el1.elf" | awk '$2 ~ /[TtRrDd]/ && $3 !~ /^\$/ {print $3, "0x" $1}' | sort > "$tmp/symbols.txt"
awk -f layout.awk layout.h Generated/fields.h "$tmp/sites.txt" "$tmp/symbols.txt" > "$tmp/Generated/El1Layout.g.cs"
cat "${sources[@]}" designs/*.S layout.h Generated/fields.h Generated/calls.h asm.h el1.lds layout.awk |
  sha256sum | sed 's/-$/sources/' > "$tmp/bin/SHA256SUMS"
(cd "$tmp/bin" && sha256sum el1.bin) >> "$tmp/bin/SHA256SUMS"
for f in bin/el1.bin bin/SHA256SUMS Generated/El1Layout.g.cs; do
  if [ "${1:-}" = --check ]; then
    cmp -s "$tmp/$f" "$f" || { echo "build.sh: $f differs from a fresh build" >&2; exit 1; }
  else
    mkdir -p "${f%/*}" && cp "$tmp/$f" "$f"
  fi
done
[ "${1:-}" != --check ] || echo "EL1 image: up to date"
