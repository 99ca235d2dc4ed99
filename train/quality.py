"""Quality of a shipped model, coded with `lac`: quality.py LAC MODEL AUDIO_DIR OUT.json [--rates 0.5,1,...] [--jobs N]
[--beam N] [--constant] [--than OTHER.json]

Codes the dev split of AUDIO_DIR at each rate (on average; with --constant as many codebooks in every frame), scores it
as ../shared/eval/score.py does, writes everything to OUT.json and prints the tables of the model card: means with 95 %
intervals over all clips and over those of unseen speakers, and what each step of the rate adds, paired by clip; with
--than, also what is better or worse than in OTHER.json, paired by clip.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
import numpy as np

EVAL = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'shared', 'eval')
METRICS = ('mel24', 'mel16', 'visqol', 'estoi', 'pesq')


def through(lac, model, rate, path, coded, out, options=()):
    """Code `path` at a rate in kbit/s to the file `coded`, and that to `out`."""
    subprocess.run([lac, 'encode', '-t', '1', '-f', *options, '-m', model, '-b', str(rate), path, coded], check=True)
    subprocess.run([lac, 'decode', '-t', '1', '-f', '-m', model, coded, out], check=True)


def one_rate(job):
    """Code and score the clips at one rate: {clip: {metric: value}}, and the mean bit rate of files and tokens."""
    lac, model, clips, rate, options = job
    sys.path.insert(0, EVAL)
    import score as S
    rows = {}
    bits = np.zeros(3)
    with tempfile.TemporaryDirectory() as scratch:
        coded, out = os.path.join(scratch, 'a.lac'), os.path.join(scratch, 'a.wav')
        for name, path in clips.items():
            through(lac, model, rate, path, coded, out, options)
            info = json.loads(subprocess.run([lac, 'info', '--json', coded], check=True, capture_output=True).stdout)
            bits += info['duration_s'] * np.array([1, info['file_bps'], info['payload_bps']])
            (r, sr), (d, _) = S.load(path), S.load(out)
            rows[name] = S.score(r, d, sr)
    return rate, rows, bits[1] / bits[0], bits[2] / bits[0]


def interval(v):
    v = np.array(v)
    return '%.3f ± %.3f' % (v.mean(), 1.96 * v.std(ddof=1) / len(v) ** .5) if len(v) > 1 else '-'


def table(rates, names):
    print('| kbit/s | ' + ' | '.join(METRICS) + ' |\n|---' + '|---' * len(METRICS) + '|')
    for rate, rows in rates.items():
        cells = [interval([rows[n][m] for n in names if m in rows[n]]) for m in METRICS]
        print('| %s | ' % rate + ' | '.join(cells) + ' |')


def steps(rates):
    """What each further codebook adds, paired by clip: mean difference of every metric."""
    keys = list(rates)
    print('| kbit/s | ' + ' | '.join(METRICS) + ' |\n|---' + '|---' * len(METRICS) + '|')
    for a, b in zip(keys, keys[1:]):
        cells = []
        for m in METRICS:
            d = np.array([rates[b][n][m] - rates[a][n][m] for n in rates[a] if m in rates[a][n] and m in rates[b][n]])
            cells.append('%+.4f' % d.mean())
        print('| %s → %s | ' % (a, b) + ' | '.join(cells) + ' |')


def compare(rates, others):
    """Mean differences from `others` with 95 % intervals, paired by clip."""
    print('| kbit/s | ' + ' | '.join(METRICS) + ' |\n|---' + '|---' * len(METRICS) + '|')
    for rate, rows in rates.items():
        other = others.get(str(rate), {})
        pairs = [[(rows[n][m], other[n][m]) for n in rows if n in other and m in rows[n] and m in other[n]]
                 for m in METRICS]
        print('| %s | ' % rate + ' | '.join(interval([x - y for x, y in p]) for p in pairs) + ' |')


def dev_split(audio):
    """Paths of the dev clips by name, and the names of those of unseen speakers."""
    manifest = [json.loads(line) for line in open(os.path.join(audio, 'manifest.jsonl'))]
    dev = {os.path.splitext(os.path.basename(r['path']))[0]: r for r in manifest if r['split'] == 'dev'}
    return ({name: os.path.join(audio, r['path']) for name, r in dev.items()},
            [name for name, r in dev.items() if r.get('unseen_speaker')])


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument('lac')
    a.add_argument('model')
    a.add_argument('audio')
    a.add_argument('out')
    a.add_argument('--rates', default='0.5,1,1.5,2,2.5,3,3.5,4,4.5,5,5.5,6')
    a.add_argument('--jobs', type=int, default=2)
    a.add_argument('--beam', type=int, help="of lac encode; default: its own")
    a.add_argument('--constant', action='store_true')
    a.add_argument('--than', metavar='OTHER.json')
    a = a.parse_args()
    clips, unseen = dev_split(a.audio)
    options = (['--beam', str(a.beam)] if a.beam else []) + (['--constant'] if a.constant else [])
    jobs = [(a.lac, a.model, clips, float(r), options) for r in a.rates.split(',')]
    with ProcessPoolExecutor(a.jobs) as pool:
        results = list(pool.map(one_rate, jobs))
    rates = {r: rows for r, rows, _, _ in results}
    json.dump({'rates': rates, 'file_bps': {r: f for r, _, f, _ in results},
               'payload_bps': {r: p for r, _, _, p in results}, 'unseen': unseen}, open(a.out, 'w'), indent=1)
    print('kbit/s of files and of their tokens: ' + ', '.join(
        '%g: %.2f, %.2f' % (r, f / 1000, p / 1000) for r, _, f, p in results) + '\n')
    print('all %d clips\n' % len(clips))
    table(rates, list(clips))
    print('\n%d clips of unseen speakers\n' % len(unseen))
    table(rates, unseen)
    print('\nby step, paired\n')
    steps(rates)
    if a.than:
        print('\nagainst %s, paired\n' % a.than)
        compare(rates, json.load(open(a.than))['rates'])


if __name__ == '__main__':
    main()
