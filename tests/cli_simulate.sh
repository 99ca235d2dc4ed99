#!/usr/bin/env bash
# lac simulate from outside: cli_simulate.sh LAC CLITOOL. Prints TAP. Works in a folder of its own.
lac=$(realpath "$1") tool=$(realpath "$2")
. "$(dirname "$0")/tap.sh"

simulate() { run "$1" "$2" "$lac" simulate "${@:3}"; }
number() { grep -o "\"$1\":[^,}]*" out | head -n 1 | sed 's/.*:[[:space:]]*//'; }
# within KEY LOW HIGH: the number of that key
within()
{
    local got
    got=$(number "$1")
    awk -v x="$got" -v a="$2" -v b="$3" 'BEGIN { exit !(x != "" && x + 0 >= a && x + 0 <= b) }'
    result $? "$1 is $2 to $3" "got '$got'"
}
absent() { [ ! -e "$1" ]; result $? "no $1 left behind"; rm -f "$1"; }
differs() { ! cmp -s "$2" "$3"; result $? "$1" "$2 and $3 are the same"; }

"$tool" wav a.wav speech 24000 1 48001 "A title"
"$tool" wav stereo.wav speech 44100 2 44100
"$tool" wav noise.wav speech 16000 2 12000
"$tool" wav silence.wav silence 24000 1 24000
"$tool" wav square.wav square 24000 1 72000
"$tool" wav one.wav square 24000 1 1
"$tool" wav empty.wav speech 24000 1 0
"$tool" wav slow.wav speech 7999 1 8000
"$tool" wav fast.wav speech 192001 1 8000
"$tool" wav bad.wav bad 24000 1 24000

# ---- help and usage
simulate 0 "--help" --help
grep -q "usage: lac simulate" out; result $? "tells the usage"
simulate 2 "no file"; says so "which file"
simulate 2 "no output" a.wav; says so "where to"
simulate 2 "two files" a.wav stereo.wav -o o.wav
simulate 2 "unknown option" --reverb a.wav -o o.wav
for o in "--t60 0.05" "--t60 2" "--t60 x" "--microphone 13" "--clip 41" "--opus 5000" "--opus 70000" "--opus x" \
    "--band 300" "--band :" "--band 10:" "--band :100" "--band 2000:600" "--band 300:3400:5" "--seed -1" \
    "--seed x" "--noise noise.wav" "--snr 10" "--noise noise.wav --snr -11" "--babble noise.wav" "--babble-snr 3" \
    "--opus-loss 0.1" "--opus 12000 --opus-loss 0.6" "--raw 8000"; do
    simulate 2 "$o" $o a.wav -o o.wav
done
simulate 2 "--json and standard output" --json a.wav -o -
simulate 2 "17 voices" $(printf -- '--babble noise.wav %.0s' $(seq 17)) --babble-snr 5 a.wav -o o.wav
absent o.wav

# ---- what can't be done
simulate 1 "no such file" none.wav -o o.wav
simulate 1 "no such noise" --noise none.wav --snr 5 a.wav -o o.wav
simulate 1 "empty noise" --noise empty.wav --snr 5 a.wav -o o.wav; says so "is silent"
simulate 1 "silent noise" --babble silence.wav --babble-snr 5 a.wav -o o.wav; says so "is silent"
simulate 1 "a rate too low" slow.wav -o o.wav; says so "7999"
simulate 1 "a rate too high" fast.wav -o o.wav
simulate 2 "an unknown ending" a.wav -o o.xyz
absent o.wav
cp a.wav keep.wav
simulate 1 "no overwriting" a.wav -o keep.wav; says so "exists"
simulate 1 "nor of the input" -f a.wav -o a.wav
same "left as it was" a.wav keep.wav
cp noise.wav hiss.wav
simulate 1 "nor of the noise" -f --noise hiss.wav --snr 5 a.wav -o hiss.wav; says so "is the input"
simulate 1 "nor of a voice" -f --babble a.wav --babble hiss.wav --babble-snr 5 a.wav -o hiss.wav; says so "is the input"
same "left as they were" noise.wav hiss.wav

# ---- what was asked
simulate 0 "nothing asked" a.wav -o same.wav
is "the same length" "$("$tool" header same.wav)" "$("$tool" header a.wav)"
tail -c 90000 a.wav >x; tail -c 90000 same.wav >y
same "the same samples" x y
grep -q "A title" same.wav; result $? "the title stays"
simulate 0 "all at once" --t60 0.4 --noise noise.wav --snr 12 --babble noise.wav --babble a.wav --babble-snr 15 \
    --microphone 5 --band 300:3400 --clip 10 --mulaw --opus 12000 --opus-loss 0.1 --seed 3 --json stereo.wav \
    -o all.flac
for k in rate_hz channels samples seed t60_s distance_m snr_db bandwidth_hz opus_loss; do
    grep -q "\"$k\":" out; result $? "json has $k"
done
within t60_s 0.3 0.5
within distance_m 0.5 3
within snr_db 10.2 10.3
within bandwidth_hz 3400 3400
within samples 44100 44100
within channels 2 2
within rate_hz 44100 44100
simulate 0 "negative SNR" --noise noise.wav --snr -10 --json a.wav -o loud.wav
within snr_db -10 -10
simulate 0 "an upper limit alone" --band :4000 --json a.wav -o narrow.wav
within bandwidth_hz 4000 4000
simulate 0 "a lower limit alone" --band 200: --json a.wav -o high.wav
within bandwidth_hz 12000 12000

# ---- the seed
simulate 0 "a room" --t60 0.5 a.wav -o r1.wav
simulate 0 "again" --t60 0.5 a.wav -o r2.wav
simulate 0 "another seed" --t60 0.5 --seed 4294967295 a.wav -o r3.wav
same "the same seed, the same bytes" r1.wav r2.wav
differs "another seed, another room" r1.wav r3.wav
simulate 0 "overwriting" -f --t60 0.5 --seed 1 a.wav -o r2.wav

# ---- pipes and raw samples
"$tool" raw speech 24000 1 48001 s16 >a.s16
"$lac" simulate --t60 0.5 --raw 24000:1:s16 - -o r4.wav <a.s16 2>err; result $? "raw from a pipe"
tail -c 90000 r1.wav >x; tail -c 90000 r4.wav >y; same "as from a file" x y
"$lac" simulate --t60 0.5 - -o - <a.wav >r5.wav 2>err; result $? "from standard input to standard output"
tail -c 90000 r5.wav >y; same "the same samples" x y

# ---- extremes
for f in silence square one empty bad; do
    simulate 0 "$f" --t60 0.3 --noise noise.wav --snr 0 --microphone 12 --band 2000: --clip 40 --mulaw --opus 6000 \
        --opus-loss 0.5 $f.wav -o x_$f.wav
    is "$f keeps its length" "$("$tool" header x_$f.wav | cut -d ' ' -f 1,2,4)" \
        "$("$tool" header $f.wav | cut -d ' ' -f 1,2,4)"
done
echo "1..$count"
[ "$bad" -eq 0 ]
