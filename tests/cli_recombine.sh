#!/usr/bin/env bash
# lac recombine from outside: cli_recombine.sh LAC CLITOOL MODEL FACTORMODEL VOICES, the last a factor model that
# samples. Prints TAP. Works in a folder of its own.
lac=$(realpath "$1") tool=$(realpath "$2") model=$(realpath "$3") factors=$(realpath "$4") voices=$(realpath "$5")
. "$(dirname "$0")/tap.sh"
unset LAC_MODEL_PATH

with=(--codec "$model" -m "$factors")
re() { "$lac" recombine "${with[@]}" "$@"; }
absent() { [ ! -e "$1" ]; result $? "no $1 left behind"; rm -f "$1"; }
# number FILE KEY: the first number under KEY
number() { grep -o "\"$2\":[[:space:]]*[-0-9.e+]*" "$1" | head -n 1 | sed 's/.*[:[:space:]]//'; }
has() { grep -q -- "$2" "$1"; result $? "$1 has $2"; }
# near NAME WAV WAV: but for the phase of pulses, which a .lac file rounds at each page
near() { awk -v d="$("$tool" differ "$2" "$3")" 'BEGIN { exit !(d >= 0 && d < 200) }'; result $? "$1" "differ"; }
differs() { ! cmp -s "$2" "$3"; result $? "$1" "$2 and $3 are the same"; }

"$tool" wav a.wav speech 24000 1 100000; "$tool" wav s.wav speech 44100 2 90001
"$tool" wav empty.wav speech 8000 1 0
"$tool" wav silence.wav silence 16000 1 48000; "$tool" wav square.wav square 48000 1 96000
"$tool" wav short.wav speech 24000 1 2400
if command -v espeak-ng >/dev/null; then
    espeak-ng -v en-us -p 30 -w one.wav "What the first one says is heard by the voice of the second."
    espeak-ng -v en-us+f3 -p 80 -s 240 -w two.wav "The other one says something else, and says it faster."
else
    cp a.wav one.wav; cp s.wav two.wav
fi
"$lac" encode -m "$model" two.wav two.lac; "$lac" factors "${with[@]}" -o one.npz one.wav 2>err

# ---- help and usage
run 0 "lac recombine --help" "$lac" recombine --help; grep -q "usage: lac recombine" out
result $? "tells the usage"
run 2 "without anything" "$lac" recombine; says "so" "which --content"
run 2 "without -o" "$lac" recombine --content a.wav; says "so" "where to"
while read -r why args; do
    run 2 "$args" "$lac" recombine --content a.wav -o x.wav $args; says "why" "${why//_/ }"
done <<'END'
what_is b.wav
names_no_format -o x.txt
either_--json_or --json -o -
no_such_thing --style sampled
no_such_thing --style neutral
no_such_thing --speaker neutral
not_speaker,_style --mix voice=1
not_speaker,_style --mix speaker
not_speaker,_style --mix speaker=1.5 --speaker two.wav
not_speaker,_style --mix speaker=nan --speaker two.wav
not_speaker,_style --mix speaker=0.5x --speaker two.wav
needs_--speaker --mix speaker=0.5
needs_--speaker_sampled --voice pitch=1
not_pitch,_formants --voice pitch --speaker sampled
not_pitch,_formants --voice pitch=4 --speaker sampled
not_pitch,_formants --voice pitch=1,loud=2 --speaker sampled
in_semitones --pitch 25
in_semitones --pitch -24.1
in_semitones --pitch --3
median_pitch --median 49
range_of_pitch --range -1
range_of_pitch --range 4.1
speed --rate 0.4
speed --rate 2.1
in_dB --energy 21
deviation --noise 2.1
cosine --largest-cosine 1.1
not_a_whole_number --seed -1
not_a_whole_number --seed 4294967296
not_a_whole_number --audio-channel 0
threads_are -t 0
a_rate_is -r 0
for_-o_- --lac
END
absent x.wav
run 2 "standard input twice" "$lac" recombine "${with[@]}" --content - --speaker - -o x.wav; absent x.wav
run 2 "a bit rate that is none" "$lac" recombine "${with[@]}" --content a.wav -b 77 -o x.lac; absent x.lac

