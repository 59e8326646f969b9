#!/usr/bin/env bash
# record.sh [NAME...]: writes what Debian's strace prints of each program here, run natively under the Linux kernel of an x86-64 machine,
# to NAME.strace: from the line after begin() on. Needs gcc and strace; run as root, since some calls need it.
# The recorded files are those of strace 6.1 (Debian 12).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
[ $# -gt 0 ] || set -- $(basename -s .c ./*.c)
for name; do
  ${CC:-gcc} -O1 -static -w -o "$work/$name" "$name.c"
  mkdir "$work/in"
  (cd "$work/in" && strace -f -o "$work/out" "../$name" </dev/null 10>&- 2>&1 | cat >/dev/null) || true
  # -o puts the PID before each line; without it strace says it as [pid N] where there are several.
  sed '1,/close(-1) /d; s/^\([0-9]*\) */[pid \1] /' "$work/out" >"$name.strace"
  rm -rf "$work/in"
done
