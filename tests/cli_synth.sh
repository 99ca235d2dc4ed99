#!/usr/bin/env bash
# lac synth from outside: cli_synth.sh LAC CLITOOL MODEL FACTORMODEL. The factor model has distributions. Prints TAP.
# Works in a folder of its own. LAC_TEST_KILLS (5): how often a run is killed; LAC_TEST_SEED: when.
lac=$(realpath "$1") tool=$(realpath "$2") model=$(realpath "$3") factors=$(realpath "$4")
. "$(dirname "$0")/tap.sh"
unset LAC_MODEL_PATH

with=(--codec "$model" -m "$factors")
printf '#!/bin/sh\nexec %s synth %s "$@"\n' "$lac" "${with[*]}" >synth; chmod +x synth
# sums DIR: of all that a run leaves, but for the cache
sums() { (cd "$1" && find . -path ./factors -prune -o -type f ! -name '*.part*' -print | LC_ALL=C sort | xargs sha256sum); }
# alike NAME DIR DIR
alike() { sums "$2" >sums1; sums "$3" >sums2; same "$1" sums1 sums2; }
# number FILE KEY: the first number under KEY
number() { grep -o "\"$2\":[[:space:]]*[-0-9.e+]*" "$1" | head -n 1 | sed 's/.*[:[:space:]]//'; }
# plan NAME LINES...: NAME.yaml
plan() { local name=$1; shift; printf '%s\n' "$@" >"$name.yaml"; }

# ---- recordings: four speakers and noise
mkdir clips
for i in 0 1 2 3 4 5 6 7; do
    "$tool" wav clips/$i.wav speech $((16000 + 2000 * (i % 4))) $((1 + i % 2)) $((16000 + 3000 * i))
done
"$tool" wav clips/n.wav square 24000 1 12000
for i in 0 1 2 3 4 5 6 7; do
    echo "{\"path\": \"clips/$i.wav\", \"speaker\": \"s$((i % 4))\", \"text\": \"word $i\", \"lang\": \"en\", \"seconds\": 1.$i," \
         "\"licence\": \"CC BY 4.0 (somewhere)\", \"kind\": \"speech\", \"mood\": $i}"
done >m.jsonl
echo '{"path": "clips/n.wav", "licence": "CC0-1.0", "kind": "noise", "seconds": 0.5}' >>m.jsonl
plan p "name: small" "seed: 7" "count: 22" "content: {balance: speaker}" \
     "speaker: {same: 1, seed: 2, mixed: 1, sampled: 1, largest_cosine: 0.99}" "style: {same: 1, seed: 1, rate: {uniform: [0.9, 1.2]}}" \
     "environment: {same: 1, neutral: 1, seed: 1, sampled: 1}" \
     "simulate: {room: {probability: 0.3}, noise: {probability: 0.4, where: {kind: noise}}, mulaw: {probability: 0.2}}" \
     "gates: {clipped_share_max: 1, silent_share_max: 1}" "output: {shard_outputs: 5, audio: wav, rate_hz: 16000}"

# ---- help and usage
run 0 "--help" "$lac" synth --help; grep -q "usage: lac synth" out; result $? "tells the usage"
run 2 "unknown option" "$lac" synth --no-such-option
run 2 "no plan" "$lac" synth -i m.jsonl -o d
run 2 "two plans" "$lac" synth p.yaml p.yaml -i m.jsonl -o d
run 2 "no manifest" "$lac" synth p.yaml -o d
run 2 "no folder" "$lac" synth p.yaml -i m.jsonl
for s in 0/2 3/2 1 a/b 1/2x 1/-1 +1/2; do run 2 "--shard $s" "$lac" synth p.yaml -i m.jsonl -o d --shard $s; done
run 2 "a plan with --verify" "$lac" synth p.yaml --verify d
run 1 "--verify of nothing" "$lac" synth --verify d

