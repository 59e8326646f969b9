#!/usr/bin/env bash
# Fetches the programs whose figures on boards are published and builds them for 'armvdso yardsticks board-programs
# --programs DIR'. Nothing of them is committed here.
#   fetch.sh DIR             clones the repositories below into DIR/src and builds into DIR
#   SOURCES=PATH fetch.sh DIR   takes PATH/coremark, PATH/byte-unixbench, PATH/STREAM, PATH/lmbench, PATH/freqbench as they are
set -euo pipefail
export LC_ALL=C
[ $# = 1 ] || { sed -n '2,5p' "$0" | cut -c3- >&2; exit 2; }
cc=aarch64-linux-gnu-gcc
command -v "$cc" >/dev/null || { echo "fetch.sh: $cc is missing (package gcc-aarch64-linux-gnu)" >&2; exit 2; }
mkdir -p "$1"
out=$(cd "$1" && pwd)

if [ -n "${SOURCES:-}" ]; then
  src=$(cd "$SOURCES" && pwd)
else
  src=$out/src
  mkdir -p "$src"
  while read -r name url commit; do
    [ -d "$src/$name/.git" ] || git clone -q "$url" "$src/$name"
    git -C "$src/$name" checkout -q "$commit"
  done <<'LIST'
freqbench https://github.com/kdrag0n/freqbench 9eb16adcec1595852ab930f111b66224cb1e8368
coremark https://github.com/eembc/coremark d5fad6bd094899101a4e5fd53af7298160ced6ab
byte-unixbench https://github.com/kdlucas/byte-unixbench 986b674a1e50eedd944bc08d6bdc8be925b2bc65
STREAM https://github.com/jeffhammond/STREAM 6703f7504a38a8da96b353cadafa64d3c2d7a2d3
lmbench https://github.com/intel/lmbench 941a0dcc0e7bdd9bb0dee05d7f620e77da8c43af
LIST
fi

build() { "$cc" -march=armv8-a -static -w -o "$out/$1" "${@:2}"; }

# CoreMark, as its posix port is built.
cd "$src/coremark"
for level in O2 O3; do
  build "coremark-$level" -$level -DPERFORMANCE_RUN=1 -DITERATIONS=0 "-DFLAGS_STR=\"-$level\"" -Iposix -I. core_list_join.c core_main.c \
    core_matrix.c core_state.c core_util.c posix/core_portme.c -lrt
done

# The CoreMark that was run on phones, with the loader and C library that were there.
cp "$src/freqbench/rd/usr/bin/coremark" "$out/coremark-freqbench"
cp "$src/freqbench/rd/lib/ld-musl-aarch64.so.1" "$out/"
(cd "$out" && sha256sum -c --quiet) <<'SUMS'
0e72bd27c46b2dbe5258fc695666677ccc94ab58a421a2526347154eeaf79146  coremark-freqbench
ac679c67b20e7392517f84c055031c096a5a151ac44e079e482b5b4bdd6f023e  ld-musl-aarch64.so.1
SUMS

# UnixBench, as its Makefile builds for arm64.
cd "$src/byte-unixbench/UnixBench/src"
build dhry2reg -O3 -ffast-math -DTIME -DHZ=100 -DREG=register dhry_1.c dhry_2.c
build whetstone-double -O3 -ffast-math -DTIME -DDP -DGTODay -DUNIXBENCH whets.c -lm
for name in syscall pipe context1 spawn; do
  build "$name" -O3 -ffast-math -DTIME "$name.c"
done

# Three arrays of 8 MB, far beyond the caches of the boards.
cd "$src/STREAM"
build stream -O3 -DSTREAM_ARRAY_SIZE=1000000 -DNTIMES=3 stream.c

# lmbench needs headers of Sun RPC for programs that are not built here.
cd "$src/lmbench/src"
rpc=$(mktemp -d)
trap 'rm -rf "$rpc"' EXIT
mkdir "$rpc/rpc"
touch "$rpc/rpc/rpc.h" "$rpc/rpc/types.h"
for name in lat_ops lat_mem_rd bw_mem lat_syscall lat_sig lat_pagefault lat_proc lat_pipe; do
  # The published additions take a cycle each: a compiler that optimizes folds them away. The variables are in registers all the same.
  level=-O
  [ $name != lat_ops ] || level=-O0
  build "$name" $level -DHAVE_uint=1 -DHAVE_int64_t=1 -DHAVE_socklen_t=1 -I"$rpc" "$name.c" lib_timing.c lib_mem.c lib_stats.c lib_sched.c \
    lib_debug.c getopt.c -lm
done
ls "$out"
