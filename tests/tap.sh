# Sourced by the tests of the command: a folder of its own to work in, and lines of TAP.
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 99
count=0 bad=0

# result STATUS NAME [DETAIL]: one line of TAP
result()
{
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        bad=$((bad + 1))
        [ -z "$3" ] || echo "# $3"
        [ ! -s err ] || sed 's/^/# stderr: /' err
    fi
}
