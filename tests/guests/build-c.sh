#!/usr/bin/env bash
# build-c.sh OUT: builds the test guests in src/ for arm64 into OUT, static, with no other input.
set -euo pipefail
CC=${CC:-aarch64-linux-gnu-gcc}
[ $# = 1 ] || { echo "usage: build-c.sh OUT" >&2; exit 2; }
command -v "$CC" >/dev/null || { echo "build-c.sh: '$CC' is not installed (Debian package gcc-aarch64-linux-gnu)" >&2; exit 1; }
source=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/src
mkdir -p "$1"
for file in "$source"/*.c; do
  # A source says in its second line what it needs besides.
  read -ra more < <(sed -n 's|^/\* CFLAGS: \(.*\) \*/$|\1|p' "$file"; echo)
  "$CC" -O2 -static -pthread -std=gnu11 -Wall -Wextra -Werror "${more[@]}" -o "$1/$(basename "$file" .c)" "$file"
done
