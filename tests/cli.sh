#!/usr/bin/env bash
# The lac command from outside: cli.sh LAC CLITOOL MODEL. Prints TAP. Works in a folder of its own.
lac=$(realpath "$1") tool=$(realpath "$2") model=$(realpath "$3")
. "$(dirname "$0")/tap.sh"
export OMP_WAIT_POLICY=passive
unset LAC_MODEL_PATH

has_key() { grep -q "\"$1\":" out; result $? "json has $1"; }
absent() { [ ! -e "$1" ]; result $? "no $1 left behind"; rm -f "$1"; }
enc() { "$lac" encode -m "$model" "$@"; }
dec() { "$lac" decode -m "$model" "$@"; }

# ---- help and usage
run 0 "lac --help" "$lac" --help
run 0 "lac --version" "$lac" --version
run 2 "no command" "$lac"
run 2 "unknown command" "$lac" transmogrify
says "the command" "transmogrify"
run 2 "unknown option before the command" "$lac" --verbose; says "that it is an option" "unknown option '--verbose'"
for c in encode decode info verify fit tokens eval bench send receive netsim; do
    run 0 "lac $c --help" "$lac" $c --help
    grep -q "usage: lac $c" out; result $? "lac $c --help tells the usage"
    run 2 "lac $c: unknown option" "$lac" $c --no-such-option
    run 0 "lac help $c" "$lac" help $c
done
run 2 "encode without file" "$lac" encode
run 2 "decode with three files" "$lac" decode a b.wav c
run 2 "option without value" "$lac" encode -b

# ---- round trips: exactly the input's samples, rate and channels
for r in "8000 1 12345" "11025 1 9001" "16000 2 16001" "22050 1 1" "24000 1 24001" "44100 2 44101" "48000 8 9603" \
         "96000 1 50000" "384000 1 100003" "44100 1 2" "8000 1 0"; do
    set -- $r
    "$tool" wav in.wav speech "$1" "$2" "$3"
    run 0 "encode $r" "$lac" encode -f -m "$model" in.wav in.lac
    run 0 "decode $r" "$lac" decode -f -m "$model" in.lac out.wav
    is "decoded header of $r" "$("$tool" header out.wav)" "$2 $1 16 $3"
done

# ---- another quantiser; its files name their model by id
vectors=$(dirname "$model")
"$tool" wav fsq.wav speech 24000 1 30000
LAC_MODEL_PATH=$vectors run 0 "encode with a model by name" "$lac" encode -m tiny-fsq fsq.wav fsq.lac
LAC_MODEL_PATH=/nowhere:$vectors run 0 "decode by the file's id" "$lac" decode fsq.lac fsq1.wav
run 0 "decode with the model" "$lac" decode -m "$vectors/tiny-fsq.lacm" fsq.lac fsq2.wav
same "it is the same sound" fsq1.wav fsq2.wav
run 1 "decode without it" "$lac" decode fsq.lac fsq3.wav
mkdir -p folder/bin folder/models && ln -s "$lac" folder/bin/lac && cp "$vectors/tiny-fsq.lacm" folder/models/
run 0 "decode with a model beside the program" folder/bin/lac decode fsq.lac fsq3.wav
same "that is the same sound" fsq1.wav fsq3.wav
run 0 "encode with one" folder/bin/lac encode -m tiny-fsq fsq.wav fsq4.lac; same "that is the same file" fsq.lac fsq4.lac
is "model of a file" "$(LAC_MODEL_PATH=$vectors "$lac" info fsq.lac | grep -c '^model *tiny-fsq$')" 1
is "quantiser" "$("$lac" info "$vectors/tiny-fsq.lacm" | grep -c '^quantiser *fsq$')" 1
is "levels" "$("$lac" info "$vectors/tiny-fsq.lacm" | grep -c '^levels *5, 4, 3$')" 1
is "prior" "$("$lac" info "$vectors/tiny_prior.lacm" | grep -c '^prior_id *[0-9a-f]*$')" 1
run 0 "lac verify" "$lac" verify fsq.lac
run 1 "a model of no name" "$lac" encode -m nowhere fsq.wav bad.lac; absent bad.lac
says "where it was looked for" "nowhere: .*LAC_MODEL_PATH"
rm -r folder

