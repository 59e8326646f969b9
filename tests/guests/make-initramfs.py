#!/usr/bin/env python3
"""make-initramfs.py [--init FILE] [--add PATH=FILE]... BUSYBOX [MODULE.ko]...: writes an initial file system (cpio, newc) to standard
output: busybox, the modules, files or folders at PATH, and an init: FILE, or one that mounts the usual file systems, loads the modules in
that order, starts a shell on the console and switches the machine off when the shell ends."""
import argparse
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
        self.out, self.count, self.written, self.folders = out, 0, 0, {""}

    def write(self, data):
        self.out.write(data)
        self.written += len(data)

    def pad(self):
        self.write(b"\0" * (-self.written % 4))

    def add(self, name, mode, data=b"", device=(0, 0)):
        self.folder(os.path.dirname(name))
        self.count += 1
        path = name.encode() + b"\0"
        fields = (self.count, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(path), 0)
        self.write(b"070701" + b"".join(b"%08X" % f for f in fields) + path)
        self.pad()
        self.write(data)
        self.pad()


    def folder(self, name):
        """A folder, once, and those above it."""
        if name not in self.folders:
            self.folders.add(name)
            self.add(name, 0o040755)

    def put(self, name, source):
        """A file or symbolic link of this machine, or a folder with all that is in it."""
        if os.path.islink(source):
            self.add(name, 0o120777, os.readlink(source).encode())
        elif os.path.isdir(source):
            self.folder(name)
            for entry in sorted(os.listdir(source)):
                self.put(f"{name}/{entry}", os.path.join(source, entry))
        else:
            with open(source, "rb") as file:
                self.add(name, 0o100755 if os.access(source, os.X_OK) else 0o100644, file.read())


def main():
    parser = argparse.ArgumentParser(prog="make-initramfs.py")
    parser.add_argument("--init", metavar="FILE")
    parser.add_argument("--add", metavar="PATH=FILE", action="append", default=[])
    parser.add_argument("busybox")
    parser.add_argument("modules", nargs="*")
    options = parser.parse_args()
    archive = Archive(sys.stdout.buffer)
    for folder in ("bin", "dev", "proc", "sys", "tmp", "modules"):
        archive.folder(folder)
    archive.add("dev/console", 0o020600, device=(5, 1))
    archive.add("dev/null", 0o020666, device=(1, 3))
    archive.put("bin/busybox", options.busybox)
    if options.init:
        archive.put("init", options.init)
    else:
        archive.add("init", 0o100755, INIT.encode())
    for number, module in enumerate(options.modules):
        archive.put(f"modules/{number:02}-{os.path.basename(module)}", module)
    for pair in options.add:
        name, _, source = pair.partition("=")
        archive.put(name, source)
    archive.add("TRAILER!!!", 0)


main()
