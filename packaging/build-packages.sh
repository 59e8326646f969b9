#!/usr/bin/env bash
# build-packages.sh OUT [--binary FILE] [--nuget]: a Debian package and a tar of the command, which is compiled ahead (or given), and
# with --nuget the packages of the dotnet tool and of the library. The same source gives the same tar and the same package.
# DEBFULLNAME and DEBEMAIL say who maintains the Debian package, as for Debian's own tools.
set -euo pipefail
usage() { echo "usage: build-packages.sh OUT [--binary FILE] [--nuget]" >&2; exit 2; }
out='' binary='' nuget=
while [ $# -gt 0 ]; do
  case $1 in
    --binary) [ $# -gt 1 ] || usage; binary=$2; shift ;;
    --nuget) nuget=1 ;;
    -*) usage ;;
    *) [ -z "$out" ] || usage; out=$1 ;;
  esac
  shift
done
[ -n "$out" ] || usage
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
version=$(sed -n 's|.*<Version>\(.*\)</Version>.*|\1|p' "$root/Directory.Build.props")
epoch=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2>/dev/null || echo 0)}
maintainer="${DEBFULLNAME:-The ArmVdso authors} <${DEBEMAIL:-armvdso@localhost}>"
mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ -z "$binary" ]; then
  dotnet publish "$root/tools/ArmVdso.Cli" -c Release -r linux-x64 -nologo -clp:ErrorsOnly -o "$work/publish"
  binary=$work/publish/armvdso
fi

share() { # PREFIX: what belongs beside the command; it says it itself.
  install -d "$1/share/man/man1" "$1/share/bash-completion/completions" "$1/share/zsh/vendor-completions" \
    "$1/share/fish/vendor_completions.d"
  "$binary" setup man | gzip -9n >"$1/share/man/man1/armvdso.1.gz"
  "$binary" completion bash >"$1/share/bash-completion/completions/armvdso"
  "$binary" completion zsh >"$1/share/zsh/vendor-completions/_armvdso"
  "$binary" completion fish >"$1/share/fish/vendor_completions.d/armvdso.fish"
}

# The tar: bin and share, for any prefix.
name=armvdso-$version-linux-x64
install -D -m 755 "$binary" "$work/$name/bin/armvdso"
ln -s armvdso "$work/$name/bin/armvdso-binfmt"
share "$work/$name"
install -m 644 "$root/LICENSE" "$root/README.md" "$work/$name"
tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$epoch" -C "$work" -c "$name" | gzip -9n >"$out/$name.tar.gz"

# The Debian package.
deb=$work/deb
install -D -m 755 "$binary" "$deb/usr/bin/armvdso"
ln -s armvdso "$deb/usr/bin/armvdso-binfmt"
ln -s armvdso.1.gz "$work/link"
share "$deb/usr"
mv "$work/link" "$deb/usr/share/man/man1/armvdso-binfmt.1.gz"
install -d "$deb/usr/share/doc/armvdso" "$deb/DEBIAN"
{
  echo "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/"
  echo "Upstream-Name: ArmVdso"
  echo
  echo "Files: *"
  sed -n 's/^Copyright (c) /Copyright: /p' "$root/LICENSE"
  echo "License: MIT"
  sed '1,/^Copyright/d' "$root/LICENSE" | sed '/./,$!d' | sed 's/^$/./; s/^/ /'
} >"$deb/usr/share/doc/armvdso/copyright"
{
  echo "armvdso ($version) unstable; urgency=medium"
  echo
  echo "  * CHANGELOG.md of the source says what is new."
  echo
  echo " -- $maintainer  $(LC_ALL=C date -u -R -d "@$epoch")"
} | gzip -9n >"$deb/usr/share/doc/armvdso/changelog.gz"
install -d "$deb/usr/share/lintian/overrides"
cat >"$deb/usr/share/lintian/overrides/armvdso" <<END
# The runtime of .NET that is compiled in brings its own zlib-ng, which Debian has no shared library of.
armvdso: embedded-library zlib [usr/bin/armvdso]
END
# The oldest C library that has all that the binary asks for.
libc=$(LC_ALL=C readelf -V "$binary" | grep -o 'GLIBC_2\.[0-9.]*' | sed 's/GLIBC_//' | sort -V | tail -1)
cat >"$deb/DEBIAN/control" <<END
Package: armvdso
Version: $version
Architecture: amd64
Maintainer: $maintainer
Section: devel
Priority: optional
Depends: libc6 (>= $libc)
Suggests: clang-19, lld-19, gdb-multiarch
Installed-Size: $(du -ks --apparent-size "$deb/usr" | cut -f1)
Description: runs arm64 Linux programs on emulated CPUs, in cycles
 ArmVdso runs unmodified Linux arm64 programs on 1 to 64 emulated CPUs of which
 it models the cycles. Below them is a model of the Linux kernel with a vDSO
 that answers getpid and its like without a system call.
END
find "$deb" -exec touch -h -d "@$epoch" {} +
SOURCE_DATE_EPOCH=$epoch dpkg-deb --root-owner-group -Zxz --build "$deb" "$out/armvdso_${version}_amd64.deb" >/dev/null

if [ -n "$nuget" ]; then
  dotnet pack "$root/tools/ArmVdso.Cli" -c Release -nologo -clp:ErrorsOnly -o "$out"
  dotnet build "$root/tools/ArmVdso.Lab" -c Release -nologo -clp:ErrorsOnly
  dotnet pack "$root/tools/ArmVdso.Lab" -c Release --no-build -nologo -clp:ErrorsOnly -p:NuspecFile="$root/packaging/ArmVdso.nuspec" \
    -p:NuspecBasePath="$root" -p:NuspecProperties="version=$version" -o "$out"
fi
ls "$out"