# ---- what is wrong is named before any work
wrong() { # NAME PATTERN PLAN_LINES...
    local name=$1 pattern=$2; shift 2
    plan w "$@"; run 1 "$name" ./synth w.yaml -i m.jsonl -o none; says "where and why" "$pattern"
    [ ! -e none ]; result $? "and nothing is made"; rm -rf none
}
a=("name: w" "count: 5")
wrong "no YAML" "w.yaml:2" "name: [w" "count: 5"
wrong "an unknown key" "w.yaml:3: speker: is no key" "${a[@]}" "speker: {same: 1}"
wrong "one in a group" "w.yaml:4: speaker.sad: is no key; here are same, seed" "${a[@]}" "speaker:" "  sad: 1"
wrong "a wrong type" "w.yaml:2: count: 'many' is not a number" "name: w" "count: many"
wrong "out of range" "w.yaml:3: speaker.spread: 7 is not in 0 .. 2" "${a[@]}" "speaker: {spread: 7}"
wrong "noise out of range" "w.yaml:3: generator.noise: -1 is not in 0 .. 2" "${a[@]}" "generator: {noise: -1}"
wrong "a key twice" "w.yaml:3: count: is given twice" "${a[@]}" "count: 6"
wrong "no name" "name: a plan needs a name" "count: 5"
wrong "no amount" "how many" "name: w"
wrong "two amounts" "only one of" "${a[@]}" "hours: 1"
wrong "weights of 0" "w.yaml:3: speaker: all weights are 0" "${a[@]}" "speaker: {same: 0}"
wrong "an unknown speaker" "w.yaml:3: content.where: no row of m.jsonl has speaker s9" "${a[@]}" "content: {where: {speaker: [s1, s9]}}"
wrong "nobody left" "content: m.jsonl has too few rows" "${a[@]}" "content: {where: {kind: speech}}" \
      "constraints: {never_speakers: [s0, s1, s2, s3]}"
wrong "no second voice" "speaker.mixed: m.jsonl has too few rows" "${a[@]}" "speaker: {mixed: 1, where: {speaker: s1}}"
wrong "consent" "too few rows for it (0 never to be used, 9 without consent" "${a[@]}" "constraints: {require_consent: true}"
wrong "licences" "9 of other licences" "${a[@]}" "constraints: {licences: [MIT]}"
wrong "too few sources" "max_per_source: 5 outputs need some source 5 times" "${a[@]}" "content: {where: {mood: '3'}}" \
      "constraints: {max_per_source: 2}"
wrong "a noise of nowhere" "simulate.noise: where from" "${a[@]}" "simulate: {noise: {probability: 1}}"
wrong "a distance that none keeps" "speaker.largest_cosine" "${a[@]}" "speaker: {sampled: 1, largest_cosine: -0.999}"
wrong "a band upside down" "simulate.band.low_hz" "${a[@]}" "simulate: {band: {probability: 1, low_hz: 1500, high_hz: 1200}}"
wrong "a list of speakers that is not there" "w.yaml:3: constraints.never_speakers_file: nowhere: No such file" "${a[@]}" \
      "constraints: {never_speakers_file: nowhere}"
run 1 "no plan file" ./synth nowhere.yaml -i m.jsonl -o none; says "so" "nowhere.yaml: No such file"
run 1 "no manifest file" ./synth p.yaml -i nowhere.jsonl -o none; says "so" "nowhere.jsonl: No such file"
: >empty.jsonl; run 1 "an empty manifest" ./synth p.yaml -i empty.jsonl -o none; says "so" "has no rows"
echo '{"path": 3}' >bad.jsonl; run 1 "a row without a path" ./synth p.yaml -i bad.jsonl -o none; says "which" "bad.jsonl:1: has no path"
(cat m.jsonl; echo '{"path"') >bad.jsonl; run 1 "a damaged row" ./synth p.yaml -i bad.jsonl -o none; says "which" "bad.jsonl:10: is not a JSON object"
(cat m.jsonl; echo '{"path": "gone.wav", "kind": "speech", "seconds": 1}') >gone.jsonl
run 1 "a missing source" ./synth p.yaml -i gone.jsonl -o none; says "which" "gone.wav: is not there"; rm -rf none
run 1 "a model without voices" "$lac" synth --codec "$model" -m "$(dirname "$factors")/tiny.lacf" p.yaml -i m.jsonl -o none
says "so" "has nothing to draw from"

