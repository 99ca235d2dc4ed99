#!/usr/bin/env bash
# lac factors, compare and plot from outside: cli_factors.sh LAC CLITOOL MODEL FACTORMODEL. Prints TAP. Works in a folder
# of its own.
lac=$(realpath "$1") tool=$(realpath "$2") model=$(realpath "$3") factors=$(realpath "$4")
. "$(dirname "$0")/tap.sh"
unset LAC_MODEL_PATH

with=(--codec "$model" -m "$factors")
factors_() { "$lac" factors "${with[@]}" "$@"; }
compare_() { "$lac" compare "${with[@]}" "$@"; }
absent() { [ ! -e "$1" ]; result $? "no $1 left behind"; rm -f "$1"; }
# number FILE KEY: the number, or the first of the array, under KEY
number() { grep -o "\"$2\":\[*[-0-9.e+]*" "$1" | head -n 1 | sed 's/.*[:[]//'; }
# most NAME VALUE LIMIT, least NAME VALUE LIMIT
most() { awk -v a="$2" -v b="$3" 'BEGIN { exit !(a != "" && a + 0 <= b + 0) }'; result $? "$1" "'$2' is above $3"; }
least() { awk -v a="$2" -v b="$3" 'BEGIN { exit !(a != "" && a + 0 >= b + 0) }'; result $? "$1" "'$2' is below $3"; }
finite() { ! grep -qi 'nan\|inf[^o]\|null' "$1"; result $? "$2: all numbers are finite"; }

# ---- help and usage
for c in factors compare plot; do
    run 0 "lac $c --help" "$lac" $c --help
    grep -q "usage: lac $c" out; result $? "tells the usage"
    run 2 "lac $c: unknown option" "$lac" $c --no-such-option
    run 2 "lac $c without a file" "$lac" $c
done
"$tool" wav a.wav speech 24000 1 100000; "$tool" wav s.wav speech 44100 2 90001; "$tool" wav empty.wav speech 8000 1 0
"$tool" wav silence.wav silence 16000 1 48000; "$tool" wav square.wav square 48000 2 144000
"$tool" wav short.wav speech 24000 1 2400; "$tool" wav bad.wav bad 24000 1 48000
for f in a s empty; do "$lac" encode -m "$model" $f.wav $f.lac; done
run 2 "compare one file" "$lac" compare "${with[@]}" a.wav
run 2 "plot without -o" "$lac" plot "${with[@]}" a.wav; says "so" "where to"
run 2 "plot two files" "$lac" plot "${with[@]}" -o p.png a.wav s.wav
run 2 "a part of a map" "$lac" plot "${with[@]}" --map --start 1 -o p.png a.wav
run 2 "plot too long a part" "$lac" plot "${with[@]}" --duration 601 -o p.png a.wav; absent p.png
run 2 "no jobs" "$lac" factors -j 0 a.wav
run 2 "channel 0" "$lac" factors --channel 0 a.wav
run 2 "--json and -o" "$lac" factors --json -o out a.wav
run 2 "--resume without -o" "$lac" factors --resume a.wav
run 2 "-o -" "$lac" factors -o - a.wav
run 2 "several inputs to a file" "$lac" factors "${with[@]}" -o x.npz a.wav s.wav; absent x.npz
run 2 "standard input twice" "$lac" compare "${with[@]}" - -
run 1 "no such model" "$lac" factors --codec "$model" -m nowhere a.wav; says "which" "nowhere: no such factor model"
run 1 "a codec model as factor model" "$lac" factors --codec "$model" -m "$model" a.wav; says "so" "is not a factor model"
run 1 "latents of another model" "$lac" factors -m "$factors" --codec "${model%.lacm}-fsq.lacm" a.wav
says "so" "latents of another encoder"

# ---- JSON, for any input
for f in a s empty silence square short bad; do
    run 0 "$f.wav" "$lac" factors "${with[@]}" --json $f.wav
    cp out $f.json
    finite $f.json $f
    is "one line" "$(wc -l <out)" 1
done
for k in path factor_model factor_model_id latent_id source sample_rate duration_s frames frame_rate_hz content_rate_hz \
         phone_symbols phone_text speaker content phones f0_hz f0_median_hz voicing energy_db style environment channel \
         snr_db t60_s bandwidth_hz codec confidence speech_s; do
    grep -q "\"$k\":" a.json; result $? "json has $k"
done
is "a frame for each 20 ms begun" "$(number a.json frames)" 209
is "of 100 ms" "$(number short.json frames)" 5
is "none of nothing" "$(number empty.json frames)" 0
is "nothing is surely said by nobody" "$(number empty.json confidence)" 0
least "silence has a confidence" "$(number silence.json confidence)" 0
most "100 ms say little about the speaker" "$(number short.json confidence)" 0.5
is "its rate is told" "$(number s.json sample_rate)" 44100
is "its channels too" "$(number s.json audio_channels)" 2
run 0 "a line for each of several" "$lac" factors "${with[@]}" a.wav short.wav
is "and a head" "$(wc -l <out)" 3

