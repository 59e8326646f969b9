#!/usr/bin/env bash
# build.sh OUT: makes OUT/bare.img of bare.S, an arm64 Image that needs no kernel.
set -euo pipefail
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "${BASH_SOURCE[0]}")"
clang-19 --target=aarch64-linux-gnu -c -o "$out/bare.o" bare.S
ld.lld-19 --image-base=0 -Ttext=0 -e 0 -o "$out/bare.elf" "$out/bare.o"
llvm-objcopy-19 -O binary "$out/bare.elf" "$out/bare.img"