# ---- a plan told
run 0 "--dry-run" ./synth p.yaml -i m.jsonl --dry-run --json
is "outputs" "$(number out outputs)" 22; is "shards" "$(number out shards)" 5; is "content" "$(number out content_rows)" 8
is "voices" "$(number out voices)" 4; is "noise" "$(number out noise_rows)" 1

# ---- the same bytes from any number of threads and shards
run 0 "by one thread" ./synth p.yaml -i m.jsonl -o one -j 1; [ ! -s err ]; result $? "silent in a pipe"
run 0 "by three" ./synth p.yaml -i m.jsonl -o three -j 3 --json; is "all are made" "$(number out made)" 22
alike "the same" one three
for i in 3 1 2; do run 0 "shard $i of 3" ./synth p.yaml -i m.jsonl -o parts --shard $i/3; done
alike "the same from shards" one parts
(cat p.yaml; echo "generator: {noise: 0.6}") >noise.yaml
run 0 "the same noise by name" ./synth noise.yaml -i m.jsonl -o noise --shard 1/5
hashes() { grep -o '"token_hash":"[0-9a-f]*"' "$1/small-000000.jsonl"; }
hashes one >hashes1; hashes noise >hashes2; same "gives the same tokens" hashes1 hashes2
sed -i 's/noise: 0.6/noise: 0.2/' noise.yaml; run 0 "less noise" ./synth noise.yaml -i m.jsonl -o quiet --shard 1/5
hashes quiet | cmp -s - hashes1; [ $? -eq 1 ]; result $? "gives others"
is "five archives" "$(ls one/*.tar | wc -l)" 5
tar tf one/small-000000.tar | grep -v '\.json$' | head -n 2 >names; printf 'small-000000000.wav\nsmall-000000000.txt\n' >wanted
same "members in order" names wanted
tar xf one/small-000000.tar small-000000000.json small-000000000.wav; cp small-000000000.json r.json
"$tool" header small-000000000.wav >out; grep -q '^1 16000 16' out; result $? "the rate that was asked for"
for k in key accepted synthetic duration_s text lang speaker labels sources factors simulation seed plan plan_id models gates \
         token_hash licence attribution; do
    grep -q "\"$k\":" r.json; result $? "a record has $k"
done
grep -q '"name":"CC-BY-4.0' r.json; result $? "what the licences mean"
grep -q '"mood":' r.json; result $? "labels travel"
grep -a -q 'Synthetic speech, made by lac synth' small-000000000.wav; result $? "marked as synthetic"
run 0 "again with --resume" ./synth p.yaml -i m.jsonl -o one --resume --json; is "nothing is left to do" "$(number out made)" 0
alike "nothing changes" one three
run 1 "again without" ./synth p.yaml -i m.jsonl -o one; says "so" "is begun already; --resume"
sed 's/seed: 7/seed: 8/' p.yaml >q.yaml; run 1 "another plan in that folder" ./synth q.yaml -i m.jsonl -o one --resume
says "so" "another plan"
run 0 "another seed" ./synth q.yaml -i m.jsonl -o other; cmp -s one/small-000000.tar other/small-000000.tar
[ $? -eq 1 ]; result $? "makes others"
run 1 "a folder of something else" ./synth p.yaml -i m.jsonl -o clips; says "so" "is not empty"
run 0 "--verify" "$lac" synth --verify one --json; is "no problem" "$(number out problems)" 0
run 2 "--verify and --report" "$lac" synth --verify one --report one
run 0 "--report" "$lac" synth --report one; grep -q '</html>' one/report.html; result $? "a page"; rm one/report.html
run 0 "--merge" "$lac" synth --merge one; is "all records" "$(wc -l <one/small.jsonl)" 22

# ---- who must not be used is not
plan never "name: never" "count: 40" "speaker: {seed: 1, mixed: 1}" "style: {seed: 1}" "environment: {seed: 1}" "channel: {seed: 1}" \
     "simulate: {babble: {probability: 1, voices: 3}}" "constraints: {never_speakers: [s1], never_speakers_file: list.txt}" \
     "gates: {clipped_share_max: 1}" "output: {kind: files, audio: flac}"
