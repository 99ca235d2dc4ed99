#!/usr/bin/env bash
# lac tokens from outside: cli_tokens.sh LAC CLITOOL MODEL. Prints TAP. Works in a folder of its own.
lac=$(realpath "$1") tool=$(realpath "$2") model=$(realpath "$3")
. "$(dirname "$0")/tap.sh"
unset LAC_MODEL_PATH

export_() { "$lac" tokens export -m "$model" "$@"; }
import_() { "$lac" tokens import -m "$model" "$@"; }
has_key() { grep -q "\"$1\":" out; result $? "json has $1"; }
absent() { [ ! -e "$1" ]; result $? "no $1 left behind"; rm -f "$1"; }
# npy FILE DESCR SHAPE BYTES: an array of zeros
npy()
{
    local header="{'descr': '$2', 'fortran_order': ${5:-False}, 'shape': ($3), }"
    { printf '\223NUMPY\1\0\166\0'; printf '%-117s\n' "$header"; head -c "$4" /dev/zero; } >"$1"
}

# ---- help and usage
for c in export import "bpe train" stats; do
    run 0 "lac tokens $c --help" "$lac" tokens $c --help
    grep -q "usage: lac tokens $c" out; result $? "tells the usage"
    run 2 "lac tokens $c: unknown option" "$lac" tokens $c --no-such-option
    run 2 "lac tokens $c without a file" "$lac" tokens $c
done
run 2 "no command" "$lac" tokens
run 2 "unknown command" "$lac" tokens transmogrify; says "which" "transmogrify"
run 2 "bpe alone" "$lac" tokens bpe

# ---- there and back: the same file byte for byte
"$tool" wav a.wav speech 24000 1 100000; "$tool" wav s.wav speech 44100 2 90001; "$tool" wav e.wav speech 8000 1 0
for f in a s e; do "$lac" encode --constant -m "$model" $f.wav $f.lac; done
"$lac" encode -b 0.4 -m "$model" a.wav v.lac; is "frames differ" "$("$lac" info v.lac | grep -c '^codebooks_min *1$')" 1
for x in a s e v; do
    for f in npy jsonl bin; do
        [ $x$f = enpy ] && options="--samples 0 --rate 8000" || options=
        [ $x$f = snpy ] && options="--samples 90001 --rate 44100"
        [ $x$f = anpy ] || [ $x$f = vnpy ] && options="--samples 100000"
        run 0 "export $x.$f" "$lac" tokens export -m "$model" -f $f -o $x.$f $x.lac
        [ $x$f = enpy ] && continue # no frame tells how many codebooks there are
        run 0 "import $x.$f" "$lac" tokens import -m "$model" $options -o back.lac $x.$f
        same "$x.$f is the same file again" $x.lac back.lac
        rm -f back.lac
    done
done
export_ -f jsonl a.lac >p.jsonl; same "JSON lines to standard output" a.jsonl p.jsonl
cat a.lac | export_ -f bin -o - - | import_ -o - - >p.lac; same "through pipes" a.lac p.lac
export_ -f bin -o w.bin a.wav; same "of audio, as lac encode codes it" a.bin w.bin
"$lac" encode --constant -m "$model" -b 1 a.wav one.lac 2>err || "$lac" encode --constant -m "$model" -b 0.5 a.wav one.lac
import_ -o default.lac a.npy; run 0 "without --samples all that the frames hold" "$lac" info --json default.lac
is "at the model's rate" "$(grep -o '"sample_rate":[^,]*' out | tr -dc 0-9)" 24000
run 1 "samples that do not fit" "$lac" tokens import -m "$model" --samples 5 -o bad.lac a.npy; absent bad.lac
says "how many frames they are" "5 samples at 24000 Hz are 1 frames"
run 1 "an output that is there" "$lac" tokens import -m "$model" -o a.lac a.bin; says "so" "exists"
run 0 "--force" "$lac" tokens import -m "$model" --force -o default.lac a.bin; same "overwrites" a.lac default.lac
if python3 -c 'import numpy' 2>/dev/null; then
    cat >check.py <<'END'
import json, numpy
a, s = numpy.load('a.npy'), numpy.load('s.npy')
line, stereo = (json.loads(open(f + '.jsonl').read()) for f in 'as')
assert a.dtype == s.dtype == numpy.uint16 and a.ndim == 2 and s.ndim == 3 and s.shape[1] == 2
assert a.flags.c_contiguous and a.tolist() == line['tokens'] and s.tolist() == stereo['tokens']
assert line['samples'] == 100000 and line['rate'] == 24000 and line['channels'] == 1
for kind in 'u2', 'i8', 'i4':
    numpy.save(kind + '.npy', a.astype('<' + kind))
