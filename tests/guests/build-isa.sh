#!/usr/bin/env bash
# build-isa.sh OUT [SET...]: builds the programs in src/isa/ for arm64, static, into OUT/SET/: one folder for each set of
# compiler options below; all sets when none is named.
set -euo pipefail
sets() {
  cat <<'SETS'
gcc-O0         gcc   -O0 -march=armv8-a
gcc-O1         gcc   -O1 -march=armv8-a
gcc-O2         gcc   -O2 -march=armv8-a
gcc-O3         gcc   -O3 -march=armv8-a
gcc-O2-llsc    gcc   -O2 -march=armv8-a+crc -mno-outline-atomics
gcc-O2-fma     gcc   -O2 -march=armv8-a -ffp-contract=fast
gcc-O0-v82     gcc   -O0 -march=armv8.2-a+fp16+dotprod+crypto
gcc-O3-v82     gcc   -O3 -march=armv8.2-a+fp16+fp16fml+dotprod+crypto
gcc-O2-v83     gcc   -O2 -march=armv8.3-a+crypto -mbranch-protection=pac-ret+leaf+bti
gcc-O3-v85     gcc   -O3 -march=armv8.5-a+crypto+sha3+sm4+bf16+i8mm+fp16+fp16fml
gcc-Os-v81     gcc   -Os -march=armv8.1-a -mbranch-protection=standard
clang-O2       clang -O2 -march=armv8-a
clang-O3       clang -O3 -march=armv8-a+crc
clang-O2-v82   clang -O2 -march=armv8.2-a+fp16+dotprod+crypto
clang-O3-v85   clang -O3 -march=armv8.5-a+crypto+sha3+sm4+bf16+i8mm+fp16+fp16fml
clang-O3-fma   clang -O3 -march=armv8.5-a+crypto+sha3+sm4+bf16+i8mm+fp16+fp16fml -ffp-contract=fast
SETS
}
[ $# -ge 1 ] || { echo "usage: build-isa.sh OUT [SET...]; sets: $(sets | awk '{printf "%s ", $1}')" >&2; exit 2; }
out=$1
shift
source=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/src/isa
[ $# -gt 0 ] || mapfile -t names < <(sets | awk '{print $1}')
[ $# = 0 ] || names=("$@")
for name in "${names[@]}"; do
  read -r _ compiler options < <(sets | awk -v n="$name" '$1 == n') || { echo "build-isa.sh: there is no set '$name'" >&2; exit 2; }
  case $compiler in
    gcc) cc=(aarch64-linux-gnu-gcc) package=gcc-aarch64-linux-gnu ;;
    clang) cc=(clang-19 --target=aarch64-linux-gnu) package=clang-19 ;;
  esac
  command -v "${cc[0]}" >/dev/null || { echo "build-isa.sh: '${cc[0]}' is not installed (Debian package $package)" >&2; exit 1; }
  mkdir -p "$out/$name"
  for file in "$source"/*.c; do
    # Without contraction the results of floating point are the same for every set; the sets that allow it say so last.
    # shellcheck disable=SC2086
    "${cc[@]}" -static -pthread -std=gnu11 -Wall -Wextra -Werror -ffp-contract=off $options \
      -o "$out/$name/$(basename "$file" .c)" "$file" -lm
  done
done
