#!/usr/bin/env bash
# Builds the programs of the yardsticks with aarch64-linux-gnu-gcc, each at -O2 and -O3.
#   build.sh          writes *.bin and SHA256SUMS
#   build.sh --check  builds in a temporary folder and compares; exit 1 on a difference
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")"
command -v aarch64-linux-gnu-gcc >/dev/null ||
  { echo "build.sh: aarch64-linux-gnu-gcc is missing (package gcc-aarch64-linux-gnu)" >&2; exit 2; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
for name in dhrystone_like coremark_like quicksort interpreter; do
  for level in O2 O3; do
    aarch64-linux-gnu-gcc -march=armv8-a -$level -std=gnu11 -ffreestanding -fno-builtin-strcpy -fno-stack-protector -fno-pic -fno-pie \
      -fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -Wall -Wextra -Werror -ffile-prefix-map="$PWD=." \
      -nostdlib -static -no-pie -Wl,--build-id=none,--no-warn-rwx-segments -Wl,-T,flat.lds -o "$tmp/$name" "$name.c"
    aarch64-linux-gnu-objcopy -O binary --set-section-flags .bss=alloc,load,contents "$tmp/$name" "$tmp/$name-$level.bin"
  done
done
{ sha256sum *.c flat.lds; (cd "$tmp" && sha256sum *.bin); } > "$tmp/SHA256SUMS"
if [ "${1:-}" = --check ]; then
  for f in "$tmp"/*.bin "$tmp/SHA256SUMS"; do
    cmp -s "$f" "$(basename "$f")" || { echo "build.sh: $(basename "$f") differs from a fresh build" >&2; exit 1; }
  done
  echo "programs of the yardsticks: up to date"
else
  cp "$tmp"/*.bin "$tmp/SHA256SUMS" .
fi