# ---- the same result by every road
"$tool" wav a.wav speech 24000 1 100000 "A title"
enc a.wav a.lac && dec a.lac a.out.wav && dec --raw s16 a.lac a.s16
is "title survives" "$("$lac" info a.lac | grep -c 'TITLE.*A title')" 1
grep -aq "A title" a.out.wav; result $? "title is in the decoded WAV"
enc -t 3 a.wav t.lac; same "threads change nothing in encode" a.lac t.lac
enc --beam 8 a.wav beam8.lac; same "a beam of 8 is the default" a.lac beam8.lac
enc --beam 1 a.wav beam1.lac; ! cmp -s beam1.lac a.lac; result $? "--beam 1 codes otherwise"
enc --constant a.wav constant.lac && dec --raw s16 constant.lac constant.s16
for c in plain adaptive best; do
    enc --constant --coding $c a.wav $c.lac && dec --raw s16 $c.lac $c.s16
    same "--coding $c changes no sound" constant.s16 $c.s16
done
same "--coding best is the default" constant.lac best.lac
is "constant: as many codebooks in all frames" "$("$lac" info constant.lac | grep -c "^codebooks.* 4$")" 2
for b in 0.35 0.456; do
    enc -f --beam 1 -b $b a.wav average.lac
    rate=$("$lac" info average.lac | sed -n 's/^payload_bps *//p')
    awk "BEGIN {exit !(${rate:-0} > 850 * $b && ${rate:-0} < 1030 * $b)}"; result $? "-b $b: $rate bit/s"
done
is "average: frames differ" "$("$lac" info average.lac | awk '/^codebooks/ {print $2}' | sort -u | wc -l)" 2
(export LAC_CPU_MASK=0; dec --raw s16 a.lac inc.s16 && enc a.wav inc.lac); same "C decodes the same" a.s16 inc.s16
same "C codes the same" a.lac inc.lac
[ "$(wc -c <adaptive.lac)" -lt "$(wc -c <plain.lac)" ]; result $? "counts make a file smaller"
is "of a coding in info" "$("$lac" info adaptive.lac | grep -c '^coding *adaptive$')" 1
is "of no coding in info" "$("$lac" info plain.lac | grep -c '^coding *plain$')" 1
enc -f --constant --coding plain --beam 1 a.wav beam1.lac
is "beams have the same bit rate" "$(wc -c <beam1.lac)" "$(wc -c <plain.lac)"
run 1 "--coding prior without one" "$lac" encode -m "$model" --coding prior a.wav bad.lac; absent bad.lac
says "what to do" "--coding best"
run 2 "--coding of no kind" "$lac" encode -m "$model" --coding huffman a.wav bad.lac; absent bad.lac
dec -t 3 --raw s16 a.lac t.s16; same "threads change nothing in decode" a.s16 t.s16
enc - - <a.wav >p.lac; same "WAV through a pipe, redirected" a.lac p.lac
cat a.wav | enc - - | cat >p.lac; same "WAV through a pipe" a.lac p.lac
"$tool" wav b.wav speech 24000 1 100000; enc b.wav b.lac
"$tool" raw speech 24000 1 100000 s16 >b.s16
enc --raw 24000:1:s16 b.s16 r.lac; same "raw s16 file" b.lac r.lac
cat b.s16 | enc --raw 24000:1:s16 - - >r.lac; same "raw s16 pipe" b.lac r.lac
(head -c 1001 b.s16; sleep 0.2; tail -c +1002 b.s16) | enc --raw 24000:1:s16 - - >r.lac
same "raw s16 pipe in odd pieces" b.lac r.lac
cat a.lac | dec --raw s16 - - | cat >p.s16; same "decode through pipes" a.s16 p.s16
dec a.lac - >w.wav; is "WAV to standard output" "$("$tool" header w.wav)" "1 24000 16 100000"
tail -c 200000 w.wav >w.s16; same "WAV to standard output holds the samples" a.s16 w.s16
cat a.lac | dec - big.wav; is "WAV file from a pipe" "$("$tool" header big.wav)" "1 24000 16 100000"; rm -f big.wav
cat a.lac | dec - - | tail -c +45 >w.s16; same "WAV pipe to pipe" a.s16 w.s16
dec a.lac - | enc - - >re.lac; [ -s re.lac ]; result $? "lac decodes into lac encodes"
for f in s24 s32 f32; do
    dec -f --raw $f a.lac x.raw
    enc --raw 24000:1:$f x.raw - >x.lac 2>err
    [ "$(wc -c <x.raw)" -eq $((100000 * $([ $f = s24 ] && echo 3 || echo 4))) ] && [ -s x.lac ]
    result $? "raw $f both ways"
