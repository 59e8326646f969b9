#!/usr/bin/env bash
# build-selftests-arm64.sh OUT: builds the kernel's own arm64 tests (tools/testing/selftests/arm64 of Linux 6.1, from Debian's
# package linux-source-6.1) into OUT, static. The package is what build-selftests.sh OUT has fetched into OUT.fetch, or fetched
# in the same way. Left out: what needs SVE or SME to do anything (sve-*, za-*, vlset), and MTE's (mte/*): no tag storage here.
set -euo pipefail
export LC_ALL=C
package=linux-source-6.1
CC=${CC:-aarch64-linux-gnu-gcc}

die() { echo "build-selftests-arm64.sh: $1" >&2; exit 1; }
[ $# = 1 ] || { echo "usage: build-selftests-arm64.sh OUT" >&2; exit 2; }
for tool in apt-get dpkg-deb xz tar; do command -v $tool >/dev/null || die "'$tool' is not installed"; done
command -v "$CC" >/dev/null || die "'$CC' is not installed (Debian package gcc-aarch64-linux-gnu)"
mkdir -p "$1" "$1.fetch"
out=$(cd "$1" && pwd)
cache=$(cd "$1.fetch" && pwd)
tree=$cache/arm64/$package
tests=$tree/tools/testing/selftests/arm64

if ! [ -e "$cache/unpacked-arm64" ]; then
  if ! compgen -G "$cache/${package}_*.deb" >/dev/null; then
    echo "build-selftests-arm64.sh: downloading $package" >&2
    (cd "$cache" && apt-get -qq download "$package") >"$cache/download.log" 2>&1 \
      || { why=$(grep -m1 '^E:' "$cache/download.log" || tail -n 1 "$cache/download.log")
        die "download of '$package' failed: $why ('apt-get update' may help)"; }
  fi
  debs=("$cache/${package}"_*.deb)
  mkdir -p "$cache/arm64"
  dpkg-deb --fsys-tarfile "${debs[-1]}" | tar -xO -f - "./usr/src/$package.tar.xz" | xz -dc -T2 \
    | tar -x -C "$cache/arm64" -f - --wildcards \
    "$package/tools/testing/selftests/arm64" "$package/tools/testing/selftests/kselftest*.h" \
    "$package/tools/include/*" "$package/arch/arm64/include/uapi/asm/*"
  : > "$cache/unpacked-arm64"
fi
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
echo "build-selftests-arm64.sh: $built programs in '$out'" >&2
