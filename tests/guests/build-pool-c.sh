#!/bin/bash
# build-pool-c.sh ROOT: cross-compiles the pool's small C programs into ROOT/opt/pool/bin in several linkages.
set -e; R=$1; B=$R/opt/pool/bin; S=$R/opt/pool; mkdir -p $B; CC=aarch64-linux-gnu-gcc; CXX=aarch64-linux-gnu-g++
MI="-nostdinc -isystem $R/usr/include/aarch64-linux-musl -isystem $($CC -print-file-name=include)"
ML=$R/usr/lib/aarch64-linux-musl
LG=$($CC -print-libgcc-file-name)
for p in hello sieve thr sig; do
  $CC -O2 -o $B/$p-dyn $S/$p.c -lm -pthread -w
  $CC -O2 -static -o $B/$p-static $S/$p.c -lm -pthread -w
  $CC -O2 -static-pie -o $B/$p-spie $S/$p.c -lm -pthread -w
  $CC -O2 $MI -c -o /tmp/$p.$$.o $S/$p.c -w -fPIE -mno-outline-atomics
  $CC -nostdlib -pie -Wl,-dynamic-linker,/lib/ld-musl-aarch64.so.1 -o $B/$p-musl \
    $ML/Scrt1.o $ML/crti.o /tmp/$p.$$.o -L$ML -lc $LG $ML/crtn.o
  $CC -nostdlib -static -o $B/$p-musl-static $ML/crt1.o $ML/crti.o /tmp/$p.$$.o -L$ML -lc $LG $ML/crtn.o
  rm -f /tmp/$p.$$.o
done
$CXX -O2 -o $B/exc-dyn $S/exc.cc -pthread; $CXX -O2 -static -o $B/exc-static $S/exc.cc -pthread
$CC -O3 -march=armv8.2-a+lse -o $B/thr-lse $S/thr.c -pthread -static
$CC -O2 -mbranch-protection=standard -o $B/exc-bti $S/hello.c -lm -static
