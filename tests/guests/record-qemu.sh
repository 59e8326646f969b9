#!/usr/bin/env bash
# record-qemu.sh [OUT]: what the programs in src/ that check themselves print under qemu-aarch64, into OUT (src/qemu). The tests
# compare runs on our emulator with these files; only the long form runs qemu again, since its threads, signals and sleeps are
# the host's, and a busy host is no reason for a test to fail.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:-$here/src/qemu}
command -v qemu-aarch64 >/dev/null || { echo "record-qemu.sh: 'qemu-aarch64' is not installed (Debian package qemu-user)" >&2; exit 1; }
"$here/build-c.sh" "$here/build"
mkdir -p "$out"
for command in signals futex time memory 'fork_exec noexec' pi_futex restarts pipes owners lines buffers corks tags; do
  read -ra words <<<"$command"
  # The status is the number of failures, and the file tells them.
  qemu-aarch64 "$here/build/${words[0]}" "${words[@]:1}" > "$out/${words[0]}.out" || [ $? = 1 ]
done