done
for e in flac aiff au caf w64 ogg opus; do
    run 0 "decode to $e" "$lac" decode -m "$model" a.lac "x.$e"
    enc "x.$e" - 2>err | "$lac" info --json - >out
    grep -q '"samples":.100000' out; result $? "$e holds all samples"
done
enc x.flac f.lac; dec --raw s16 f.lac f.s16; enc a.out.wav g.lac; dec --raw s16 g.lac g.s16
same "FLAC and WAV hold the same" f.s16 g.s16

if [ -d /proc/self/task ]; then
    # waiting threads spin on a busy machine: nobody gets them without asking
    mkfifo live
    "$lac" encode -m "$model" --raw 24000:1:s16 live live.lac 2>err & live=$!
    (cat b.s16; sleep 2) >live & sleep 1
    is "one thread unless told otherwise" "$(ls /proc/$live/task | wc -l)" 1
    wait $live; same "coded from a FIFO" b.lac live.lac
else
    skip "one thread unless told otherwise" "no /proc"
fi

# ---- parts
for p in "0 1" "1.25 0.5" "2.6399 1" "3.9 9"; do
    set -- $p
    dec --start $1 --duration $2 --raw s16 a.lac - >part.s16
    first=$(awk "BEGIN { printf \"%d\", $1 * 24000 + 0.5 }") wanted=$(awk "BEGIN { printf \"%d\", $2 * 24000 + 0.5 }")
    tail -c +$((2 * first + 1)) a.s16 | head -c $((2 * wanted)) >want.s16
    same "--start $1 --duration $2 is that part exactly" want.s16 part.s16
done
cat a.lac | dec --start 1 --raw s16 - - >part.s16; tail -c +48001 a.s16 >want.s16
same "--start in a pipe" want.s16 part.s16
run 1 "--start after the end" "$lac" decode -m "$model" --start 99 a.lac late.wav
absent late.wav
"$tool" wav c.wav speech 44100 1 200000; enc c.wav c.lac; dec --raw s16 c.lac c.s16
dec -f --raw s16 --start 2 --duration 1 c.lac part.s16; tail -c +176401 c.s16 | head -c 88200 >want.s16
d=$("$tool" differ want.s16 part.s16); [ "$d" -ge 0 ] && [ "$d" -le 1 ]
result $? "part of a 44.1 kHz file" "differs by $d"
dec -r 8000 --raw s16 c.lac r.s16; is "-r gives the right count" "$(wc -c <r.s16)" "$((2 * 36281))"

