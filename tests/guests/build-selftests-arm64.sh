#!/usr/bin/env bash
# build-selftests-arm64.sh OUT: builds the kernel's own arm64 tests (tools/testing/selftests/arm64 of Linux 6.1, from Debian's
# package linux-source-6.1) into OUT, static. The package is what build-selftests.sh OUT has fetched into OUT.fetch, or fetched
# in the same way. Left out: what needs SVE or SME to do anything (sve-*, za-*, vlset), and MTE's (mte/*): no tag storage here.
set -euo pipefail
script=build-selftests-arm64.sh
package=linux-source-6.1
CC=${CC:-aarch64-linux-gnu-gcc}
. "$(dirname "${BASH_SOURCE[0]}")/linux-source.sh"

[ $# = 1 ] || { echo "usage: $script OUT" >&2; exit 2; }
check_tools
mkdir -p "$1" "$1.fetch"
out=$(cd "$1" && pwd)
cache=$(cd "$1.fetch" && pwd)
tree=$cache/arm64/$package
tests=$tree/tools/testing/selftests/arm64
unpack_source "$cache" "$cache/arm64" unpacked-arm64 'tools/testing/selftests/arm64' 'tools/testing/selftests/kselftest*.h' \
  'tools/include/*' 'arch/arm64/include/uapi/asm/*'
# The tests want the constants of their own kernel version, which the C library's headers may lack.
uapi=$cache/arm64/uapi
mkdir -p "$uapi/asm"
for header in hwcap sigcontext ptrace sve_context; do
  sed 's/\b__user\b//g' "$tree/arch/arm64/include/uapi/asm/$header.h" > "$uapi/asm/$header.h"
done

built=0
# build SUBFOLDER NAME SOURCE|OPTION...
build() {
  local folder=$tests/$1 name=$2
  shift 2
  # The tests' own warnings are not ours to mend.
  (cd "$folder" && "$CC" -O2 -static -std=gnu99 -w -D_GNU_SOURCE -I. -I"$uapi" -I../.. -I"$tree/tools/include" -o "$out/$name" "$@") \
    || die "'$name' did not compile"
  built=$((built + 1))
}

[ ! -e "$tests/abi/hwcap.c" ] || build abi hwcap hwcap.c
build abi syscall-abi syscall-abi.c syscall-abi-asm.S
build fp fpsimd-test fpsimd-test.S asm-utils.S -nostdlib
build pauth exec_target -mbranch-protection=pac-ret -march=armv8.3-a exec_target.c helper.c
build pauth pac -mbranch-protection=pac-ret -march=armv8.3-a pac.c helper.c pac_corruptor.S
build tags tags_test tags_test.c
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT
for kind in "bti standard 1" "nobti none 0"; do
  read -r name protection bti <<<"$kind"
  for source in test.c signal.c start.S syscall.S system.c teststubs.S trampoline.S; do
    (cd "$tests/bti" && "$CC" -mbranch-protection="$protection" -DBTI="$bti" -ffreestanding -w -I"$tree/tools/include" \
      -c "$source" -o "$objects/$name-${source%.*}.o")
  done
  "$CC" -mbranch-protection=standard -nostdlib -static -o "$out/${name}test" "$objects/$name"-*.o || die "'${name}test' did not compile"
  built=$((built + 1))
done
for source in "$tests"/signal/testcases/*.c; do
  name=$(basename "$source" .c)
  [ "$name" != testcases ] || continue
  # Linux 6.1 has helpers in one file, later versions in two.
  helpers=()
  [ ! -e "$tests/signal/sve_helpers.c" ] || helpers=(sve_helpers.c)
  build signal "signal-$name" "$source" test_signals.c test_signals_utils.c testcases/testcases.c signals.S "${helpers[@]}"
done
echo "$script: $built programs in '$out'" >&2
