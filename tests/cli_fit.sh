#!/usr/bin/env bash
# lac fit from outside: cli_fit.sh LAC CLITOOL MODEL. Prints TAP. Works in a folder of its own.
lac=$(realpath "$1") tool=$(realpath "$2") model=$(realpath "$3")
fsq=$(dirname "$model")/tiny-fsq.lacm
. "$(dirname "$0")/tap.sh"
export OMP_WAIT_POLICY=passive
unset LAC_MODEL_PATH

# run STATUS NAME ARGUMENT...: lac fit's exit status; a message must go with each failure, nothing may be left over
run()
{
    local wanted=$1 name=$2 got
    shift 2
    timeout 120 "$lac" fit -m "$model" "$@" >out 2>err </dev/null
    got=$?
    if [ "$got" -ne "$wanted" ]; then
        result 1 "$name" "exit $got, not $wanted: $(head -n 1 err)"
    elif [ "$got" -ne 0 ] && ! grep -q '^lac' err; then
        result 1 "$name" "no message"
    elif ls -A | grep -q '^\.lac-'; then
        result 1 "$name" "left a temporary file"
        rm -f .lac-*
    else
        result 0 "$name"
    fi
}
says() { grep -q -- "$2" err; result $? "says: $1" "$2, got: $(head -n 1 err)"; }
json() { python3 -c "import json; r = json.load(open('out')); assert $2, r" 2>/dev/null; result $? "$1" "$2"; }
same() { cmp -s "$2" "$3"; result $? "$1" "$2 and $3 differ"; }
other() { ! cmp -s "$2" "$3"; result $? "$1" "$2 and $3 are the same"; }

mkdir -p voice/more empty
"$tool" wav a.wav speech 24000 1 240000
"$tool" wav voice/b.wav speech 16000 1 160000
"$tool" wav voice/more/c.wav speech 48000 2 240000
echo "no sound" >voice/notes.txt