numpy.save('f4.npy', a.astype('<f4'))
numpy.save('nan.npy', numpy.full((3, 2), numpy.nan))
numpy.save('fortran.npy', numpy.asfortranarray(a))
numpy.save('negative.npy', a.astype('<i8') - 5000)
END
    python3 check.py 2>err; result $? "numpy reads what is written"
    for k in u2 i8 i4; do
        import_ --force --samples 100000 -o $k.lac $k.npy; same "numpy's $k is read" a.lac $k.lac
    done
    for k in "f4 floats" "nan floats" "fortran Fortran" "negative negative"; do
        set -- $k
        run 1 "numpy's $1" "$lac" tokens import -m "$model" -o bad.lac $1.npy; says "why" "$1.npy: .*$2"; absent bad.lac
    done
else
    skip "numpy reads what is written" "no numpy"
fi

# ---- several files
mkdir -p in/deep out.d; cp a.lac in/x.lac; cp s.lac in/deep/y.lac; cp a.wav in/deep/z.wav; echo no >in/notes.txt
run 0 "a folder" "$lac" tokens export -m "$model" -o tree --json in
has_key files; has_key frames; has_key seconds
same "its files keep their places" tree/x.npy a.npy; same "below it too" tree/deep/y.npy s.npy
same "audio among them" tree/deep/z.npy a.npy
run 0 "a folder to one file of lines" "$lac" tokens export -m "$model" -f jsonl -o all.jsonl in
is "a line each" "$(wc -l <all.jsonl)" 3
run 1 "lines to one file" "$lac" tokens import -m "$model" -o bad.lac all.jsonl; absent bad.lac
run 0 "lines to a folder" "$lac" tokens import -m "$model" -o out.d all.jsonl
same "named after their paths" out.d/y.lac s.lac
sed 's|"path":"[^"]*"|"path":"../../../evil/.."|' a.jsonl >evil.jsonl
run 0 "a path that leads away" "$lac" tokens import -m "$model" -o out.d evil.jsonl
same "stays in the folder" out.d/line-1.lac a.lac
cp a.wav in/x.wav; run 1 "two inputs of one name" "$lac" tokens export -m "$model" -o tree2 in; says "so" "two inputs"
rm in/x.wav; mkdir none; run 1 "an empty folder" "$lac" tokens export -m "$model" -o tree2 none; says "why" "holds no"
echo text >in/bad.lac
run 1 "one bad file" "$lac" tokens export -m "$model" --force -o tree in; says "which" "in/bad.lac: is not a .lac"
run 1 "and of lines" "$lac" tokens export -m "$model" --force -f jsonl -o all.jsonl in
is "the others are there" "$(wc -l <all.jsonl)" 3

# ---- damage
cp a.lac flipped.lac; "$tool" flip flipped.lac 150
run 3 "a damaged file" "$lac" tokens export -m "$model" -f jsonl -o flipped.jsonl flipped.lac; says "so" "damaged"
is "its frames keep their places" "$(grep -o '"frames":[0-9]*' flipped.jsonl)" "$(grep -o '"frames":[0-9]*' a.jsonl)"
grep -q '\[\],\[\]' flipped.jsonl; result $? "the lost ones are empty"
run 0 "it comes back" "$lac" tokens import -m "$model" -o flipped2.lac flipped.jsonl
run 0 "and decodes" "$lac" decode -m "$model" flipped2.lac flipped.wav

# ---- vocabularies
codewords=$("$lac" info --json "$model" | sed -n 's/.*"codewords":[^0-9]*\([0-9]*\).*/\1/p')
size=$((codewords + 40))
run 0 "bpe train" "$lac" tokens bpe train -m "$model" -o vocab --size $size --json a.lac s.lac
for k in vocabulary_size merges tokens_per_second symbols_per_second tokens_per_symbol; do has_key $k; done
"$lac" tokens bpe train -m "$model" -o vocab2 --size $size a.lac s.lac >out; same "learns the same again" vocab vocab2
run 2 "a vocabulary without pairs" "$lac" tokens bpe train -m "$model" -o v3 --size $codewords a.lac; absent v3
run 1 "no such codebook" "$lac" tokens bpe train -m "$model" -o v3 --size $size --codebook 32 a.lac; absent v3
"$lac" tokens bpe train -m "$model" -o vocab.2 --size $size --codebook 2 a.lac s.lac >out
for v in vocab vocab.2; do
    for x in a s; do
        for f in jsonl bin; do
            run 0 "export --bpe $v $x.$f" "$lac" tokens export -m "$model" --json --bpe $v -f $f -o b.$f $x.lac
            has_key symbols_per_second
            run 0 "import it" "$lac" tokens import -m "$model" --bpe $v -o back.lac b.$f
            same "the same file again" $x.lac back.lac
            rm -f back.lac b.$f
        done
    done
