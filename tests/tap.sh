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
skip() { count=$((count + 1)); echo "ok $count - $1 # SKIP $2"; }

# is NAME GOT WANTED
is() { [ "$2" = "$3" ]; result $? "$1" "got '$2', not '$3'"; }

# same NAME FILE FILE
same() { cmp -s "$2" "$3"; result $? "$1" "$2 and $3 differ"; }

# says WHAT PATTERN: the last command's standard error
says() { grep -q -- "$2" err; result $? "says: $1" "$2"; }

# run STATUS NAME COMMAND...: its exit status; output in `out` and `err`. A message must go with each failure, and
# nothing may be left of an output that failed.
run()
{
    local wanted=$1 name=$2 got
    shift 2
    timeout 60 "$@" >out 2>err </dev/null
    got=$?
    if [ "$got" -ne "$wanted" ]; then
        result 1 "$name" "exit $got, not $wanted"
    elif [ "$got" -ne 0 ] && ! grep -q '^lac' err; then
        result 1 "$name" "no message"
    elif ls -A . sub 2>/dev/null | grep -q '^\.lac-'; then
        result 1 "$name" "left a temporary file"
        rm -f .lac-* sub/.lac-*
    else
        result 0 "$name"
    fi
}