# ---- ways in
factors_ --json - <a.wav | sed 's/"path":"-"/"path":"a.wav"/' >p.json; same "standard input" a.json p.json
cat a.wav | factors_ --json - | sed 's/"path":"-"/"path":"a.wav"/' >p.json; same "a pipe" a.json p.json
tail -c +45 a.wav | factors_ --json --raw 24000:1:s16 - | sed 's/"path":"-"/"path":"a.wav"/' >p.json
same "a pipe without a header" a.json p.json
factors_ --json a.lac >lac.json; finite lac.json "a .lac file"
grep -q '"source":"tokens"' lac.json; result $? "its tokens are used"
is "as many frames as of the sound" "$(number lac.json frames)" 209
cat a.lac | factors_ --json - | sed 's/"path":"-"/"path":"a.lac"/' >p.json; same "a .lac file through a pipe" lac.json p.json
factors_ --json <(cat a.lac) >p.json 2>err; grep -q '"frames"' p.json || factors_ --json s.lac >p.json
factors_ --json s.lac >p.json; grep -q '"source":"decoded"' p.json; result $? "two channels are decoded and mixed"
is "as many frames" "$(number p.json frames)" "$(number s.json frames)"
factors_ --json --channel 2 s.lac >p.json; grep -q '"source":"tokens"' p.json; result $? "one of them is not"
factors_ --json --channel 1 s.wav >p.json
[ "$(number p.json speaker)" != "$(number s.json speaker)" ]; result $? "one channel is not the mixture"
run 1 "a channel that is not there" "$lac" factors "${with[@]}" --channel 3 s.wav; says "how many there are" "has 2 channels"
run 1 "nor in a .lac file" "$lac" factors "${with[@]}" --channel 2 a.lac; says "so" "has 1 channel"
run 0 "an empty .lac file" "$lac" factors "${with[@]}" --json empty.lac; finite out "it"

# ---- bad files
: >nothing.wav; echo text >text.wav; head -c 100000 a.wav >cut.wav; head -c 300 a.lac >cut.lac
cp a.lac flipped.lac; "$tool" flip flipped.lac 150
run 1 "an empty file" "$lac" factors "${with[@]}" nothing.wav; says "so" "nothing.wav: is empty"
run 1 "text" "$lac" factors "${with[@]}" text.wav; says "which" "text.wav"
run 1 "no file" "$lac" factors "${with[@]}" missing.wav; says "so" "No such file"
run 0 "a WAV file that is cut off" "$lac" factors "${with[@]}" --json cut.wav; finite out "it"
run 3 "a .lac file that is cut off" "$lac" factors "${with[@]}" --json cut.lac; finite out "it"; says "so" "cut off"
run 3 "a damaged one" "$lac" factors "${with[@]}" --json flipped.lac; says "so" "damaged"
is "keeps its frames" "$(number out frames)" 209

# ---- two voices at once, and one more
if command -v sox >/dev/null && command -v espeak-ng >/dev/null; then
    espeak-ng -v en-us -p 30 -w v1.wav "The first of the two speakers says this sentence at some length."
    espeak-ng -v en-us+f3 -p 80 -w v2.wav "Somebody else talks at the same time about other things."
    sox -m v1.wav v2.wav both.wav 2>/dev/null
    run 0 "two voices mixed" "$lac" factors "${with[@]}" --json both.wav; finite out "they"
    least "have a confidence" "$(number out confidence)" 0; most "of at most 1" "$(number out confidence)" 1
else
    skip "two voices mixed" "no sox or espeak-ng"
fi

