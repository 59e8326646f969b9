#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Programs inside a booted kernel.

    booted.py make OUT ROOT TESTS...
                                     the initial file system OUT (cpio): init, the programs of programs.tsv and the static ones of ../pool.
                                     ROOT has the pool's programs, the folders TESTS have the others.
    booted.py results [SET|release] < CONSOLE
                                     what the programs gave, from the console of a kernel that was booted with it: for each a line
                                     "NAME: STATUS" and the lines of what it checked. Of a program of the pool: whether output and status
                                     are the golden ones. Status 1 when one of SET (all, quick) is missing.
                                     release: that of the kernel alone.
"""
import base64
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
POOL = os.path.join(HERE, "..", "pool")
# Up to this many million instructions a program of the pool is in the quick set.
QUICK = 20

# A line that tells what was checked: KTAP and the older forms of the kernel's tests, and ours.
CHECKED = re.compile(r"^\s*(#\s+)?(ok|not ok|FAILED|PASS|FAIL|\[OK\]|\[FAIL\]|\[RUN\]|\[SKIP\]|\[NOTE\]|SKIP|1\.\.\d+)\b|\[(OK|FAIL|SKIP)\]"
                     r"|\b(pass|fail|skip|failed)[:( ]*\d|: (PASS|FAIL|SKIP)|==>>")
# What differs from run to run: addresses, times, process numbers.
VARIES = re.compile(r"0x[0-9a-f]+|\d{5,}(\.\d+)?|\d+\.\d+")


def table(name):
    with open(name, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
    return [dict(zip(rows[0], row)) for row in rows[1:]]


def read(name):
    with open(name, "rb") as file:
        return file.read()


def pool():
    """The static programs of the pool: name, whether quick, command."""
    for row in table(os.path.join(POOL, "pool.tsv")):
        if row["linkage"].startswith("static"):
            command = read(os.path.join(POOL, row["name"] + ".cmd")).decode().strip()
            if os.path.exists(os.path.join(POOL, row["name"] + ".pid1")):
                command = f"unshare -p -f {command}"
            yield "pool-" + row["name"], float(row["insns"]) <= QUICK, command


def programs():
    for name, quick, command in pool():
        yield name, quick, command
    for row in table(os.path.join(HERE, "programs.tsv")):
        yield row["program"], row["quick"] == "1", row["command"] + " 2>&1"


def make(out, root, *tests):
    add = []
    wanted = [row["command"].split()[0].removeprefix("./") for row in table(os.path.join(HERE, "programs.tsv"))]
    # pac starts exec_target, which lies beside it.
    for name in sorted({*wanted, "exec_target"}):
        places = [os.path.join(folder, name) for folder in tests if os.path.exists(os.path.join(folder, name))]
        if not places:
            sys.exit(f"booted.py: no '{name}' in {' '.join(tests)}")
        add.append(f"tests/{name}={places[0]}")
    with tempfile.TemporaryDirectory() as work:
        for chosen in ("all", "quick"):
            os.makedirs(os.path.join(work, chosen))
            for name, quick, command in programs():
                if chosen == "all" or quick:
                    with open(os.path.join(work, chosen, name), "w", encoding="utf-8") as file:
                        file.write(f"exec {command}\n" if "\n" not in command and not re.search(r"[;|&]", command) else command + "\n")
        add.append("programs=" + work)
        for file in ("bin/bash-static", "bin/zsh-static", "bin/sash", "usr/bin/catatonit", "opt/static/usr/bin/busybox"):
            add.append(f"{file}={os.path.join(root, file)}")
        add.append(f"opt/static/bin={os.path.join(root, 'opt/static/bin')}")
        data = os.path.join(root, "opt/pool")
        # Of the compiled ones those that are static.
        add += [f"opt/pool/{name}={os.path.join(data, name)}" for name in sorted(os.listdir(data)) if name != "bin"]
        add += [f"opt/pool/bin/{name}={os.path.join(data, 'bin', name)}" for name in sorted(os.listdir(os.path.join(data, "bin")))
                if re.search("-(static|spie)$", name)]
        words = [sys.executable, os.path.join(HERE, "..", "make-initramfs.py"), "--init", os.path.join(HERE, "init")]
        for pair in add:
            words += ["--add", pair]
        with open(out + ".new", "wb") as file:
            subprocess.run([*words, os.path.join(root, "opt/static/usr/bin/busybox")], stdout=file, check=True)
    os.replace(out + ".new", out)


def said(console):
    """Of each program in the console's text: its status and what it wrote."""
    found, name = {}, None
    for line in console.replace("\r", "").split("\n"):
        begin = re.match(r"== (\S+) (\d+)$", line)
        if begin:
            name, lines = begin[1], []
            found[name] = (int(begin[2]), lines)
        elif line == "==":
            name = None
        elif name:
            lines.append(line)
    return {name: (status, base64.b64decode("".join(lines))) for name, (status, lines) in found.items()}


def golden(name, status, text):
    path = os.path.join(POOL, name.removeprefix("pool-"))
    if status != int(read(path + ".rc")):
        return f"status {status}, not that of the golden"
    return "golden" if text == read(path + ".out") else "another output than the golden"


def results(chosen):
    found = said(sys.stdin.buffer.read().decode("latin-1"))
    if chosen == "release":
        print(found["kernel"][1].decode().strip())
        return 0
    compared = {row["program"]: row["compared"] for row in table(os.path.join(HERE, "programs.tsv"))}
    missing = False
    for name, quick, _ in programs():
        if chosen == "quick" and not quick:
            continue
        if name not in found:
            print(f"{name}: did not come to its end")
            missing = True
            continue
        status, text = found[name]
        if name.startswith("pool-"):
            print(f"{name}: {golden(name, status, text)}")
            continue
        print(f"{name}: {status}")
        if compared[name] == "lines":
            for line in text.decode("latin-1").split("\n"):
                if CHECKED.search(line):
                    print("    " + VARIES.sub("#", line.strip()))
    return 1 if missing else 0


def main():
    words = sys.argv[1:]
    if words[:1] == ["make"] and len(words) > 3:
        return make(*words[1:])
    if words[:1] == ["results"] and words[1:] in ([], ["all"], ["quick"], ["release"]):
        return results((words[1:] or ["all"])[0])
    sys.stderr.write(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main())
