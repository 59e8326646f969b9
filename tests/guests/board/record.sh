#!/usr/bin/env bash
# record.sh: writes bare.out, what qemu-system-aarch64 (Debian package qemu-system-arm) prints for bare.S on a Cortex-A53.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
./build.sh "$build"
timeout 10 qemu-system-aarch64 -M virt,gic-version=3 -cpu cortex-a53 -m 256 -nographic -nodefaults -serial stdio \
  -kernel "$build/bare.img" < /dev/null > bare.out
