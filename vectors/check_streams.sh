#!/bin/sh
# Does make_streams still write the vectors that are stored?  check_streams.sh MAKE_STREAMS VECTORS
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir "$scratch/streams"
cp "$2/tiny.lacm" "$scratch/"
"$1" "$scratch"
cmp "$scratch/MANIFEST" "$2/MANIFEST"
diff -r "$scratch/streams" "$2/streams"
