#!/bin/sh
# Does make_packets still write the vectors that are stored?  check_packets.sh MAKE_PACKETS VECTORS
set -eu
: "${MESON_EXE_WRAPPER=}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/packets"
cp "$2/tiny.lacm" "$2/tiny_prior.lacm" "$scratch/"
# meson names the emulator of a cross build here
$MESON_EXE_WRAPPER "$1" "$scratch"
for file in payloads.txt coded.txt; do cmp "$scratch/packets/$file" "$2/packets/$file"; done