# ---- files that are there
cp a.lac keep.lac
run 1 "existing output" "$lac" encode -m "$model" a.wav keep.lac
says "that it exists" "exists"
same "it is untouched" a.lac keep.lac
run 0 "-f overwrites" "$lac" encode -f -m "$model" c.wav keep.lac
same "and it did" c.lac keep.lac
run 1 "output is the input" "$lac" encode -f -m "$model" a.wav a.wav
[ "$("$tool" header a.wav)" = "1 24000 16 100000" ]; result $? "the input is untouched"
ln -s target.lac link.lac; echo old >target.lac
run 0 "output is a link" "$lac" encode -f -m "$model" a.wav link.lac
[ -L link.lac ] && cmp -s a.lac target.lac; result $? "the link stays, its target is written"
mkdir sub; (umask 027; enc a.wav sub/m.lac); is "modes follow the umask" "$(stat -c %a sub/m.lac)" 640
cp a.wav sub/default.name.wav; run 0 "encode without output name" "$lac" encode -m "$model" sub/default.name.wav
same "is named with .lac" a.lac sub/default.name.lac
rm sub/default.name.wav
run 0 "decode without output name" "$lac" decode -m "$model" sub/default.name.lac
[ -s sub/default.name.wav ]; result $? "is named with .wav"
mkfifo unread
timeout 10 "$lac" encode -m "$model" - keep.lac <>unread 2>err; is "existing output is told before a pipe is read" $? 1
run 1 "a file of another prior" "$lac" decode -m "$model" "${model%/*}/streams/other-prior.lac" bad.wav
says "that it needs another" "prior"; absent bad.wav
run 2 "output of an unknown kind" "$lac" decode -m "$model" a.lac a.xyz

# ---- info, verify, bench
run 0 "info" "$lac" info --json
for k in version model; do has_key $k; done
run 0 "info of a model" "$lac" info --json "$model"
for k in model model_id delay_samples rates_bps kernels; do has_key $k; done
run 0 "info of a file" "$lac" info --json a.lac
for k in format_version model model_id sample_rate channels samples duration_s frames codebooks payload_bps file_bps \
         coding coded_pages plain_bps pages damaged_pages; do has_key $k; done
run 0 "bench" "$lac" bench --json -m "$model"
for k in encode_xrt decode_xrt frame_ms_p50 frame_ms_p95 frame_ms_p99 stream_bytes model_bytes mmacs_encoder \
         mmacs_decoder peak_gmacs l2_gbs memory_gbs layers macs_per_frame block_1 block_64; do has_key $k; done
run 0 "bench of a file" "$lac" bench -m "$model" c.wav
for l in features input fine downsample coarse output search upsample sources spectra overlap; do
    grep -q "^  $l " out; result $? "the table has $l"
done
run 0 "bench of streams" "$lac" bench --json -m "$model" -t 2 --streams 3 --seconds 0.1 c.wav
for k in encode_xrt streams late_frames step_ms_p50 step_ms_p95 step_ms_p99 real_time; do has_key $k; done
run 2 "bench of no streams" "$lac" bench --streams 0; says "how many are possible" "from 1 to 65536"
run 2 "bench of too many streams" "$lac" bench --streams 65537
run 2 "bench of seconds without streams" "$lac" bench --seconds 3; says "that streams are missing" "--streams"
run 0 "bench of receivers" "$lac" bench --json -m "$model" -t 2 --receivers 3 --seconds 0.1 c.wav
for k in receivers receiver_bytes late_frames step_ms_p95 real_time; do has_key $k; done
run 2 "bench of streams and receivers" "$lac" bench --streams 2 --receivers 2
run 2 "bench of streams for ever" "$lac" bench --streams 2 --seconds 1e9
run 0 "verify" "$lac" verify a.lac c.lac
[ ! -s err ]; result $? "success says nothing on standard error"

# ---- damage
cp a.lac flipped.lac; "$tool" flip flipped.lac 150
run 1 "verify finds a flipped byte" "$lac" verify a.lac flipped.lac
run 3 "a damaged file decodes" "$lac" decode -m "$model" flipped.lac flipped.wav
says "what was concealed" "concealed"
is "at its full length" "$("$tool" header flipped.wav)" "1 24000 16 100000"
run 0 "info counts damage" "$lac" info --json flipped.lac
grep -q '"damaged_pages":.1,' out; result $? "as one page"
head -c $(($(wc -c <a.lac) * 6 / 10)) a.lac >cut.lac
run 1 "verify finds a cut" "$lac" verify cut.lac; says "no more than that" "cut.lac: is cut off after"
run 3 "a cut file decodes" "$lac" decode -m "$model" cut.lac cut.wav
run 1 "a header alone" "$lac" decode -m "$model" <(head -c 40 a.lac) nothing.wav
absent nothing.wav