# ---- one clip
run 0 "nothing is changed" "$lac" recombine "${with[@]}" --content one.wav -o own.lac
run 0 "its sound" "$lac" recombine "${with[@]}" --content one.wav -o own.wav
"$lac" decode -m "$model" -r 24000 own.lac decoded.wav 2>err
near "is that of its tokens" own.wav decoded.wav
is "as long as the content" "$("$tool" header own.wav | cut -d' ' -f 4)" \
    "$("$tool" header one.wav | awk '{ printf "%d", int($4 / $2 * 24000 + 0.5) }')"
run 0 "by its own factors, from everywhere" "$lac" recombine "${with[@]}" --content one.wav --speaker one.npz \
    --style one.wav --environment one.npz --channel one.wav --mix speaker=0.3 --mix channel=0.7 -o self.lac
same "it is the same" own.lac self.lac
run 0 "from its factors alone" "$lac" recombine "${with[@]}" --content one.npz -o npz.lac
same "it is the same" own.lac npz.lac
run 0 "by another's voice" "$lac" recombine "${with[@]}" --content one.wav --speaker two.lac --json -o swap.lac
differs "it is another" own.lac swap.lac
for k in output synthetic duration_s rate_hz samples sources factors weight f0_median_hz seed noise models codec \
         version speaker_cosine content_speaker_cosine content_distance snr_db; do has out "\"$k\":"; done
! grep -qi 'nan\|inf[^o]' out; result $? "all numbers are finite"
is "the seed is told" "$(number out seed)" 0
is "the rate" "$(number out rate_hz)" 24000
run 0 "mixed by nothing" "$lac" recombine "${with[@]}" --content one.wav --speaker two.lac --mix speaker=0 \
    -o mix0.lac
same "it is the content's" own.lac mix0.lac
run 0 "mixed by all" "$lac" recombine "${with[@]}" --content one.wav --speaker two.lac --mix speaker=1 -o mix1.lac
same "it is the other's" swap.lac mix1.lac
for f in style environment channel; do
    run 0 "another $f" "$lac" recombine "${with[@]}" --content one.wav --$f two.wav -o $f.lac
    differs "is heard" own.lac $f.lac
done

# ---- seeds, threads, blocks
run 0 "another seed" "$lac" recombine "${with[@]}" --content one.wav --seed 7 -o seed.lac
differs "is another" own.lac seed.lac
run 0 "it is told" "$lac" recombine "${with[@]}" --content one.wav --seed 7 --json -f -o seed2.lac
is "which" "$(number out seed)" 7; same "and the same again" seed.lac seed2.lac
run 0 "no noise" "$lac" recombine "${with[@]}" --content one.wav --noise 0 -o still.lac
differs "is another" own.lac still.lac
run 0 "three threads" "$lac" recombine "${with[@]}" -t 3 --content one.wav --speaker two.lac -o threads.lac
same "make the same" swap.lac threads.lac
re -t 3 --content one.wav -o threads.wav; same "also as audio" own.wav threads.wav

# ---- style
run 0 "twice as fast" "$lac" recombine "${with[@]}" --content one.wav --rate 2 --json -o fast.npz
is "takes half the time" "$(awk -v f="$(number out duration_s)" -v a="$(re --content one.wav --json -f -o x.npz |
    grep duration_s | grep -o '[0-9.]*')" 'BEGIN { print (f > a / 2 - 0.03 && f < a / 2 + 0.03) }')" 1
run 0 "higher, wider, slower, louder" "$lac" recombine "${with[@]}" --content one.wav --pitch 3 --range 1.5 \
    --rate 0.8 --energy -3.5 --json -o style.wav
