#!/usr/bin/env bash
# Data sets of lac synth as trainers load them: loaders.sh LAC CLITOOL MODEL FACTORMODEL. webdataset, lhotse and
# soundfile read them with Python (LAC_PYTHON, python3 by default); without those packages the test is skipped.
lac=$(realpath "$1") tool=$(realpath "$2") model=$(realpath "$3") factors=$(realpath "$4")
python=${LAC_PYTHON:-python3}
"$python" -c 'import lhotse, soundfile, webdataset' 2>/dev/null || { echo "1..0 # SKIP no webdataset, lhotse and soundfile"; exit; }
. "$(dirname "$0")/tap.sh"
export OMP_NUM_THREADS=1

mkdir clips
for i in 0 1 2 3; do "$tool" wav clips/$i.wav speech 24000 1 $((24000 + 3000 * i)); done
for i in 0 1 2 3; do
    printf '{"path": "clips/%d.wav", "speaker": "s%d", "text": "wörd \\"%d\\"", "lang": "en", "licence": "CC BY 4.0", "accent": "north", "age": %d}\n' $i $((i % 2)) $i $((20 + i))
done >m.jsonl

# make NAME KIND AUDIO RATE
make() {
    printf '%s\n' "name: $1" "seed: 7" "count: 10" "speaker: {same: 1, seed: 1}" "environment: {same: 1, neutral: 1}" \
        "simulate: {mulaw: {probability: 0.3}}" "gates: {clipped_share_max: 1, silent_share_max: 1}" \
        "output: {kind: $2, audio: $3, rate_hz: $4, shard_outputs: 4}" >$1.yaml
    timeout 300 "$lac" synth --codec "$model" -m "$factors" $1.yaml -i m.jsonl -o $1 >out 2>err && "$lac" synth --merge $1 >out 2>>err
    result $? "$1: made and merged"
}

make tarflac tar flac 24000
make taropus tar opus 24000
make tarwav tar wav 16000
make filesflac files flac 24000
make tarlac tar lac 24000

cat >load.py <<'PYTHON'
"""Loads the data sets with the packages that trainers use. Prints a line a check."""
import io
import json
import os
import re
import sys
import tarfile
import traceback

import numpy as np
import soundfile
import webdataset
from lhotse import CutSet
from lhotse.dataset import SimpleCutSampler
from lhotse.qa import validate

failed = 0


def check(name, function):
    global failed
    try:
        function()
        print("ok", name)
    except Exception:
        failed = 1
        print("no", name)
        traceback.print_exc()


