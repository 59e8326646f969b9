#!/usr/bin/env bash
# Builds the EL1 image from its sources with clang-19 and ld.lld-19.
#   build.sh          writes bin/el1.bin, the hooks of the designs, bin/SHA256SUMS and Generated/El1Layout.g.cs
#   build.sh --check  builds in a temporary folder and compares; exit 1 on a difference
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")"
for tool in clang-19 ld.lld-19 llvm-objcopy-19 llvm-nm-19; do
  command -v "$tool" >/dev/null || { echo "build.sh: $tool is missing (packages clang-19 lld-19 llvm-19)" >&2; exit 2; }
done
sources=(entry.S tramp.S syscall.S ids.S clocks.S switch.S vdso_update.S calls.S preempt.S rseq.S slice.S)
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
mkdir "$tmp/bin" "$tmp/Generated" "$tmp/armvdso"
# Hooks include what they find in the kit of a design in a folder, too.
ln -s "$PWD" "$tmp/armvdso/el1"
ln -s "$PWD"/armvdso/* "$tmp/armvdso/"
for f in "${sources[@]}"; do
  clang-19 --target=aarch64-linux-gnu -march=armv8.1-a -nostdinc -ffile-prefix-map="$PWD=." -I "$tmp" -c "$f" -o "$tmp/${f%.S}.o"
done
objects=("${sources[@]/#/$tmp/}")
ld.lld-19 -nostdlib -static --no-relax --build-id=none -T el1.lds -o "$tmp/el1.elf" "${objects[@]/%.S/.o}"
llvm-objcopy-19 -O binary "$tmp/el1.elf" "$tmp/bin/el1.bin"
llvm-objcopy-19 --dump-section .patch_sites="$tmp/sites" "$tmp/el1.elf"
tr '\0' '\n' < "$tmp/sites" > "$tmp/sites.txt"
llvm-nm-19 --defined-only "$tmp/el1.elf" | awk '$2 ~ /[TtRrDd]/ && $3 !~ /^\$/ {print $3, "0x" $1}' | sort > "$tmp/symbols.txt"
awk -f layout.awk layout.h Generated/fields.h "$tmp/sites.txt" "$tmp/symbols.txt" > "$tmp/Generated/El1Layout.g.cs"

# The hooks of the designs, as 'armvdso vdso build' makes those of a folder (DesignBuilder.cs): a test compares the two.
flags=(--target=aarch64-linux-gnu -march=armv8-a -nostdinc -I "$tmp" -I ../../vdso-image/include -I ../../vdso-image/arch/arm64/include)
cflags=(-std=gnu11 -O2 -ffreestanding -fno-builtin -mgeneral-regs-only -ffixed-x18 -mbranch-protection=none -fno-stack-protector
  -fno-strict-aliasing -fno-common -fno-ident -fno-addrsig -fno-pic -mno-outline-atomics -fno-asynchronous-unwind-tables)
for ini in designs/*/design.ini; do
  folder=${ini%/*} objects=() defines=()
  field() { sed -n "s/^$1 *= *//p" "$ini"; }
  for define in $(field defines); do defines+=("-D$define"); done
  for source in $(field hooks) armvdso/support.S; do
    for path in "$folder/$source" "designs/common/$source" "$source"; do [ ! -e "$path" ] || break; done
    object=$tmp/${folder##*/}-${source##*/}.o
    case $source in
      *.c) clang-19 "${flags[@]}" "${defines[@]}" -Wall -Wextra -Werror "${cflags[@]}" -c -o "$object" "$path" ;;
      *) clang-19 "${flags[@]}" "${defines[@]}" -c -o "$object" "$path" ;;
    esac
    objects+=("$object")
  done
  ld.lld-19 -static -nostdlib --build-id=none --orphan-handling=error --fatal-warnings -z max-page-size=4096 -T armvdso/hooks.lds \
    -o "$tmp/bin/hooks-${folder##*/}.elf" "${objects[@]}"
done
cat "${sources[@]}" designs/*/* armvdso/* layout.h Generated/fields.h Generated/calls.h asm.h el1.lds layout.awk |
  sha256sum | sed 's/-$/sources/' > "$tmp/bin/SHA256SUMS"
(cd "$tmp/bin" && sha256sum el1.bin hooks-*.elf) >> "$tmp/bin/SHA256SUMS"
products=$(cd "$tmp" && echo bin/*)
for f in $products Generated/El1Layout.g.cs; do
  if [ "${1:-}" = --check ]; then
    cmp -s "$tmp/$f" "$f" || { echo "build.sh: $f differs from a fresh build" >&2; exit 1; }
  else
    mkdir -p "${f%/*}" && cp "$tmp/$f" "$f"
  fi
done
[ "${1:-}" != --check ] || echo "EL1 image: up to date"
