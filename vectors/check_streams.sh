#!/bin/sh
# Does make_streams still write the vectors that are stored?  check_streams.sh MAKE_STREAMS VECTORS
set -eu
: "${MESON_EXE_WRAPPER=}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/streams"
cp "$2/tiny.lacm" "$2/tiny-fsq.lacm" "$2/tiny_prior.lacm" "$scratch/"
# meson names the emulator of a cross build here
$MESON_EXE_WRAPPER "$1" "$scratch"
cmp "$scratch/MANIFEST" "$2/MANIFEST"
diff -r "$scratch/streams" "$2/streams"