def rows(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def accepted(folder):
    return [r for r in rows(f"{folder}/{folder}.jsonl") if r["accepted"]]


def tars(folder):
    return sorted(f"{folder}/{f}" for f in os.listdir(folder) if f.endswith(".tar"))


def same_sound(audio, rate, record):
    assert rate == record["rate_hz"], (rate, record["rate_hz"])
    assert audio.shape[-1] == record["samples"], (audio.shape, record["samples"])
    assert np.isfinite(audio).all() and np.abs(audio).max() > 0


def samples_of(folder):
    samples = list(webdataset.WebDataset(tars(folder), shardshuffle=False, empty_check=False))
    records = accepted(folder)
    assert [s["__key__"] for s in samples] == [r["key"] for r in records]
    return zip(samples, records)


def web(folder, ending):
    for sample, record in samples_of(folder):
        if ending != "lac":
            same_sound(*soundfile.read(io.BytesIO(sample[ending]), dtype="float32"), record)
        member = json.loads(sample["json"])
        assert sample["txt"].decode() == record["text"] and 'wörd "' in record["text"]
        assert member["synthetic"] is True and all(record[k] == v for k, v in member.items())
        assert record["labels"] == {"accent": "north", "age": member["labels"]["age"]}


def web_decoded(folder, ending):
    def audio(key, data):
        return soundfile.read(io.BytesIO(data), dtype="float32") if key.endswith(ending) else None

    data = webdataset.WebDataset(tars(folder), shardshuffle=False).decode(audio).to_tuple(ending, "json", "txt")
    count = 0
    for (sound, rate), record, text in data:
        same_sound(sound, rate, record)
        assert isinstance(record, dict) and isinstance(text, str)
        count += 1
    assert count == len(accepted(folder))


def tags(folder, ending):
    for sample, _ in samples_of(folder):
        with soundfile.SoundFile(io.BytesIO(sample[ending])) as sound:
            marks = sound.copy_metadata()
        assert "synthetic" in str(marks).lower(), marks


def cuts(folder, audio=True):
    lazy = CutSet.from_jsonl_lazy(f"{folder}/{folder}.cuts.jsonl").with_recording_path_prefix(os.path.abspath(folder))
    records = accepted(folder)
    loaded = list(lazy)
    assert [c.id for c in loaded] == [r["key"] for r in records]
    for cut, record in zip(loaded, records):
        if audio:
            same_sound(cut.load_audio(), cut.sampling_rate, record)
        assert cut.num_samples == record["samples"] and cut.recording.num_samples == record["samples"]
        (supervision,) = cut.supervisions
        assert supervision.text == record["text"] and supervision.language == "en"
        assert supervision.speaker == record["speaker"] and supervision.custom == record["labels"]
        assert abs(supervision.duration - cut.duration) < 1e-6
        assert cut.custom["synthetic"] is True and cut.custom["sources"] == record["sources"]
        assert cut.custom["licence"]["name"] == record["licence"]["name"]
    validate(lazy.to_eager(), read_data=audio)
    batches = list(SimpleCutSampler(lazy, max_cuts=3, shuffle=False))
    assert sum(len(b) for b in batches) == len(records)
    speed = loaded[0].perturb_speed(1.1).resample(8000)
    if audio:
        assert speed.load_audio().shape[1] == speed.num_samples


# What NeMo's documentation asks of a manifest, and its readers of a tarred one.
def nemo_row(row, record):
    for field, kind in [("audio_filepath", str), ("duration", float), ("text", str), ("lang", str), ("speaker", str),
                        ("sampling_rate", int), ("accent", str), ("age", int)]:
        assert isinstance(row[field], kind) or (kind is float and isinstance(row[field], int)), (field, row)
    assert row["text"] == record["text"] and row["speaker"] == record["speaker"]
    assert abs(row["duration"] - record["samples"] / record["rate_hz"]) < 1e-6
    assert "-sub" not in row["audio_filepath"]


def nemo_files(folder):
    table = rows(f"{folder}/{folder}.nemo.jsonl")
    assert len(table) == len(accepted(folder))
    for row, record in zip(table, accepted(folder)):
        nemo_row(row, record)
        same_sound(*soundfile.read(os.path.join(folder, row["audio_filepath"]), dtype="float32"), record)


def nemo_tars(folder, audio=True):
    table = rows(f"{folder}/{folder}.nemo.jsonl")
    by_shard = {}
    for row, record in zip(table, accepted(folder)):
        nemo_row(row, record)
        by_shard.setdefault(row["shard_id"], {})[row["audio_filepath"]] = record
    links = [f for f in os.listdir(f"{folder}/nemo") if f.endswith(".tar")]
    shards = {int(re.search(r"audio[^/]*_(\d+)[^/]*\.tar", f).group(1)): f"{folder}/nemo/{f}" for f in links}
    assert set(shards) == set(by_shard)
    for shard, path in shards.items():
        assert rows(f"{folder}/nemo/manifest_{shard}.json") == [r for r in table if r["shard_id"] == shard]
        with tarfile.open(path, mode="r|*") as tar:
            for member in tar:
                if member.name in by_shard[shard]:
                    data = tar.extractfile(member).read()
                    if audio:
                        same_sound(*soundfile.read(io.BytesIO(data), dtype="float32"), by_shard[shard][member.name])
                    del by_shard[shard][member.name]
        assert not by_shard[shard]


for folder, ending in [("tarflac", "flac"), ("taropus", "opus"), ("tarwav", "wav")]:
    check(f"{folder}: webdataset", lambda: web(folder, ending))
    check(f"{folder}: webdataset, decoded", lambda: web_decoded(folder, ending))
    check(f"{folder}: marked as synthetic", lambda: tags(folder, ending))
    check(f"{folder}: lhotse", lambda: cuts(folder))
    check(f"{folder}: NeMo's fields, shards and members", lambda: nemo_tars(folder))
check("tarlac: webdataset", lambda: web("tarlac", "lac"))
check("tarlac: lhotse, without sound", lambda: cuts("tarlac", audio=False))
check("tarlac: NeMo's fields, shards and members", lambda: nemo_tars("tarlac", audio=False))
check("filesflac: lhotse", lambda: cuts("filesflac"))
check("filesflac: NeMo's fields and files", lambda: nemo_files("filesflac"))
sys.exit(failed)
PYTHON
"$python" load.py >checks 2>trace
: >err
[ -s checks ]; result $? "loaded"
while read -r word name; do [ "$word" = ok ]; result $? "$name"; done <checks
if grep -q '^no' checks || [ ! -s checks ]; then sed 's/^/# /' trace; fi

# ---- what tar itself says
tar tvf tarflac/tarflac-000000.tar >out 2>err; result $? "tar lists a shard"
[ "$(awk '{ print $1, $2, $4, $5 }' out | sort -u)" = "-rw-r--r-- 0/0 1970-01-01 00:00" ]; result $? "nothing of the machine is in it"
(cd tarflac && sha256sum --quiet -c shards.sha256); result $? "hashes"
echo "1..$count"
[ "$bad" -eq 0 ]
