#!/usr/bin/env bash
# build-intrinsics.sh OUT: builds the program of make-intrinsics.py for arm64, static: OUT/acle-gcc, and OUT/acle-clang when
# CLANG=1 is set (it takes longer).
set -euo pipefail
[ $# = 1 ] || { echo "usage: build-intrinsics.sh OUT" >&2; exit 2; }
command -v aarch64-linux-gnu-gcc >/dev/null ||
  { echo "build-intrinsics.sh: 'aarch64-linux-gnu-gcc' is not installed (Debian package gcc-aarch64-linux-gnu)" >&2; exit 1; }
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
options=(-static -w -march=armv8.5-a+crypto+sha3+sm4+bf16+i8mm+fp16+fp16fml)
"$here/make-intrinsics.py" "$(aarch64-linux-gnu-gcc -print-file-name=include)" > "$1/acle.c"
aarch64-linux-gnu-gcc -O1 "${options[@]}" -o "$1/acle-gcc" "$1/acle.c"
[ -z "${CLANG:-}" ] || clang-19 --target=aarch64-linux-gnu -O2 "${options[@]}" -o "$1/acle-clang" "$1/acle.c"
