#!/usr/bin/env bash
# Builds what is committed and made: from the instruction table, from vdso-image/calls.tsv, from assembly and C sources.
#   build-products.sh          writes all of it, in the order in which one needs another
#   build-products.sh --check [--no-build]
#                              writes nothing; exit 1 where a product is not what its sources give; with --no-build the
#                              generators are those of the last build
# Needs the .NET SDK and the Debian packages clang-19, lld-19, llvm-19.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
case $* in
  '' | --check) built= ;;
  '--check --no-build') built=--no-build; set -- --check ;;
  *) echo "usage: build-products.sh [--check [--no-build]]" >&2; exit 2 ;;
esac
for generator in CallGenerator IsaGenerator; do
  echo "== $generator"
  dotnet run -c Release $built --project "tools/ArmVdso.$generator" -- "$@"
done
for script in vdso-image kernel-model/El1 tools/ArmVdso.Lab/Guests tools/ArmVdso.Yardsticks/Programs; do
  echo "== $script/build.sh"
  "$script/build.sh" "$@"
done
