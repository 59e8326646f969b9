#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# apply.sh SOURCE: puts records of CPUs for the vDSO into a Linux 6.12 source tree: the files of files/, and insertions at named
# places. CONFIG_VDSO_PER_CPU_GEN makes them the mended design, without it they are the talk's.
# A place that is not there, or not once, is an error; an insertion that is there is not made again.
set -euo pipefail
export LC_ALL=C
[ $# = 1 ] && [ -f "$1/arch/arm64/kernel/vdso.c" ] || { echo "usage: apply.sh SOURCE (a Linux source tree)" >&2; exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$1"
# after FILE LINE TEXT: inserts TEXT behind the one line of FILE that is LINE, without the white space around it; into FILE.new,
# which takes FILE's place when all places were found.
changed=()
trap 'rm -f "${changed[@]/%/.new}"' EXIT
after() {
  local file=$1 line=$2 text=$3 at
  if grep -qF -- "${text%%$'\n'*}" "$file"; then return; fi
  if [ ! -e "$file.new" ]; then
    cp "$file" "$file.new"
    changed+=("$file")
  fi
  at=$(awk -v line="$line" '{ t = $0; gsub(/^[ \t]+|[ \t]+$/, "", t); if (t == line) print NR }' "$file.new")
  [[ $at =~ ^[0-9]+$ ]] || { echo "apply.sh: $file: '$line' is there $(wc -w <<< "$at") times" >&2; exit 1; }
  sed -i "${at}r /dev/stdin" "$file.new" <<< "$text"
}

vdso=arch/arm64/kernel/vdso
after kernel/Makefile 'obj-y += sched/' 'obj-y += vdso_per_cpu.o'
after $vdso/Makefile '# Build rules' 'obj-vdso += vpercpu.o
CFLAGS_REMOVE_vpercpu.o = $(CC_FLAGS_REMOVE_VDSO)
CFLAGS_vpercpu.o = $(CC_FLAGS_ADD_VDSO)'
after init/Kconfig 'source "kernel/irq/Kconfig"' 'source "kernel/Kconfig.vdso_per_cpu"'
names=$(for n in getpid gettid getuid geteuid getgid getegid getppid getcpu; do echo "		__kernel_$n;"; done)
after $vdso/vdso.lds.S '__kernel_getrandom;' "$names"
after arch/arm64/kernel/process.c '#include <linux/sched.h>' '#include <linux/vdso_per_cpu.h>'
after arch/arm64/kernel/process.c 'tls_thread_switch(next);' '	vdso_per_cpu_switch_thread(next);'
after arch/arm64/kernel/process.c 'tls_thread_flush();' '	vdso_per_cpu_flush_thread();'
after arch/arm64/kernel/process.c 'mte_thread_init_user();' '	vdso_per_cpu_start_thread(current);'

# What the mended design has besides; empty without it.
hook() {
  after "$1" "$2" '#include <linux/vdso_per_cpu.h>'
  after "$1" "$3" "	$4"
}
hook kernel/cred.c '#include <linux/cn_proc.h>' 'rcu_assign_pointer(task->cred, new);' 'vdso_per_cpu_refresh();'
hook kernel/exit.c '#include <linux/capability.h>' 'RCU_INIT_POINTER(t->real_parent, reaper);' '		vdso_per_cpu_changed(t);'
hook kernel/user_namespace.c '#include <linux/highuid.h>' 'map->nr_extents = new_map.nr_extents;' 'vdso_per_cpu_refresh_all();'
hook kernel/nsproxy.c '#include <linux/proc_ns.h>' 'p->nsproxy = new;' 'if (p == current)
		vdso_per_cpu_refresh();'
hook include/linux/resume_user_mode.h '#include <linux/rseq.h>' 'blkcg_maybe_throttle_current();' 'vdso_per_cpu_resume();'
hook arch/arm64/kernel/entry-common.c '#include <linux/resume_user_mode.h>' 'lockdep_sys_exit();' 'vdso_per_cpu_exit_to_user_mode();'
for file in "${changed[@]}"; do cat "$file.new" > "$file"; done
cp -R "$here/files/." .
