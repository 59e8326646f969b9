#!/usr/bin/env python3
"""make-initramfs.py BUSYBOX [MODULE.ko]...: writes an initial file system (cpio, newc) to standard output: busybox, the modules, and an
init that mounts the usual file systems, loads the modules in that order and starts a shell on the console. When the shell ends the
machine is switched off."""
import os
import sys

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin HOME=/ PS1='# '
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in /modules/*; do
  [ ! -e "$module" ] || insmod "$module"
done
echo "init: $(uname -sr), $(nproc) CPUs"
setsid cttyhack sh
poweroff -f
"""


class Archive:
    """A cpio archive in the new ASCII format (Linux, Documentation/driver-api/early-userspace/buffer-format.rst)."""

    def __init__(self, out):
        self.out, self.count, self.written = out, 0, 0

    def write(self, data):
        self.out.write(data)
        self.written += len(data)

    def pad(self):
        self.write(b"\0" * (-self.written % 4))

    def add(self, name, mode, data=b"", device=(0, 0)):
        self.count += 1
        path = name.encode() + b"\0"
        fields = (self.count, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(path), 0)
        self.write(b"070701" + b"".join(b"%08X" % f for f in fields) + path)
        self.pad()
        self.write(data)
        self.pad()


def main():
    busybox, modules = sys.argv[1], sys.argv[2:]
    archive = Archive(sys.stdout.buffer)
    for folder in ("bin", "dev", "proc", "sys", "tmp", "modules"):
        archive.add(folder, 0o040755)
    archive.add("dev/console", 0o020600, device=(5, 1))
    archive.add("dev/null", 0o020666, device=(1, 3))
    with open(busybox, "rb") as file:
        archive.add("bin/busybox", 0o100755, file.read())
    archive.add("init", 0o100755, INIT.encode())
    for number, module in enumerate(modules):
        with open(module, "rb") as file:
            archive.add(f"modules/{number:02}-{os.path.basename(module)}", 0o100644, file.read())
    archive.add("TRAILER!!!", 0)


main()
