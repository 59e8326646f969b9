#!/usr/bin/env bash
# make-sysvinit-root.sh OUT [FETCH-OPTION...]: a Debian root that boots with sysvinit, to runlevel 2 and off again.
# Packages are fetched as fetch-guests.sh does; what their maintainer scripts would have made is made here: the links of
# /etc/rc?.d in the order that their LSB headers ask for, an inittab without terminals, fstab.
#
#   armvdso syscalls --pid 1 --root OUT /sbin/init
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ $# -ge 1 ] && [[ $1 != -* ]] || { echo "usage: ${0##*/} OUT [option of fetch-guests.sh]..." >&2; exit 2; }
out=$1; shift
"$here/fetch-guests.sh" "$@" -e "$out" sysvinit-core initscripts sysv-rc startpar cron procps inetutils-syslogd

links() { # RUNLEVEL LETTER SCRIPT...
  local level=$1 letter=$2 n=0 script
  shift 2
  mkdir -p "$out/etc/rc$level.d"
  for script; do
    n=$((n + 1))
    ln -sfn "../init.d/$script" "$out/etc/rc$level.d/$letter$(printf %02d $n)$script"
  done
}
links S S hostname.sh mountkernfs.sh mountdevsubfs.sh checkroot.sh checkroot-bootclean.sh checkfs.sh mountall.sh \
  mountall-bootclean.sh procps mountnfs.sh mountnfs-bootclean.sh urandom bootmisc.sh
links 2 S bootlogs inetutils-syslogd cron rmnologin rc.local
links 0 K cron inetutils-syslogd
links 0 S sendsigs umountnfs.sh umountfs umountroot halt

cat > "$out/etc/inittab" <<'T'
id:2:initdefault:
si::sysinit:/etc/init.d/rcS
l0:0:wait:/etc/init.d/rc 0
l2:2:wait:/etc/init.d/rc 2
off:2:once:/sbin/init 0
T
echo 'none / rootfs defaults 0 0' > "$out/etc/fstab"
echo guest > "$out/etc/hostname"
mkdir -p "$out"/{proc,sys,run,dev,var/run,var/lock,var/log}