for pair in pitch_semitones:3 range:1.5 rate:0.8 energy_db:-3.5; do
    is "$pair" "$(number out ${pair%:*})" ${pair#*:}
done
run 0 "a median" "$lac" recombine "${with[@]}" --content one.wav --speaker two.wav --median 123 -o median.npz
run 0 "lower by an octave" "$lac" recombine "${with[@]}" --content one.wav --pitch -12 -o low.npz
if python3 -c 'import numpy' 2>/dev/null; then
    "$lac" factors "${with[@]}" -o two.npz two.lac 2>err
    run 0 "all from another" "$lac" recombine "${with[@]}" --content one.wav --speaker two.lac \
        --environment two.lac --channel two.lac -o all.npz
    run 0 "its own factors" "$lac" recombine "${with[@]}" --content one.wav -o self.npz
    cat >check.py <<'END'
import numpy
one, two, own, all_, fast, median, low = (numpy.load(n + '.npz') for n in
                                          ('one', 'two', 'self', 'all', 'fast', 'median', 'low'))
told = {'source', 'sample_rate', 'audio_channels', 'audio_channel', 'duration_s'}
assert all(numpy.array_equal(one[n], own[n]) for n in set(one.files) - told), 'own factors are those of the sound'
assert str(own['source']) == 'recombined'
for n in 'speaker', 'environment', 'channel', 'snr_db', 't60_s', 'bandwidth_hz', 'codec':
    assert numpy.array_equal(all_[n], two[n]), n
assert numpy.array_equal(all_['content'], one['content'])
if one['f0_median_hz'] > 0 and two['f0_median_hz'] > 0:
    assert abs(12 * numpy.log2(all_['f0_median_hz'] / two['f0_median_hz'])) < 2
    assert abs(12 * numpy.log2(median['f0_median_hz'] / 123)) < 2
frames = len(one['f0_hz'])
assert abs(len(fast['f0_hz']) - frames / 2) <= 1
assert len(fast['content']) == -(-len(fast['f0_hz']) // round(float(50 / one['content_rate_hz'])))
voiced = one['f0_hz'] > 0
assert numpy.allclose(low['f0_hz'][voiced], numpy.clip(one['f0_hz'][voiced] / 2, 50, 600), rtol=1e-5)
assert numpy.array_equal(low['f0_hz'] > 0, voiced)
END
    python3 check.py 2>err; result $? "factors are what was asked"
    run 0 "factors are a source again" "$lac" recombine "${with[@]}" --content all.npz --json -o again.lac
    re --content one.wav --speaker two.lac --environment two.lac --channel two.lac -o direct.lac
    same "and the same sound" direct.lac again.lac
else
    skip "factors are what was asked" "no numpy"
fi

# ---- sampled and neutral
run 1 "a model that samples nothing" "$lac" recombine "${with[@]}" --content one.wav --speaker sampled -o x.wav
says "so" "can't tell what a sampled speaker is"; absent x.wav
run 1 "nor knows a dry place" "$lac" recombine "${with[@]}" --content one.wav --environment neutral -o x.wav
absent x.wav
new=(--codec "$model" -m "$voices" --content one.wav)
run 0 "a new voice" "$lac" recombine "${new[@]}" --speaker sampled --largest-cosine 1 --json -o new.lac
has out nearest_cosine
cp out told; run 0 "again" "$lac" recombine "${new[@]}" --speaker sampled --largest-cosine 1 -o new2.lac
same "the same" new.lac new2.lac
run 0 "of another seed" "$lac" recombine "${new[@]}" --speaker sampled --largest-cosine 1 --seed 1 -o new3.lac
differs "another" new.lac new3.lac
run 0 "with attributes" "$lac" recombine "${new[@]}" --speaker sampled --largest-cosine 1 \
    --voice pitch=1,formants=-0.5 -o new4.lac
differs "another" new.lac new4.lac
run 1 "too far from everybody" "$lac" recombine "${new[@]}" --speaker sampled --largest-cosine -1 -o x.wav
says "so" "far enough"; absent x.wav
run 0 "neutral surroundings" "$lac" recombine "${new[@]}" --environment neutral --channel neutral --json -o dry.lac
is "they are told" "$(grep -c '"neutral"' out)" 2
run 0 "drawn ones" "$lac" recombine "${new[@]}" --environment sampled --channel sampled --json -o drawn.lac
is "they are told" "$(grep -c '"sampled"' out)" 2
run 0 "half a new voice" "$lac" recombine "${new[@]}" --speaker sampled --largest-cosine 1 --mix speaker=0.5 \
    -o half.lac
differs "is another" new.lac half.lac

# ---- ways out
"$lac" info own.lac >facts 2>err; has facts "^SYNTHETIC  *1"; has facts "^COMMENT  *synthetic speech"
has facts "^SEED  *0"
for f in own.wav own.flac own.ogg own.opus own.aiff; do
    rate=24000; [ $f = own.opus ] && rate=48000
    run 0 "$f" "$lac" recombine "${with[@]}" --content one.wav -f -r $rate -o $f
    grep -aq "synthetic speech: lac recombine" $f; result $? "is marked"
    run 0 "is readable" "$lac" factors "${with[@]}" $f
done
re --content one.wav -o - >pipe.wav 2>err; grep -aq "synthetic speech" pipe.wav
result $? "sound in a pipe is marked"
re --content one.wav -o own.wav -f; samples=$(($("$tool" header own.wav | cut -d' ' -f 4) * 2))
tail -c $samples own.wav >t1; tail -c $samples pipe.wav >t2; same "and is the same" t1 t2
is "no more and no less" "$("$tool" header pipe.wav)" "$("$tool" header own.wav)"
re --content - --lac -o - <one.wav >pipe.lac 2>err; same ".lac to a pipe" own.lac pipe.lac
cat one.npz | re --content - -f -o pipe.lac; same "factors from a pipe" own.lac pipe.lac
run 0 "fewer codebooks" "$lac" recombine "${with[@]}" --content one.wav -b 0.3 -o small.lac
"$lac" info small.lac >facts; has facts "^codebooks  *1$"
run 0 "another rate" "$lac" recombine "${with[@]}" --content one.wav -r 8000 -o low.wav
is "is in the file" "$("$tool" header low.wav | cut -d' ' -f 2)" 8000
re --content one.wav -r 8000 -o low.lac; "$lac" decode -m "$model" low.lac low2.wav
near "in .lac alike" low.wav low2.wav
run 1 "again" "$lac" recombine "${with[@]}" --content one.wav -o own.lac; says "so" "exists"
cp one.wav kept.wav; ln -s one.wav link.wav
for o in one.wav link.wav; do
    run 1 "$o is a source" "$lac" recombine "${with[@]}" --content a.wav --style one.wav -f -o $o
    says "so" "is the input"
done
same "it is untouched" one.wav kept.wav
run 1 "no such folder" "$lac" recombine "${with[@]}" --content one.wav -o nowhere/x.wav; says "so" "No such file"
if [ -w /dev/full ]; then
    re --content one.wav --lac -o - >/dev/full 2>err; is "a full disk" $? 1; says "why" "No space left"
    re --content one.wav -o - >/dev/full 2>err; is "a full disk" $? 1; says "why" "No space left"
fi

# ---- any content, bad sources
for f in silence square short s; do
    run 0 "$f.wav as content" "$lac" recombine "${with[@]}" --content $f.wav --speaker one.wav --style one.wav \
        --json -o $f.lac
    ! grep -qi 'nan\|inf[^o]' out; result $? "all numbers are finite"
done
run 1 "nothing as content" "$lac" recombine "${with[@]}" --content empty.wav -o x.wav
says "so" "empty.wav: holds no sound"
run 1 "silence as a voice" "$lac" recombine "${with[@]}" --content one.wav --speaker empty.wav -o x.wav
says "so" "empty.wav: holds no speech, so no speaker"
for f in environment channel; do
    run 1 "nothing as $f" "$lac" recombine "${with[@]}" --content one.wav --$f empty.wav -o x.wav
    says "so" "empty.wav: holds no sound"
done
for f in speaker style environment channel; do
    run 1 "no name of $f" "$lac" recombine "${with[@]}" --content one.wav --$f "" -o x.wav
    says "so" "No such file"
done
echo text >text.wav; head -c 4000 one.npz >cut.npz; cp two.lac flipped.lac; "$tool" flip flipped.lac 150
run 1 "text" "$lac" recombine "${with[@]}" --content one.wav --speaker text.wav -o x.wav; says "which" "text.wav"
run 1 "no file" "$lac" recombine "${with[@]}" --content one.wav --channel missing.wav -o x.wav
says "which" "missing.wav: No such"
run 1 "factors cut off" "$lac" recombine "${with[@]}" --content cut.npz -o x.wav; says "which" "cut.npz"
run 1 "factors of another model" "$lac" recombine --codec "$model" -m "$voices" --content one.npz -o x.wav
says "so" "one.npz: holds factors of"
absent x.wav
run 3 "a damaged source" "$lac" recombine "${with[@]}" --content one.wav --speaker flipped.lac -o damaged.wav
says "which" "flipped.lac"
[ -s damaged.wav ]; result $? "goes on nonetheless"

# ---- hours, in bounded memory
if [ -n "$LAC_TEST_LONG" ]; then
    "$tool" raw speech 8000 1 $((3 * 3600 * 8000)) s16 |
        (ulimit -v 1000000; re --raw 8000:1:s16 --content - --pitch 1 -o hours.lac) 2>err
    result $? "three hours within a gigabyte"
    is "all of them" "$("$lac" info hours.lac | grep '^duration_s' | grep -o '[0-9.]*$')" 10800
else
    skip "three hours within a gigabyte" "LAC_TEST_LONG is not set"
fi
echo "1..$count"
[ "$bad" -eq 0 ]