# ---- adapting
run 0 "one file" -o one.lacm a.wav
[ ! -s out ] && [ ! -s err ]; result $? "silent in a pipe"
run 0 "again" -o again.lacm --name one -t 2 a.wav
same "threads change nothing" one.lacm again.lacm
run 0 "a folder" -o folder.lacm voice
run 0 "its files" -o files.lacm --name folder voice/b.wav voice/more/c.wav
same "a folder is its audio files" folder.lacm files.lacm
other "another corpus gives another model" one.lacm folder.lacm
"$lac" info one.lacm | grep -q '^model *one$'; result $? "named after the file"
"$lac" encode -m one.lacm a.wav a.lac; result $? "the model codes"
"$lac" decode -m one.lacm a.lac a2.wav; result $? "and decodes"
! "$lac" decode -f -m "$model" a.lac a3.wav 2>/dev/null; result $? "the model it came from does not"
(cd empty && "$lac" fit -m "$model" ../a.wav && [ -s ./*-fit.lacm ]); result $? "named after the model without -o"
run 1 "the output is there" -o one.lacm a.wav
says "how to overwrite" "-f overwrites"
run 0 "overwritten" -f -o one.lacm --prior 1000000 a.wav

if command -v python3 >/dev/null; then
    run 0 "report" --json -f -o one.lacm a.wav
    json "has both sides" "len(r['before']['stages']) == len(r['after']['stages']) > 0 and r['held_out']"
    json "counts" "r['files'] == 1 and r['failed'] == 0 and abs(r['seconds'] - 10) < .1"
    json "error falls" "r['after']['stages'][-1]['distortion'] < r['before']['stages'][-1]['distortion']"
    json "id" "len(r['id']) >= 16 and r['name'] == 'one'"
fi

# ---- from nothing
run 0 "fresh" --fresh --stages 2 --codewords 16 -f -o fresh.lacm a.wav
run 0 "another seed" --fresh --stages 2 --codewords 16 --seed 2 --name fresh -f -o seed.lacm a.wav
other "the seed counts" fresh.lacm seed.lacm
run 0 "one codebook" --fresh --kind vq --codewords 32 -f -o vq.lacm a.wav voice
"$lac" encode -f -m vq.lacm a.wav a.lac && "$lac" decode -f -m vq.lacm a.lac a2.wav; result $? "it codes"
run 1 "too few frames" --fresh --codewords 4096 -f -o fresh.lacm a.wav
says "how many there are" "frames are too few for 4096 codewords"

# ---- scalar quantisers
run 0 "fresh scalars" --fresh --kind fsq --stages 2 --levels 3,4 -f -o scalar.lacm a.wav
"$lac" encode -f -m scalar.lacm a.wav a.lac && "$lac" decode -f -m scalar.lacm a.lac a2.wav; result $? "they code"
run 0 "the usual levels" --fresh --kind fsq --stages 1 -f -o usual.lacm a.wav
vq=$model model=$fsq
run 0 "a model of scalars" -f -o fsq.lacm voice
run 0 "again, with a state and threads" --state fsq.state --name fsq -t 2 -f -o fsq2.lacm voice
same "they change nothing" fsq.lacm fsq2.lacm
run 0 "going on" --state fsq.state --name fsq -f -o fsq2.lacm voice
same "from the end" fsq.lacm fsq2.lacm
run 1 "with another prior" --state fsq.state --prior 5 -f -o fsq2.lacm voice
"$lac" encode -f -m fsq.lacm a.wav a.lac && "$lac" decode -f -m fsq.lacm a.lac a2.wav; result $? "the model codes"
run 0 "its levels, afresh" --fresh --kind fsq -f -o fsq2.lacm a.wav
if command -v python3 >/dev/null; then
    run 0 "report of scalars" --json -f -o fsq2.lacm a.wav
    json "its error falls" "r['after']['stages'][-1]['distortion'] < r['before']['stages'][-1]['distortion']"
fi
model=$vq

# ---- states
run 0 "with a state" --state state -o state.lacm --name folder voice
same "a state changes nothing" state.lacm folder.lacm
run 0 "all done" --state state -f -o state.lacm --name folder voice
same "going on from the end" state.lacm folder.lacm
run 1 "another corpus" --state state -f -o state.lacm a.wav
says "what is wrong" "other files"
run 1 "other options" --state state --prior 3 -f -o state.lacm voice
for at in 3 20 70 1000 20000; do
    cp state damaged
    "$tool" flip damaged $at
    run 1 "state damaged at byte $at" --state damaged -f -o damaged.lacm voice
done
head -c 5000 state >damaged
run 1 "state cut" --state damaged -f -o damaged.lacm voice
[ ! -e damaged.lacm ]; result $? "no model from a damaged state"

# ---- interrupted while reading or fitting
rm -f state
(timeout -s INT 0.4 "$lac" fit -m "$model" --state state -f -o cut.lacm --name folder voice) 2>/dev/null
[ ! -e .lac-?????? ]; result $? "nothing left of an interrupted fit"
run 0 "goes on" --state state -f -o cut.lacm --name folder voice
same "to the same model" cut.lacm folder.lacm

# ---- faults
rm -f x.lacm
run 1 "one file of two is missing" -o x.lacm nothing.wav a.wav
says "which" "nothing.wav"
[ -s x.lacm ]; result $? "the other one counts"
run 1 "not audio" -f -o x.lacm voice/notes.txt a.wav
says "which" "notes.txt"
rm -f x.lacm
run 1 "no audio at all" -o x.lacm nothing.wav
run 1 "an empty folder" -o x.lacm "$(mkdir -p none && echo none)"
says "it is empty" "no audio files"
"$tool" wav short.wav speech 24000 1 100
run 1 "shorter than a frame" -o x.lacm short.wav
says "nothing to fit to" "nothing to fit to"
[ ! -e x.lacm ]; result $? "no model from nothing"
run 1 "no such folder for the output" -o missing/x.lacm a.wav
if [ -e /dev/full ]; then
    run 1 "disk full" -f -o /dev/full a.wav
    says "why" "space"
fi
run 1 "no such model" -m nothing.lacm -o x.lacm a.wav

# ---- usage
run 2 "no input"
run 2 "stages without --fresh" --stages 2 a.wav
run 2 "codewords without --fresh" --codewords 16 a.wav
run 2 "a prior with --fresh" --fresh --prior 3 a.wav
run 2 "two stages of one codebook" --fresh --kind vq --stages 2 a.wav
run 2 "levels without their kind" --fresh --levels 4,4 a.wav
run 2 "codewords of scalars" --fresh --kind fsq --codewords 16 a.wav
run 2 "scalars without --fresh" --kind fsq a.wav
for levels in 1,4 4, ,4 65 4,x 64,64,2 2,2,2,2,2,2,2,2,2,2,2,2,2 -4; do
    run 2 "levels $levels" --fresh --kind fsq --levels=$levels a.wav
done
run 2 "unknown kind" --fresh --kind pq a.wav
run 2 "name with a slash" --name a/b a.wav
run 2 "name with a space" --name "a b" a.wav
run 2 "model and report in one" --json -o - a.wav
run 2 "prior out of range" --prior 1048577 a.wav
run 2 "no number" --seed x a.wav
echo "1..$count"
[ "$bad" -eq 0 ]