done
"$lac" tokens export -m "$model" --bpe vocab -o one.npy one.lac >out
export_ -f jsonl one.lac | grep -q '"codebooks":1,' && {
    run 0 "symbols as .npy" "$lac" tokens import -m "$model" --bpe vocab --samples 100000 -o back.lac one.npy
    same "the same file again" one.lac back.lac
}
run 1 "symbols of two channels as .npy" "$lac" tokens export -m "$model" --bpe vocab -o two.npy s.lac; absent two.npy
export_ -f bin --bpe vocab -o b.bin a.lac >out
run 1 "symbols without their vocabulary" "$lac" tokens import -m "$model" -o bad.lac b.bin; says "so" "names their"
run 1 "with another" "$lac" tokens import -m "$model" --bpe vocab.2 -o bad.lac b.bin; says "which" "needs the vocabulary"
absent bad.lac
head -n 20 vocab >cut.vocab; sed 's/^merges .*/merges 1000000/' vocab >many.vocab; sed '$ s/.*/9999999 1/' vocab >wild.vocab
echo text >text.vocab; : >empty.vocab; sed 's/^model_id ..../model_id 0000/' vocab >other.vocab
for v in cut many wild text empty; do
    run 1 "a vocabulary: $v" "$lac" tokens export -m "$model" --bpe $v.vocab -o bad.npy a.lac; says "the file" "$v.vocab: "
    absent bad.npy
done
run 1 "a vocabulary of another model" "$lac" tokens export -m "$model" --bpe other.vocab -o bad.npy a.lac; says "so" "vocabulary"

# ---- statistics
run 0 "stats" "$lac" tokens stats -m "$model" --json a.lac s.lac
for k in frames bits_plain bits_entropy entropy perplexity usage information_below information_first \
         information_before low high; do has_key $k; done
run 0 "stats as a table" "$lac" tokens stats -m "$model" in/deep
grep -q '^codebook  entropy' out; result $? "has a head"
run 0 "stats of nothing" "$lac" tokens stats -m "$model" --json e.lac
! grep -qi 'nan\|inf[^o]' out; result $? "all numbers are finite"

# ---- bad input
npy huge.npy '<u2' "2147483648, 4" 64; npy floats.npy '<f4' "4, 4" 64; npy fortran.npy '<u2' "8, 4" 64 True
npy short.npy '<u2' "9, 4" 64; npy long.npy '<u2' "7, 4" 64; npy four.npy '<u2' "2, 2, 2, 4" 64; npy wide.npy '<u2' "1, 32" 64
{ npy head.npy '<u2' "1, 4" 0; cat head.npy; printf '\376\377\0\0\0\0\0\0'; } >large.npy
{ cat head.npy; printf '\377\377\1\0\1\0\1\0'; } >pad.npy
head -c 60 a.npy >cut.npy; head -c 100 a.bin >cut.bin; cp a.bin flip.bin; "$tool" flip flip.bin 90; : >empty; head -c 20 a.bin >cut2.bin
printf 'LACT\1\1\12\0%016d\0\0\0\0%08d\0\0\0\200\0\0\0\0\0\0\0\0\0\0\0\0' 0 0 >huge.bin
printf '{"tokens":[[1],[70000]]}' >large.json; printf '{"tokens":[[1],' >cut.json; printf '{"tokens":[[NaN]]}' >nan.json
printf '{"tokens":[[0],[-1]]}' >negative.json; printf '{}' >nothing.json; head -c 100000 /dev/zero | tr '\0' '[' >deep
{ printf '{"tokens":'; cat deep; } >deep.json; { printf '{"x":'; cat deep; printf ',"tokens":[]}'; } >deep2.json
while read -r file why; do
    run 1 "import $file" "$lac" tokens import -m "$model" -o bad.lac "$file"; says "why" "$file: .*$why"; absent bad.lac
done <<END
huge.npy says 2147483648 rows
floats.npy floats
fortran.npy Fortran
short.npy cut off
long.npy more than its shape
four.npy shape
wide.npy codebooks
large.npy token 65534 is not below
pad.npy padding
cut.npy cut off
cut.bin cut off
cut2.bin cut off
flip.bin damage
huge.bin frames
empty empty
large.json frame 1
cut.json array
nan.json frame 0
negative.json frame 1
nothing.json no "tokens"
deep.json array
deep2.json tokens
a.wav is no
missing.npy No such file
END
cp a.bin other.bin; sed 's/"model_id":"....../"model_id":"000000/' a.jsonl >other.jsonl
run 1 "another model" "$lac" tokens import -m "$model" -o bad.lac other.jsonl; says "which" "needs the model with id"
run 1 "export of what is no audio" "$lac" tokens export -m "$model" text.vocab; says "the file" "text.vocab"
run 1 "a file of another prior" "$lac" tokens export -m "$model" -o bad.npy "${model%/*}/streams/other-prior.lac"
says "that it needs another" "prior"; absent bad.npy
mkdir here; cd here || exit 99
run 0 "to a folder without a name" "$lac" tokens export -m "$model" -o "" ../a.lac ../s.lac
[ -s a.npy ] && [ -s s.npy ]; result $? "which is the current one"
cd ..
run 2 "a format that is none" "$lac" tokens export -f xml a.lac
run 2 "import without -o" "$lac" tokens import a.npy
echo "1..$count"
[ "$bad" -eq 0 ]
