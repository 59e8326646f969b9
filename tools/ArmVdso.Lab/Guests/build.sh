#!/usr/bin/env bash
# Builds the embedded guests with clang-19 and ld.lld-19.
#   build.sh          writes the .elf files and SHA256SUMS
#   build.sh --check  builds in a temporary folder and compares; exit 1 on a difference
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")"
for tool in clang-19 ld.lld-19; do
  command -v "$tool" >/dev/null || { echo "build.sh: $tool is missing (packages clang-19 lld-19)" >&2; exit 2; }
done
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
for f in compare writable truth interrupted; do
  clang-19 --target=aarch64-linux-gnu -march=armv8-a -O2 -ffreestanding -fno-stack-protector -fno-pic -mgeneral-regs-only \
    -fomit-frame-pointer -fno-asynchronous-unwind-tables -Wall -Wextra -ffile-prefix-map="$PWD=." -c "$f.c" -o "$tmp/$f.o"
  ld.lld-19 -static -nostdlib --build-id=none -z norelro -z max-page-size=4096 -o "$tmp/$f.elf" "$tmp/$f.o"
done
# The same program for functions that are named on its command line, and as the first process of a booted kernel.
for f in own booted; do
  clang-19 --target=aarch64-linux-gnu -march=armv8-a -O2 -ffreestanding -fno-stack-protector -fno-pic -mgeneral-regs-only "-D${f^^}" \
    -fomit-frame-pointer -fno-asynchronous-unwind-tables -Wall -Wextra -ffile-prefix-map="$PWD=." -c compare.c -o "$tmp/$f.o"
  ld.lld-19 -static -nostdlib --build-id=none -z norelro -z max-page-size=4096 -o "$tmp/$f.elf" "$tmp/$f.o"
done
for f in check kernelpath anchors; do
  clang-19 --target=aarch64-linux-gnu -march=armv8-a -nostdinc -ffile-prefix-map="$PWD=." -c "$f.S" -o "$tmp/$f.o"
  ld.lld-19 -static -nostdlib --build-id=none -z norelro -z max-page-size=4096 -o "$tmp/$f.elf" "$tmp/$f.o"
done
sources=(compare.c syscall.h vdso.h calls.h own.h writable.c truth.c interrupted.c check.S kernelpath.S getters.h anchors.S)
products=(compare.elf own.elf booted.elf writable.elf truth.elf interrupted.elf check.elf kernelpath.elf anchors.elf)
{ for f in "${sources[@]}"; do sha256sum < "$f" | sed "s/-\$/$f/"; done
  for f in "${products[@]}"; do sha256sum < "$tmp/$f" | sed "s/-\$/$f/"; done
} > "$tmp/SHA256SUMS"
if [ "${1:-}" = --check ]; then
  for f in "${products[@]}" SHA256SUMS; do
    cmp -s "$tmp/$f" "$f" || { echo "build.sh: $f differs from a fresh build" >&2; exit 1; }
  done
  echo "embedded guests: up to date"
else
  cp "${products[@]/#/$tmp/}" "$tmp/SHA256SUMS" .
fi
