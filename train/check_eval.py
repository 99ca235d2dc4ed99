#!/usr/bin/env python3
"""Whether `lac eval` agrees with ../shared/eval/score.py: check_eval.py LAC [REF_DIR TEST_DIR]

Without folders, degrades part of the dev split in several ways (gain, noise, delay both ways, other rates, stereo, a
file cut short) into a temporary folder. mel24 and mel16 must agree within 0.003 for every file, the delay to the sample,
stft_sc + stft_mag with metrics.mr_stft and SI-SDR with metrics.si_sdr for 24 kHz files. Exit status 1 if anything differs.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import soundfile as sf

SHARED = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'shared')
sys.path.insert(0, os.path.join(SHARED, 'eval'))
import metrics as M  # noqa: E402
import score as S    # noqa: E402

LIMIT = 0.003


def degrade(x, rate, how, rng):
    """(signal, rate) as a decoder might leave it."""
    if how == 'late':
        return np.concatenate([np.zeros(720 * rate // 24000), x]), rate
    if how == 'early':
        return x[rate // 50:], rate
    if how == 'noise':
        return np.clip(0.5 * x + 0.003 * rng.standard_normal(len(x)), -1, 1), rate
    if how == 'short':
        return x[:len(x) * 3 // 4], rate
    if how == 'stereo':
        return np.stack([x, 0.3 * x + 0.001 * rng.standard_normal(len(x))], 1), rate
    if how == 'cd':
        return M.resample(x, rate, 44100), 44100
    if how == 'phone':
        return M.resample(x, rate, 8000), 8000
    raise ValueError(how)


def make(folder, how, count):
    """A folder pair; references at 24 and 16 kHz, and one at 48 kHz."""
    rng = np.random.default_rng(1)
    ref, test = os.path.join(folder, how, 'ref'), os.path.join(folder, how, 'test')
    os.makedirs(ref)
    os.makedirs(test)
    files = sorted(S.listing(os.path.join(SHARED, 'audio', 'dev')).items())
    wide = [f for f in files if sf.info(f[1]).samplerate == 24000][:count // 2]
    files = wide + [f for f in files if sf.info(f[1]).samplerate < 24000][:count - len(wide)]
    for i, (name, path) in enumerate(files):
        x, rate = S.load(path)
        if i == 0:
            x, rate = M.resample(x, rate, 48000), 48000
        sf.write(os.path.join(ref, name + '.wav'), x, rate, 'FLOAT')
        y, rate = degrade(x, rate, how, rng)
        sf.write(os.path.join(test, name + '.flac'), np.clip(y, -1, 1), rate, 'PCM_24')
    return ref, test


def check(lac, ref, test, label):
    ours = json.loads(subprocess.run([lac, 'eval', '--json', ref, test], check=True, stdout=subprocess.PIPE).stdout)
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, 'score.json')
        subprocess.run([sys.executable, os.path.join(SHARED, 'eval', 'score.py'), ref, test, '--no-visqol', '--json', out],
                       check=True, stdout=subprocess.DEVNULL)
        theirs = json.load(open(out))
    worst, refs, tests = {}, S.listing(ref), S.listing(test)
    for name, row in theirs['files'].items():
        mine = ours['files'][name]
        if ('mel24' in row) != ('mel24' in mine):
            worst['mel24'] = float('inf')
        expected = {k: row[k] for k in ('mel24', 'mel16') if k in row}
        (r, rate), (d, other) = S.load(refs[name]), S.load(tests[name])
        d = M.shift(M.resample(d, other, rate), int(round(theirs['delay_ms'] / 1000 * rate)), len(r))
        expected['si_sdr_db'] = M.si_sdr(r, d)
        if rate == 24000:
            expected['stft'] = M.mr_stft(r, d)
            mine['stft'] = mine['stft_sc'] + mine['stft_mag']
        for k, v in expected.items():
            worst[k] = max(worst.get(k, 0), abs(v - mine[k]))
    worst['delay_ms'] = abs(ours['delay_ms'] - theirs['delay_ms'])
    for k, v in theirs['summary'].items():
        if k in ours['summary']:
            worst['mean'] = max(worst.get('mean', 0), abs(v['mean'] - ours['summary'][k]['mean']))
            worst['ci95'] = max(worst.get('ci95', 0), abs((v['ci95'] or 0) - (ours['summary'][k]['ci95'] or 0)))
    bad = any(v > LIMIT for v in worst.values())
    print('%-8s %s  %2d files, largest differences: %s' % (label, 'DIFFERS' if bad else 'agrees ', len(theirs['files']),
          ', '.join('%s %.1e' % kv for kv in sorted(worst.items()))), flush=True)
    return bad


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument('lac')
    a.add_argument('ref', nargs='?')
    a.add_argument('test', nargs='?')
    a.add_argument('--count', type=int, default=6, help='files of each kind')
    a = a.parse_args()
    if a.ref:
        sys.exit(check(a.lac, a.ref, a.test, 'given'))
    with tempfile.TemporaryDirectory() as folder:
        kinds = ('late', 'early', 'noise', 'short', 'stereo', 'cd', 'phone')
        sys.exit(any([check(a.lac, *make(folder, how, a.count), how) for how in kinds]))


if __name__ == '__main__':
    main()
