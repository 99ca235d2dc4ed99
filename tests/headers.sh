#!/bin/sh
# headers.sh INCLUDE_DIR COMPILER...: each public header compiles alone, as C99, C11 and C++11. Prints TAP.
include=$1
shift
set -- "$@" -Wall -Wextra -Wpedantic -Wundef -Werror -I"$include" -fsyntax-only

number=0
report() # STATUS NAME
{
    number=$((number + 1))
    if [ "$1" = 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2"; fi
}

cxx=yes
echo 'int x;' | "$@" -x c++ - 2>/dev/null || cxx=no
for header in "$include"/lac/*.h; do
    name=lac/${header##*/}
    for std in c99 c11 c++11; do
        language=c
        if [ $std = c++11 ]; then language=c++; fi
        if [ $language = c++ ] && [ $cxx = no ]; then
            number=$((number + 1))
            echo "ok $number - $name as C++ # SKIP no C++ compiler"
            continue
        fi
        printf '#include "%s"\n#include "%s"\nint lac_header_test;\n' "$name" "$name" |
            "$@" -x $language -std=$std - >&2
        report $? "$name as $std"
    done
done
echo "1..$number"
