# linux-source.sh: read by the scripts that build programs of Debian's packages linux-source-*. Wants $script (a name for messages),
# $package and $CC; gives die, check_tools and unpack_source.
export LC_ALL=C

die() { echo "$script: $1" >&2; exit 1; }

check_tools() {
  local tool
  for tool in apt-get dpkg-deb xz tar; do command -v $tool >/dev/null || die "'$tool' is not installed"; done
  command -v "$CC" >/dev/null || die "'$CC' is not installed (Debian package gcc-aarch64-linux-gnu)"
}

# unpack_source CACHE FOLDER MARKER PATTERN...: unpacks those files of the package into FOLDER, unless CACHE/MARKER says that it was done.
# The package is downloaded into CACHE when it is not there, its hash checked by apt.
unpack_source() {
  local cache=$1 folder=$2 marker=$3 why debs
  shift 3
  [ ! -e "$cache/$marker" ] || return 0
  if ! compgen -G "$cache/${package}_*.deb" >/dev/null; then
    echo "$script: downloading $package" >&2
    (cd "$cache" && apt-get -qq download "$package") >"$cache/download.log" 2>&1 \
      || { why=$(grep -m1 '^E:' "$cache/download.log" || tail -n 1 "$cache/download.log")
        die "download of '$package' failed: $why ('apt-get update' may help)"; }
  fi
  debs=("$cache/${package}"_*.deb)
  rm -rf "${folder:?}/$package"
  mkdir -p "$folder"
  dpkg-deb --fsys-tarfile "${debs[-1]}" | tar -xO -f - "./usr/src/$package.tar.xz" | xz -dc -T2 \
    | tar -x -C "$folder" -f - --wildcards "${@/#/$package/}"
  : > "$cache/$marker"
}
