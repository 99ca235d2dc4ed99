#!/bin/sh
# exports.sh SHARED_LIBRARY MAP INCLUDE_DIR HEADERS LIBRARY...: the shared library exports exactly what its map lists,
# that is exactly what its public headers declare (one argument, names without .h), and needs nothing beyond the named
# libraries. Prints TAP.
library=$1 map=$2 include=$3 headers=$4
shift 4

if ! command -v nm >/dev/null || ! command -v readelf >/dev/null; then
    echo "1..0 # SKIP no binutils"
    exit 0
fi

work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
nm -D --defined-only "$library" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >"$work/exported"
sed -n 's/^ *\(lac_[a-z0-9_]*\);$/\1/p' "$map" | sort >"$work/listed"
for name in $headers; do cat "$include/lac/$name.h"; done | sed -n 's/^LAC_API .*[ *]\(lac_[a-z0-9_]*\)(.*/\1/p' | sort >"$work/declared"
readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort >"$work/needed"

check() # NUMBER NAME LEFT RIGHT
{
    if diff "$work/$3" "$work/$4" >"$work/diff" && [ -s "$work/$3" ]; then
        echo "ok $1 - $2"
    else
        echo "not ok $1 - $2"
        sed 's/^/# /' "$work/diff"
    fi
}

echo "1..3"
check 1 "the library exports what its map lists" exported listed
check 2 "the map lists what the headers declare" listed declared

strange=
while read -r name; do
    known=no
    for allowed in "$@"; do
        case $name in $allowed) known=yes ;; esac
    done
    if [ $known = no ]; then strange="$strange $name"; fi
done <"$work/needed"
if [ -z "$strange" ]; then
    echo "ok 3 - the library needs only: $*"
else
    echo "not ok 3 - the library needs also:$strange"
fi