echo s2 >list.txt
sed '1s/"kind"/"consent": false, "kind"/' m.jsonl >consent.jsonl
run 0 "with people that are not to be used" ./synth never.yaml -i consent.jsonl -o never
grep -q '"speaker":"s[12]"' never/*.jsonl; [ $? -eq 1 ]; result $? "they have no part"
grep -q 'clips/0.wav' never/*.jsonl; [ $? -eq 1 ]; result $? "nor has who refused"
is "forty files" "$(find never -name '*.flac' | wc -l)" "$(grep -c '"accepted":true' never/never-000000.jsonl)"

# ---- rows that are files of factors
plan made "name: made" "count: 12" "speaker: {seed: 1, mixed: 1}" "environment: {seed: 1}" \
     "gates: {clipped_share_max: 1, silent_share_max: 1}" "output: {audio: wav}"
run 0 "factors of the recordings" "$lac" factors "${with[@]}" -o npz clips
grep -v noise m.jsonl >sounds.jsonl; sed 's#clips/\([0-9]\).wav#npz/\1.npz#' sounds.jsonl >npz.jsonl
run 0 "from recordings" ./synth made.yaml -i sounds.jsonl -o sounds
run 0 "from their factors" ./synth made.yaml -i npz.jsonl -o from_npz
for d in sounds from_npz; do grep -o '"token_hash":"[0-9a-f]*"' $d/made-000000.jsonl >$d.hashes; done
same "give the same tokens" sounds.hashes from_npz.hashes; is "of all" "$(wc -l <sounds.hashes)" 12
[ -z "$(ls from_npz/factors)" ]; result $? "and are not kept twice"

# ---- sources that fail
cp -r clips clips2; sed 's#clips/#clips2/#' m.jsonl >m2.jsonl
head -c 30 clips/3.wav >clips2/3.wav
run 1 "a damaged source" ./synth p.yaml -i m2.jsonl -o damaged --json
says "which" "clips2/3.wav: .*; another was taken"
is "all outputs are told of" "$(cat damaged/*.jsonl | wc -l)" 22
[ "$(number out met_bad_sources)" -gt 0 ]; result $? "some met it"
grep -q '"reason":"content source: ' damaged/*.jsonl; result $? "those that say it are rejected with the reason"
grep -q '"accepted":true.*"failures":\["speaker source clips2/3.wav' damaged/*.jsonl; result $? "those that were to have its voice took another"
run 0 "--verify" "$lac" synth --verify damaged
plan strict "name: strict" "count: 3" "gates: {speaker_cosine_min: 1, attempts: 2}"
run 0 "gates that nothing passes" ./synth strict.yaml -i m.jsonl -o strict --json; is "reject all" "$(number out rejected)" 3
grep -q '"attempts":2' strict/*.jsonl && grep -q '"failed":\["speaker"\]' strict/*.jsonl; result $? "and say which"

# ---- a full disk
run 1 "no room" bash -c 'ulimit -f 200; exec ./synth p.yaml -i m.jsonl -o full -j 2'; says "what to do" "--resume goes on"
run 0 "then with room" ./synth p.yaml -i m.jsonl -o full --resume; alike "the same" three full

# ---- killed whenever
kills=${LAC_TEST_KILLS:-5} RANDOM=${LAC_TEST_SEED:-1} set=0 done_sets=0
echo "# LAC_TEST_SEED=${LAC_TEST_SEED:-1}"
begin=$(date +%s%N); ./synth p.yaml -i m.jsonl -o timed -j 2 >/dev/null; span=$(($(date +%s%N) - begin))
for ((k = 0; k < kills; k++)); do
    signals=(KILL INT TERM KILL); signal=${signals[k % 4]}
    ./synth p.yaml -i m.jsonl -o killed$set -j 2 --resume >out 2>err & pid=$!
    sleep "$(awk -v s=$span -v r=$RANDOM 'BEGIN { printf "%.4f", s * 1e-9 * r / 32768 * 0.7 }')"
    kill -$signal $pid 2>/dev/null; wait $pid 2>/dev/null && { alike "killed $set: finished before it was killed" three killed$set; set=$((set + 1)); }
done
run 0 "gone on with after $kills kills" ./synth p.yaml -i m.jsonl -o killed$set -j 2 --resume
alike "the same as without" three killed$set

echo "1..$count"
[ "$bad" -eq 0 ]
