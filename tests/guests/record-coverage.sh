#!/usr/bin/env bash
# record-coverage.sh ROOT TABLE: runs real programs under 'armvdso isa record' and writes into TABLE (coverage.tsv) which one
# executes each row that has none yet. ROOT: fetch-guests.sh -e -f coverage.packages ROOT. Prints a line a program.
set -uo pipefail
export LC_ALL=C
[ $# = 2 ] || { echo "usage: record-coverage.sh ROOT TABLE" >&2; exit 2; }
root=$1 table=$2
here=$(cd "$(dirname "$0")" && pwd)
armvdso=${ARMVDSO:-"dotnet $here/../../tools/ArmVdso.Cli/bin/Release/net10.0/armvdso.dll"}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Debian chooses these by links that maintainer scripts make.
libs=/usr/lib/aarch64-linux-gnu
math=$libs/openblas-pthread:$libs/lapack:$libs/blas
# Inputs: a text, a sound, a picture.
python3 - "$work" <<'PY'
import math, struct, sys
w = sys.argv[1]
open(w + '/text', 'w').write(''.join(f'line {n * n} of {n}\n' for n in range(3000)))
pcm = b''.join(struct.pack('<hh', int(9000 * math.sin(n / 9)), int(7000 * math.sin(n / 23))) for n in range(12000))
header = b'WAVEfmt ' + struct.pack('<IHHIIHH', 16, 1, 2, 44100, 176400, 4, 16) + b'data' + struct.pack('<I', len(pcm))
open(w + '/sound.wav', 'wb').write(b'RIFF' + struct.pack('<I', 36 + len(pcm)) + header + pcm)
pix = bytes((x * y + c * 40 + (x ^ y)) & 255 for y in range(64) for x in range(96) for c in range(3))
open(w + '/picture.ppm', 'wb').write(b'P6 96 64 255\n' + pix)
def frame(f):
    luma = bytes((x * 3 + y * 2 + f * 5 + (x * y >> 3)) & 255 for y in range(96) for x in range(128))
    return luma + bytes((128 + x - y + f) & 255 for p in range(2) for y in range(48) for x in range(64))
yuv = b''.join(frame(f) for f in range(4))
open(w + '/video.yuv', 'wb').write(yuv)
frames = b''.join(b'FRAME\n' + yuv[n * 18432:(n + 1) * 18432] for n in range(4))
open(w + '/video.y4m', 'wb').write(b'YUV4MPEG2 W128 H96 F25:1 Ip A1:1 C420jpeg\n' + frames)
PY
# record PROGRAM ARG...: a program of the root, or one that was built here.
record() {
  local before after status where=(--root "$root" -E LD_LIBRARY_PATH="$math")
  [ ! -f "$1" ] || where=()
  before=$(awk -F'\t' '$3 != "-"' "$table" | wc -l)
  # shellcheck disable=SC2086
  nice timeout "${LIMIT:-240}" $armvdso isa record --core none "${where[@]}" --bind "$work:/in" --append "$table" "$@" \
    >"$work/out" 2>"$work/err" </dev/null
  status=$?
  after=$(awk -F'\t' '$3 != "-"' "$table" | wc -l)
  printf '%-4s %4d new  %s\n' "$status" $((after - before)) "$*"
  [ "$status" = 0 ] || tail -n 2 "$work/err" | cut -c1-200
}
for digest in sha512 sha3-256 sm3 blake2b512 md5 ripemd160; do record openssl dgst -$digest /in/text; done
for cipher in aes-256-ctr aes-128-cbc aes-128-ecb sm4-ctr sm4-cbc chacha20 camellia-128-cbc des-ede3-cbc; do
  record openssl enc -$cipher -in /in/text -K 00112233445566778899aabbccddeeff -iv 00112233445566778899aabbccddeeff -out /dev/null
done
record openssl speed -seconds 1 -bytes 1024 -evp aes-128-gcm
record openssl genpkey -algorithm ed25519
record openssl ecparam -genkey -name prime256v1
record openssl genrsa 1024
record openssl prime -generate -bits 256
record b3sum /in/text
record nettle-hash -a sha512 /in/text
record botan hash --algo=SHA-3 /in/text
record botan rng --format=hex 32
record zstd -19 -c /in/text
record xz -c /in/text
record lz4 -c /in/text
record cjpeg -outfile /tmp/x.jpg /in/picture.ppm
record cwebp -quiet -m 6 -s 96 64 /in/video.yuv -o /tmp/x.webp
record lame --quiet /in/sound.wav /tmp/x.mp3
record flac -s -8 -f -o /tmp/x.flac /in/sound.wav
record opusenc --quiet /in/sound.wav /tmp/x.opus
record sox /in/sound.wav -r 8000 /tmp/x.wav reverb
record x264 --quiet --preset slower --frames 3 --input-res 128x96 -o /tmp/x.264 /in/video.yuv
record x264 --quiet --preset ultrafast --qp 0 --frames 2 --input-res 128x96 -o /tmp/x.264 /in/video.yuv
record x265 --log-level none --preset medium --frames 2 --input-res 128x96 --fps 25 -o /tmp/x.265 /in/video.yuv
record aomenc --codec=av1 --limit=2 --cpu-used=4 -o /tmp/x.ivf /in/video.y4m
record ffmpeg -v error -f lavfi -i testsrc=size=128x96:rate=5 -t 1 -vf scale=64:64,format=yuv420p -c:v mpeg4 -f avi -y /tmp/x.avi
record ffmpeg -v error -i /in/video.y4m -vf yadif,hflip,gblur -c:v libvpx-vp9 -frames:v 2 -f webm -y /tmp/x.webm
record ffmpeg -v error -i /in/sound.wav -af aresample=8000,volume=0.5,aecho -c:a ac3 -y /tmp/x.ac3
record ffmpeg -v error -i /in/sound.wav -c:a aac -y /tmp/x.aac
record ffmpeg -v error -i /in/video.y4m -c:v libx264 -pix_fmt yuv420p10le -frames:v 2 -f matroska -y /tmp/x.mkv
record python3 -c 'import numpy as n
a = n.arange(4096, dtype="f4").reshape(64, 64); b = a.astype("f8"); c = a.astype("i4")
print((a @ a).sum(), (b @ b).sum(), n.sin(b).sum(), n.exp(a / 4096).sum(), n.sqrt(b).sum(), n.linalg.inv(b + n.eye(64) * 1e4).sum())
for t in "b B h H i I l L e f d".split():
    x = c.astype(t); y = x[::-1].copy()
    print(t, (x + y).sum(), (x * y).max(), n.minimum(x, y).sum(), (x > y).sum(), abs(x).min())
    print(n.sort(x.ravel())[5], x.mean(), n.fft.fft(x[0]).real.sum())'
record gp -q -f -c 'print(factor(2^101-1))'
record ecm -q 1000 </dev/null
for program in "$here"/build/isa/*/*; do record "$program"; done
[ ! -e "$here/build/intrinsics/acle-gcc" ] || { record "$here/build/intrinsics/acle-gcc"; record "$here/build/intrinsics/acle-clang"; }
