"""Whether a model renders noise as noise: buzz.py LAC MODEL [--rates 1.5,3,6]

Noise of our own making (6 s, falling by 6 dB an octave above 2 kHz, soft and loud) is coded with `lac`, and what comes
back is compared with itself 10, 20 and 40 ms later, above 1.5 kHz. Of noise these correlations are 0; a decoder that
repeats one waveform every frame has 1 at 20 ms, and is heard as a buzz at 50 Hz which no score of spectra notices.
"""
import argparse
import os
import tempfile
import numpy as np
import soundfile as sf
from scipy.signal import firwin, lfilter
from quality import through

LAGS = 10, 20, 40                              # ms
LEVELS = {'soft': 0.003, 'loud': 0.05}


def correlations(x):
    y = np.convolve(x, firwin(255, 1500, fs=24000, pass_zero=False), 'same')
    return [np.dot(y[:-lag * 24], y[lag * 24:]) / np.dot(y, y) for lag in LAGS]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('lac')
    p.add_argument('model')
    p.add_argument('--rates', default='1.5,3,6')
    a = p.parse_args()
    print('| noise | kbit/s | level, dB | 10 ms | 20 ms | 40 ms |\n|---|---|---|---|---|---|')
    with tempfile.TemporaryDirectory() as folder:
        wav, lac, out = (os.path.join(folder, name) for name in ('a.wav', 'a.lac', 'b.wav'))
        for name, level in LEVELS.items():
            x = lfilter([1], [1, -0.7], np.random.default_rng(1).standard_normal(6 * 24000)) * level
            sf.write(wav, x, 24000)
            for rate in a.rates.split(','):
                through(a.lac, a.model, rate, wav, lac, out, ('--constant',))
                y = sf.read(out)[0]
                print('| %s | %s | %+.1f | %s |' % (name, rate, 20 * np.log10(y.std() / x.std()), ' | '.join(
                    '%.2f' % c for c in correlations(y[24000:]))))


if __name__ == '__main__':
    main()
