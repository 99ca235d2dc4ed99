#!/usr/bin/env bash
# lac eval from outside: cli_eval.sh LAC CLITOOL. Prints TAP. Works in a folder of its own.
lac=$(realpath "$1") tool=$(realpath "$2")
. "$(dirname "$0")/tap.sh"

# run STATUS NAME ARGUMENT...: lac eval's exit status; a message must go with each failure
run()
{
    local wanted=$1 name=$2 got
    shift 2
    timeout 60 "$lac" eval "$@" >out 2>err </dev/null
    got=$?
    if [ "$got" -ne "$wanted" ]; then
        result 1 "$name" "exit $got, not $wanted"
    elif [ "$got" -ne 0 ] && ! grep -q '^lac' err; then
        result 1 "$name" "no message"
    else
        result 0 "$name"
    fi
}
says() { grep -q -- "$2" err; result $? "says: $1" "$2"; }
shows() { grep -Eq -- "$2" out; result $? "shows: $1" "$2, got: $(tr '\n' ';' <out)"; }
number() { grep -o "\"$1\":[^,}]*" out | head -n 1 | sed 's/.*:[[:space:]]*//'; }
# within KEY LOW HIGH: the first number of that key
within()
{
    local got
    got=$(number "$1")
    awk -v x="$got" -v a="$2" -v b="$3" 'BEGIN { exit !(x != "" && x + 0 >= a && x + 0 <= b) }'
    result $? "$1 is $2 to $3" "got '$got'"
}

"$tool" wav a.wav speech 24000 1 48000
"$tool" wav b.wav square 24000 1 48000

# ---- two files
run 0 "a file against itself" a.wav a.wav
shows "mel16" '^mel16 +0\.000$'
shows "delay" '^delay +0\.0 ms \(0 samples\)'
run 0 "two files" --json a.wav b.wav
for k in summary files delay_ms missing failed mel16 si_sdr_db level_db stft_sc stft_mag delay_samples mean ci95 n; do
    grep -q "\"$k\":" out; result $? "json has $k"
done
"$tool" raw speech 24000 1 48000 s16 >a.s16
# 100 samples of silence in front, by way of a WAV header of the right length
"$tool" wav late.wav speech 24000 1 48100
{ head -c 44 late.wav; head -c 200 /dev/zero; cat a.s16; } >late2.wav
run 0 "a late copy" --json a.wav late2.wav
within mean 0 0.01
within delay_samples 98 102
run 0 "and the reverse" --json late2.wav a.wav
within delay_samples -102 -98
"$tool" wav c.wav speech 48000 2 96000
run 0 "another rate and channel count" --json a.wav c.wav
within n 1 1
run 2 "standard input twice" - -
cat a.wav | "$lac" eval --json - a.wav >out 2>err; result $? "reference from a pipe"
within mean 0 0
"$lac" eval --json a.wav - <a.wav >out 2>err; result $? "test from standard input"

# ---- picture
run 0 "picture" --png p.png a.wav b.wav
[ "$(head -c 4 p.png | tail -c 3)" = PNG ]; result $? "is a PNG file"
cp p.png q.png
run 1 "does not overwrite" --png p.png a.wav a.wav
says "how to" "p.png: exists"
cmp -s p.png q.png; result $? "left it alone"
run 0 "overwrites with -f" -f --png p.png a.wav a.wav
run 1 "no such folder" --png none/p.png a.wav b.wav
run 1 "not over its input" -f --png a.wav a.wav b.wav
run 2 "not of folders" --png r.png . .

# ---- folders
mkdir ref test
for i in 1 2 3; do "$tool" wav ref/$i.wav speech 24000 $i 30000; "$tool" wav test/$i.wav speech 24000 1 30000; done
echo notes >ref/notes.txt
run 0 "folders" ref test
shows "the number of files" '\(3 files\)'
shows "the partners" '3 of 3'
run 0 "folders as json" --json ref test
grep -q '"missing":[[:space:]]*\[\]' out; result $? "nothing is missing"
shows "all of them" '"n":[[:space:]]*3'
rm test/2.wav
run 1 "a missing partner" --json ref test
says "which" "ref/2.wav: has no partner in test"
grep -q '"missing":[[:space:]]*\["2"\]' out; result $? "json lists it"
echo text >test/2.wav
run 1 "an unreadable file" --json ref test
says "which" "test/2.wav: is not an audio file"
grep -q '"failed":[[:space:]]*\["2"\]' out; result $? "json lists it"
shows "the others" '"n":[[:space:]]*2'
cp ref/1.wav ref/1.au
run 1 "two files of one stem" ref test
says "which" "1.au and 1.wav have the same stem"
mkdir none; run 1 "an empty folder" none test; says "why" "none: holds no audio"
run 1 "no partner at all" test none; says "why" "no file has a partner"
run 1 "a folder and a file" ref a.wav

# ---- bad input
: >empty.wav; "$tool" wav short.wav speech 24000 1 900; "$tool" wav nothing.wav speech 24000 1 0
"$tool" wav nan.wav bad 24000 1 48000; echo text >text.wav
while read -r file why; do
    run 1 "$file as reference" "$file" a.wav; says "why" "$file: .*$why"
    run 1 "$file as test" a.wav "$file"; says "why" "$file: .*$why"
done <<END
empty.wav is empty
short.wav too short
nothing.wav holds no samples
nan.wav NaN
text.wav not an audio file
gone.wav No such file
END
"$tool" wav silence.wav silence 24000 1 48000
run 0 "silence as reference" --json silence.wav a.wav
run 0 "silence as test" --json a.wav silence.wav
! grep -qi 'nan\|inf' out; result $? "all numbers are finite"
"$tool" wav nine.wav speech 384000 9 50000; run 0 "384 kHz, 9 channels" nine.wav a.wav
run 2 "no files" ; run 2 "three files" a.wav b.wav c.wav; run 2 "unknown option" --no-such a.wav b.wav
if [ -c /dev/full ]; then
    "$lac" eval a.wav b.wav >/dev/full 2>err; [ $? -eq 1 ]; result $? "full disk"; says "why" "No space left"
fi
echo "1..$count"
[ "$bad" -eq 0 ]