# ---- bad input
try() { run "$1" "$2: encode" "$lac" encode -m "$model" "$3" bad.lac; [ "$1" -eq 0 ] || absent bad.lac; rm -f bad.lac; }
: >empty; try 1 "empty file" empty; says "why" "empty: is empty"
for k in silence square nan; do
    "$tool" wav $k.wav ${k/nan/bad} 24000 1 30000; try 0 $k $k.wav
    enc $k.wav k.lac; run 0 "$k: decode" "$lac" decode -f -m "$model" k.lac k.wav
    is "$k: length" "$("$tool" header k.wav)" "1 24000 16 30000"
    rm -f k.lac
done
"$tool" wav bad48.wav bad 48000 2 30000; try 0 "NaN and infinity at 48 kHz" bad48.wav
"$tool" wav nine.wav speech 24000 9 1000; try 1 "9 channels" nine.wav; says "why" "9 channels"
printf 'This is no audio.\n' >text.txt; try 1 "text file" text.txt; says "the file" "text.txt"
try 1 "directory" sub; says "why" "directory"
try 1 "missing file" missing.wav; says "why" "missing.wav: No such file"
run 1 "missing folder of the output" "$lac" encode -m "$model" a.wav no/such/out.lac
head -c 3001 b.s16 >odd.s16; run 0 "half a sample at the end" "$lac" encode -m "$model" --raw 24000:1:s16 odd.s16 odd.lac
says "what is left out" "left out"
for i in empty text.txt sub missing.lac nine.wav; do
    run 1 "decode $i" "$lac" decode -m "$model" $i bad.wav; absent bad.wav
    says "the file" "$i"
    run 1 "verify $i" "$lac" verify $i
    run 1 "info $i" "$lac" info $i
done
mkfifo fifo
(timeout 10 cat text.txt >fifo &); run 1 "decode a FIFO that holds no .lac" "$lac" decode fifo bad.wav
(timeout 10 cat a.lac >fifo &); run 0 "info of a FIFO" "$lac" info fifo
(timeout 10 cat a.lac >fifo &); run 0 "decode a FIFO" "$lac" decode -m "$model" --raw s16 fifo fifo.s16
same "as the file" a.s16 fifo.s16
run 1 "decode a model" "$lac" decode "$model" bad.wav; says "what it is" "is a model"
for b in 0 7 0.25 1.7e9 -1 x nan; do
    run 2 "-b $b" "$lac" encode -m "$model" -b $b a.wav bad.lac; absent bad.lac
done
run 2 "--constant -b 0.7" "$lac" encode -m "$model" --constant -b 0.7 a.wav bad.lac; absent bad.lac
for n in 0 17 x; do
    run 2 "--beam $n" "$lac" encode -m "$model" --beam $n a.wav bad.lac; absent bad.lac
done
for r in 0:1:s16 24000:9:s16 24000:0:s16 24000:1:s8 24000:1 a:b:c 999999999:1:s16; do
    run 2 "--raw $r" "$lac" encode -m "$model" --raw $r b.s16 bad.lac
done
for o in "-r 0" "-t 0" "-t 1000" "--start -1" "--duration x" "--raw u8"; do
    run 2 "decode $o" "$lac" decode -m "$model" $o a.lac bad.wav