# ---- files of arrays
run 0 "-o" "$lac" factors "${with[@]}" -o one.npz a.wav
run 1 "again" "$lac" factors "${with[@]}" -o one.npz a.wav; says "so" "exists"
cp one.npz first.npz; run 0 "-f" "$lac" factors "${with[@]}" -f -o one.npz a.wav; same "the same again" one.npz first.npz
mkdir -p in/deep; cp a.wav in/x.wav; cp s.lac in/deep/y.lac; cp short.wav in/deep/z.wav; cp square.wav in/w.wav
run 0 "a folder" "$lac" factors "${with[@]}" -j 1 -o tree in
for f in x deep/y deep/z w; do [ -s tree/$f.npz ]; result $? "tree/$f.npz"; done
same "its files keep their places" tree/x.npz one.npz
run 0 "by three threads" "$lac" factors "${with[@]}" -j 3 -o tree3 in
diff -r tree tree3 >err; result $? "the same files"
factors_ -j 1 --json in >lines1; factors_ -j 3 --json in >lines3; same "lines in the same order" lines1 lines3
run 1 "again" "$lac" factors "${with[@]}" -o tree in
is "each is told" "$(grep -c exists err)" 4
rm tree/x.npz tree/deep/y.npz
run 0 "--resume" "$lac" factors "${with[@]}" --resume -o tree in; says "how many were there" "2 of 4 were complete"
diff -r tree tree3 >err; result $? "and the rest is done"
head -c 1000 tree3/x.npz >tree/x.npz
run 1 "--resume of what is damaged" "$lac" factors "${with[@]}" --resume -o tree in; says "which" "tree/x.npz"
run 0 "with -f" "$lac" factors "${with[@]}" --resume -f -o tree in; same "is done again" tree/x.npz tree3/x.npz
cp text.wav in/bad.wav
run 1 "one bad file" "$lac" factors "${with[@]}" -j 2 -o tree4 in; says "which" "in/bad.wav"
is "the others are there" "$(find tree4 -name '*.npz' | wc -l)" 4; rm in/bad.wav
cp a.wav in/x.flac; run 1 "two inputs of one name" "$lac" factors "${with[@]}" -o tree5 in; says "so" "two inputs"
absent tree5; rm in/x.flac; mkdir hollow; run 1 "an empty folder" "$lac" factors "${with[@]}" hollow; says "so" "holds no"
if python3 -c 'import numpy' 2>/dev/null; then
    cat >check.py <<'END2'
