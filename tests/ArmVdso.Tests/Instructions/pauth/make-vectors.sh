#!/usr/bin/env bash
# make-vectors.sh [OUT]: vectors.txt anew, from qemu-system-aarch64 -cpu max (Debian package qemu-system-arm), whose keys an
# EL1 program can set. The order of the registers inside a case and everything else is fixed by the seed in vectors.c.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
for tool in qemu-system-aarch64:qemu-system-arm aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu; do
  command -v "${tool%:*}" >/dev/null || { echo "make-vectors.sh: '${tool%:*}' is not installed (Debian package ${tool#*:})" >&2; exit 1; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
aarch64-linux-gnu-gcc -O1 -march=armv8.3-a -ffreestanding -nostdlib -static -mgeneral-regs-only -fno-pic -fno-stack-protector -w \
  -Wl,-Ttext-segment=0x40100000 -Wl,--build-id=none -o "$work/vectors" "$here/vectors.c"
{
  qemu=$(qemu-system-aarch64 --version | head -1 | sed 's/ (.*//')
  echo "# NAME TCR KEYLO KEYHI POINTER MODIFIER RESULT, by $qemu, -cpu max; make-vectors.sh writes this file."
  timeout 120 qemu-system-aarch64 -M virt -cpu max -nic none -display none -serial none -monitor none \
    -chardev stdio,id=out -semihosting-config enable=on,target=native,chardev=out -kernel "$work/vectors" </dev/null
} > "$work/out"
[ "$(tail -n 1 "$work/out")" = end ] || { echo "make-vectors.sh: the program did not end: $(tail -n 1 "$work/out")" >&2; exit 1; }
sed -i '$d' "$work/out"
cp "$work/out" "${1:-$here/vectors.txt}"
