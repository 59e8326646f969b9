#!/usr/bin/env bash
# build-site.sh OUT: the documentation as a site of static pages: docs/, the files beside it and the library's types, made by docfx
# (fetched as a dotnet tool in the version that packaging/site/dotnet-tools.json names). A link that leads nowhere ends it.
set -euo pipefail
[ $# = 1 ] && [ "${1#-}" = "$1" ] || { echo "usage: build-site.sh OUT" >&2; exit 2; }
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
library=$root/tools/ArmVdso.Lab/bin/Release/net10.0/ArmVdso.Lab.dll
[ -e "$library" ] || dotnet build "$root/tools/ArmVdso.Lab" -c Release -nologo -clp:ErrorsOnly
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$root/packaging/site"
trap 'rm -rf "$root/packaging/site/api"' EXIT
dotnet tool restore >/dev/null
dotnet docfx docfx.json --warningsAsErrors --logLevel warning --output "$out"
[ -e "$out/README.html" ] && [ -e "$out/api/ArmVdso.Lab.ArmVdsoLab.html" ] || { echo "build-site.sh: docfx made no pages" >&2; exit 1; }
echo "$out/index.html"