done
run 1 "no such model" "$lac" encode -m nosuchmodel a.wav bad.lac
run 1 "a model that is none" "$lac" encode -m text.txt a.wav bad.lac; says "that" "text.txt: is not a model"
run 1 "a model that is a FIFO" "$lac" encode -m ./unread a.wav bad.lac; says "why" "unread: is not a regular file"
cp a.lac other.lac; "$tool" flip other.lac 5
run 3 "a damaged header" "$lac" decode -f -m "$model" other.lac other.wav
cp b.lac other.lac; "$tool" reseal other.lac 5
run 1 "a file that names another model" "$lac" decode -m "$model" other.lac bad.wav; absent bad.wav
says "both ids" "needs the model with id .* has id "
printf 'LAC\002 and what a version to come will put here' >future.lac
for c in decode info verify; do run 1 "$c a newer version" "$lac" $c future.lac; says "why" "newer version"; done
cp "$model" changed.lacm; "$tool" flip changed.lacm $(($(wc -c <changed.lacm) / 2))
run 1 "a damaged model" "$lac" decode -m ./changed.lacm a.lac bad.wav; says "the model" "changed.lacm"
: >empty.lacm; run 1 "an empty model" "$lac" info empty.lacm
if [ "$(id -u)" -ne 0 ]; then
    cp a.wav secret.wav; chmod 000 secret.wav; try 1 "no permission to read" secret.wav; says "why" "denied"
    mkdir locked; chmod 500 locked; run 1 "no permission to write" "$lac" encode -m "$model" a.wav locked/x.lac
    chmod 700 locked
else
    skip "no permission" "root may read everything"
fi

# ---- full disk, closed pipe, signals
if [ -c /dev/full ]; then
    run 1 "encode to a full disk" "$lac" encode -f -m "$model" a.wav /dev/full; says "why" "No space left"
    run 1 "decode to a full disk" "$lac" decode -f -m "$model" --raw s16 a.lac /dev/full; says "why" "No space left"
    ln -s /dev/full full.wav; ln -s /dev/full full.flac
    run 1 "WAV to a full disk" "$lac" decode -f -m "$model" a.lac full.wav; says "why" "No space left"
    run 1 "FLAC to a full disk" "$lac" decode -f -m "$model" a.lac full.flac
    [ -c /dev/full ]; result $? "/dev/full is still there"
    "$lac" info --json a.lac >/dev/full 2>err; is "info to a full disk" $? 1
else
    skip "full disk" "no /dev/full"
fi
(ulimit -f 8; dec a.lac big.wav 2>err); is "file size limit" $? 1
absent big.wav
ls -A | grep -q '^\.lac-'; is "no temporary file after it" $? 1
yes | head -c 4000000 >long.s16
enc --raw 24000:1:s16 long.s16 long.lac
dec --raw s16 long.lac - 2>err | head -c 10 >/dev/null; s=${PIPESTATUS[0]}
is "closed pipe, decode" "$s" 1; says "why" "Broken pipe"
for s in "INT 130" "TERM 143" "QUIT 131"; do
    set -- $s
    # not through run: the input must stay open
    (cat b.s16; sleep 3) | timeout --preserve-status -s $1 1 "$lac" encode -m "$model" --raw 24000:1:s16 - killed.lac 2>err
    is "SIG$1 ends with $2" "${PIPESTATUS[1]}" "$2"
    absent killed.lac
    ls -A | grep -q '^\.lac-'; is "no temporary file after SIG$1" $? 1
done
(exec 2>&-; exec "$lac" encode -m "$model" a.wav closed.lac); same "standard error closed" a.lac closed.lac

# ---- progress
run 0 "no progress in a pipe" "$lac" encode -f -m "$model" --raw 24000:1:s16 long.s16 long.lac
[ ! -s err ]; result $? "standard error stays empty"
if script -qec true /dev/null >/dev/null 2>&1; then
    head -c 16000000 /dev/zero >zero.s16
    script -qec "'$lac' encode -f -m '$model' --raw 24000:1:s16 zero.s16 long.lac" /dev/null >out 2>&1
    grep -q "real time.*left" out; result $? "progress on a terminal"
    script -qec "'$lac' encode -m '$model' a.wav -" /dev/null >out 2>&1; is "binary to a terminal" $? 2
else
    skip "progress on a terminal" "no script(1)"
fi
echo "1..$count"
[ "$bad" -eq 0 ]