import json, numpy
z, j = numpy.load('one.npz', allow_pickle=False), json.load(open('a.json'))
shapes = {'speaker': (192,), 'environment': (32,), 'channel': (32,), 'style': (8,), 'codec': (4,)}
frames, tokens = j['frames'], -(-j['frames'] * j['content_rate_hz'] // j['frame_rate_hz'])
for name in 'f0_hz', 'voicing', 'energy_db':
    shapes[name] = (frames,)
shapes['content'] = shapes['phones'] = (tokens,)
for name in z.files:
    value = z[name].tolist()
    assert z[name].shape == shapes.get(name, z[name].shape), name
    same = value == j[name] if z[name].dtype.kind == 'U' else numpy.array_equal(z[name], numpy.array(j[name], z[name].dtype))
    assert same, name
assert set(j) - set(z.files) == {'path', 'frames', 'phone_text'}
assert abs(float((z['speaker'] ** 2).sum()) - 1) < 1e-3
assert z['content_rate_hz'] in (25, 50) and z['frame_rate_hz'] == 50 and z['phone_symbols'][0] == ''
assert 0 <= z['confidence'] <= 1 and z['voicing'].min() >= 0 and z['voicing'].max() <= 1
arrays = dict(z)
numpy.savez_compressed('squeezed.npz', **arrays)
def spoil(name, **changed):
    numpy.savez(name + '.npz', **{k: v for k, v in {**arrays, **changed}.items() if v is not None})
spoil('other', factor_model_id=numpy.array('0' * 32))
spoil('nan', f0_hz=numpy.full(frames, numpy.nan, 'f4'))
spoil('long', content=numpy.zeros(int(tokens) + 1, 'u2'))
spoil('large', content=numpy.full(int(tokens), 60000, 'u2'))
spoil('wrong', speaker=numpy.full(192, 0.5, 'f4'))
spoil('without', phones=None)
spoil('pickled', speaker=numpy.array([{}], object))
END2
    python3 check.py 2>err; result $? "numpy reads what is written, and JSON holds the same"
    run 0 "numpy's compressed file" "$lac" compare "${with[@]}" --json squeezed.npz a.wav
    is "is the same" "$(number out style_distance)" 0
    while read -r file why; do
        run 1 "compare $file" "$lac" compare "${with[@]}" a.wav $file.npz; says "why" "$file.npz: .*$why"
    done <<'END2'
other holds factors of the model
nan f0_hz.npy holds
long content.npy has
large frame 0
wrong unit vector
without no array 'phones'
pickled speaker.npy is an array of a type
END2
else
    skip "numpy reads what is written" "no numpy"
fi

# ---- compare
run 0 "compare" "$lac" compare "${with[@]}" --json a.wav one.npz
for k in a b speaker_cosine same_speaker_probability style_distance content_distance environment_distance \
         channel_distance phones_a phones_b snr_db_a snr_db_b t60_s_a t60_s_b bandwidth_hz_a bandwidth_hz_b; do
    grep -q "\"$k\":" out; result $? "json has $k"
done
least "a file is like itself" "$(number out speaker_cosine)" 0.9999
for k in style_distance content_distance environment_distance channel_distance; do is "$k" "$(number out $k)" 0; done
compare_ --json a.wav s.wav >ab; compare_ --json s.wav a.wav >ba
for k in speaker_cosine same_speaker_probability style_distance content_distance environment_distance channel_distance; do
    is "$k is the same both ways" "$(number ab $k)" "$(number ba $k)"
done
run 0 "with nothing" "$lac" compare "${with[@]}" --json a.wav empty.wav; finite out "it"
is "nobody knows" "$(number out same_speaker_probability)" 0.5
run 0 "one with many" "$lac" compare "${with[@]}" --json -j 3 a.wav tree; is "a line each" "$(wc -l <out)" 4
run 0 "as a table" "$lac" compare "${with[@]}" a.wav tree; is "with a head" "$(wc -l <out)" 5
run 1 "one of many is bad" "$lac" compare "${with[@]}" --json a.wav text.wav s.wav; is "the others are told" "$(wc -l <out)" 1
run 1 "A is bad" "$lac" compare "${with[@]}" --json text.wav a.wav s.wav; is "nothing is" "$(wc -l <out)" 0
cp text.wav text.npz; head -c 4000 one.npz >cut.npz
for f in text cut; do run 1 "$f.npz" "$lac" compare "${with[@]}" a.wav $f.npz; says "why" "$f.npz: is not a zip"; done

# ---- plot
png() { [ "$(head -c 8 "$1" | od -An -tx1 | tr -d ' \n')" = 89504e470d0a1a0a ]; result $? "$1 is a picture"; }
run 0 "plot" "$lac" plot "${with[@]}" -o a.png a.wav; png a.png
run 1 "again" "$lac" plot "${with[@]}" -o a.png a.wav; says "so" "exists"
run 0 "with -f" "$lac" plot "${with[@]}" -f -o b.png a.wav; same "the same again" a.png b.png
for f in a.lac s.wav silence.wav short.wav flipped.lac; do
    wanted=0; [ $f = flipped.lac ] && wanted=3
    run $wanted "plot $f" "$lac" plot "${with[@]}" -f -o b.png $f; png b.png
done
run 0 "a part" "$lac" plot "${with[@]}" -f --start 1.5 --duration 0.5 -o b.png a.wav; png b.png
cat a.wav | "$lac" plot "${with[@]}" -f -o b.png - 2>err; result $? "of standard input"; png b.png
run 1 "behind the end" "$lac" plot "${with[@]}" -f --start 100 -o c.png a.wav; says "so" "nothing to draw"; absent c.png
run 1 "of nothing" "$lac" plot "${with[@]}" -f -o c.png empty.wav; absent c.png
run 0 "a map" "$lac" plot "${with[@]}" --map -o m1.png -j 1 in; png m1.png
run 0 "by three threads" "$lac" plot "${with[@]}" --map -o m3.png -j 3 in; same "the same" m1.png m3.png
run 0 "of files of factors" "$lac" plot "${with[@]}" --map -o m4.png tree; png m4.png
run 0 "of one" "$lac" plot "${with[@]}" --map -o m5.png a.wav; png m5.png
run 1 "of nobody" "$lac" plot "${with[@]}" --map -o m6.png empty.wav; says "so" "holds no speech"; absent m6.png

# ---- info
run 0 "info of a factor model" "$lac" info --json "$factors"
for k in factor_model factor_model_id latent_id content_tokens content_rate_hz speaker_size mmacs_analyser \
         mmacs_generator model_bytes sampled_voices; do grep -q "\"$k\":" out; result $? "json has $k"; done

# ---- without options
"$lac" info --json >out 2>err
if grep -q '"factor_model":[^,]*null' out; then
    run 1 "no factor model is built in" "$lac" factors a.wav; says "so" "none is built in"
else
    run 0 "the built-in models" "$lac" factors --json a.wav; finite out "they"
    run 0 "of silence" "$lac" factors --json silence.wav; finite out "it"
    most "hardly anybody speaks" "$(number out confidence)" 0.3
fi

# ---- bench
run 0 "bench factors" "$lac" bench factors "${with[@]}" --json short.wav; finite out "it"
for k in factors_xrt synthesis_xrt analyser_xrt generator_xrt analyser_to_encoder generator_to_encoder; do
    grep -q "\"$k\":" out; result $? "json has $k"
done
run 2 "of two files" "$lac" bench factors "${with[@]}" a.wav s.wav
run 0 "bench factors --help" "$lac" bench factors --help

# ---- hours, in bounded memory
if [ -n "$LAC_TEST_LONG" ]; then
    head -c $((3 * 3600 * 16000)) /dev/zero | (ulimit -v 1000000; factors_ --raw 8000:1:s16 -o hours.npz -) 2>err
    result $? "three hours within a gigabyte"
else
    skip "three hours within a gigabyte" "LAC_TEST_LONG is not set"
fi
echo "1..$count"
[ "$bad" -eq 0 ]
