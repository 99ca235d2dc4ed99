"""Quality by condition: conditions.py LAC MODEL AUDIO_DIR [--rates 1.5,3,6] [--clips N] [--jobs N]

Makes test material out of the dev split (noise, rooms, two voices, levels, children, whispers), espeak-ng (other
languages), a singing synthesiser of our own and the music of AUDIO_DIR, codes it with `lac` and scores each against what
was coded. Nothing is kept. Prints the card's table.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
import numpy as np
import soundfile as sf
import soxr
from scipy.signal import fftconvolve, lfilter
from quality import EVAL, through

SR = 24000
LANGUAGES = {'French': 'fr', 'Spanish': 'es', 'Mandarin': 'cmn', 'Hindi': 'hi', 'Arabic': 'ar'}


def load(path):
    x, rate = sf.read(path, dtype='float32', always_2d=True)
    return soxr.resample(x[:, 0], rate, SR) if rate != SR else x[:, 0]


def mixed(x, v, snr):
    """x plus v, repeated, at a signal-to-noise ratio in dB."""
    v = np.tile(v, -(-len(x) // len(v)))[:len(x)]
    return x + v * (x.std() / (v.std() + 1e-9)) * 10 ** (-snr / 20)


def room(x, t60, rng):
    """Direct sound and an exponential tail of noise 6 dB below it."""
    n = int(t60 * SR)
    tail = rng.standard_normal(n) * 10 ** (-3 * np.arange(n) / n)
    tail[:int(0.003 * SR)] = 0
    h = tail / np.sqrt((tail ** 2).sum()) * 0.5
    h[0] = 1
    return fftconvolve(x, h)[:len(x)]


def whisper(x, rng):
    """Linear prediction of order 24 in 20 ms frames, excited by noise."""
    y, w = np.zeros(len(x) + 480), np.hanning(481)[:-1]
    for s in range(0, len(x) - 480, 240):
        f = x[s:s + 480] * w
        r = np.correlate(f, f, 'full')[479:504]
        a, e = np.array([1.0]), r[0] * 1.0001 + 1e-9
        for i in range(1, 25):
            k = -(a @ r[1:i + 1][::-1]) / e
            a = np.append(a, 0) + k * np.append(a, 0)[::-1]
            e *= 1 - k * k
        y[s:s + 480] += lfilter([1], a, rng.standard_normal(480)) * np.sqrt(max(e, 0) / 480) * w
    return y[:len(x)]


def singing(seed):
    """Eight sung notes: vibrato, three formants, legato."""
    rng = np.random.default_rng(seed)
    n = 6 * SR
    note = np.repeat(220 * 2 ** (rng.integers(-5, 12, 8) / 12), n // 8)
    note = lfilter([0.002], [1, -0.998], note, zi=[0.998 * note[0]])[0]
    t = np.arange(n) / SR
    phase = np.cumsum(note * (1 + 0.012 * np.sin(2 * np.pi * 5.5 * t)) / SR)
    voice = sum(np.cos(2 * np.pi * k * phase) * (k * note < 11000) / k for k in range(1, 60))
    for f, b in ((rng.uniform(400, 800), 90), (rng.uniform(1000, 1800), 110), (2700, 160)):
        c = np.exp(-np.pi * b / SR)
        voice = lfilter([1], [1, -2 * c * np.cos(2 * np.pi * f / SR), c * c], voice)
    return 0.3 * voice / np.abs(voice).max() + 1e-3 * rng.standard_normal(n)


def spoken(voice, scratch):
    text = {'fr': 'Le vent du nord et le soleil se disputaient, chacun assurant être le plus fort.',
            'es': 'El viento del norte y el sol discutían sobre cuál de ellos era el más fuerte.',
            'cmn': '北风跟太阳正在那儿争论谁的本事大。', 'hi': 'उत्तरी हवा और सूरज इस बात पर झगड़ रहे थे।',
            'ar': 'كانت ريح الشمال تتجادل مع الشمس.'}[voice]
    path = os.path.join(scratch, voice + '.wav')
    subprocess.run(['espeak-ng', '-v', voice, '-w', path, text], check=True)
    return load(path)


def material(audio, rows, count, scratch):
    """{condition: [PCM]}"""
    rng = np.random.default_rng(1)
    clips = [load(os.path.join(audio, r['path'])) for r in rows if r['split'] == 'dev'][::max(1, 63 // count)][:count]
    noise = [load(os.path.join(audio, r['path'])) for r in rows if r['split'] == 'noise'][::40][:len(clips)]
    music = [load(os.path.join(audio, r['path']))[:8 * SR] for r in rows if r['split'] == 'music'][::5][:count]
    noise = (noise * count)[:len(clips)]
    return {
        'as it is': clips,
        'noise at 15 dB': [mixed(x, v, 15) for x, v in zip(clips, noise)],
        'noise at 5 dB': [mixed(x, v, 5) for x, v in zip(clips, noise)],
        'room, T60 0.5 s': [room(x, 0.5, rng) for x in clips],
        'two voices at once': [mixed(x, v, 0) for x, v in zip(clips, clips[1:] + clips[:1])],
        '30 dB softer': [x * 10 ** -1.5 for x in clips],
        'overdriven by 12 dB': [np.clip(x / np.abs(x).max() * 4, -1, 1) for x in clips],
        'children (pitch and formants x 1.35)': [soxr.resample(x, SR * 1.35, SR) for x in clips],
        'whispered (simulated)': [whisper(x, rng) for x in clips],
        'sung (synthesised)': [singing(s) for s in range(4)],
        'other languages (espeak-ng)': [spoken(v, scratch) for v in LANGUAGES.values()],
        'music': music,
    }


def score_one(job):
    lac, model, rate, path = job
    sys.path.insert(0, EVAL)
    import score as S
    coded, out = path + '.%s.lac' % rate, path + '.%s.wav' % rate
    through(lac, model, rate, path, coded, out, ('--constant',))
    (r, sr), (d, _) = S.load(path), S.load(out)
    return S.score(r, d, sr)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument('lac')
    a.add_argument('model')
    a.add_argument('audio')
    a.add_argument('--rates', default='1.5,3,6')
    a.add_argument('--clips', type=int, default=16)
    a.add_argument('--jobs', type=int, default=2)
    a = a.parse_args()
    rows = [json.loads(line) for line in open(os.path.join(a.audio, 'manifest.jsonl'))]
    rates, metrics = a.rates.split(','), ('mel16', 'visqol', 'estoi', 'pesq')
    with tempfile.TemporaryDirectory() as scratch, ProcessPoolExecutor(a.jobs) as pool:
        jobs = []
        for name, clips in material(a.audio, rows, a.clips, scratch).items():
            for i, x in enumerate(clips):
                path = os.path.join(scratch, '%d_%d.wav' % (len(jobs), i))
                sf.write(path, np.clip(x, -1, 1), SR)
                jobs += [(name, (a.lac, a.model, r, path)) for r in rates]
        scores = list(pool.map(score_one, [j for _, j in jobs]))
    print('| condition (clips) | ' + ' | '.join('%s at %s' % (m, r) for m in metrics for r in rates) + ' |')
    print('|---' * (1 + len(metrics) * len(rates)) + '|')
    for name in dict.fromkeys(n for n, _ in jobs):
        of = [(j[2], s) for (n, j), s in zip(jobs, scores) if n == name]
        cells = ['%.3f' % np.mean([s[m] for r, s in of if r == rate and m in s]) for m in metrics for rate in rates]
        print('| %s (%d) | ' % (name, len(of) // len(rates)) + ' | '.join(cells) + ' |')


if __name__ == '__main__':
    main()
