"""How quality grows with width, audio seen and data: scaling.py DATA RUNS [--steps N]

Trains small copies of train/config.json's network, reconstruction alone, codebooks from step 200, each from nothing:
widths of 1/4, 1/2, 3/4 and 1 on all data, and half the width on a quarter and on a sixteenth of the clips. The mel
distance of the averaged weights on the dev split at 6 codebooks (validate.py) is noted at every eighth of the steps. A
training that is there already is not repeated, one that was stopped goes on. Prints the exponents of
distance ~ parameters^-a and ~ audio^-b, from straight lines through logarithms, and draws train/scaling.png.
"""
import argparse
import json
import os
import subprocess
import sys
import matplotlib
import numpy as np
import torch
from model import Codec
matplotlib.use('Agg')
import matplotlib.pyplot as plt                                              # noqa: E402
from matplotlib import ticker                                                # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
RUNS = [(0.25, 1.0), (0.5, 1.0), (0.75, 1.0), (1.0, 1.0), (0.5, 1 / 4), (0.5, 1 / 16)]      # width, share of the clips
METRIC = 'mel_6'


def config(width, share, steps):
    with open(os.path.join(HERE, 'config.json')) as f:
        cfg = json.load(f)
    for side in ('encoder', 'decoder'):
        for kind, row in cfg['model'][side].items():
            cfg['model'][side][kind] = [round(w * width / 8) * 8 for w in row]
    cfg.update(data_share=share, kmeans_step=200, ema=0.99, validate_steps=steps // 8,
               phases=[dict(steps=steps, lr=[1e-3, 4e-4], adversarial=False, own_pitch=0)])
    return cfg


def train(runs, data, width, share, steps):
    """-> {'width', 'share', 'parameters', 'curve': [[seconds of audio, distance]]}"""
    run = os.path.join(runs, 'scaling', 'width%g-share%g-steps%d' % (width, share, steps))
    os.makedirs(run, exist_ok=True)
    cfg, table = config(width, share, steps), os.path.join(run, 'validation.jsonl')
    with open(os.path.join(run, 'config.json'), 'w') as f:
        json.dump(cfg, f)
    subprocess.run([sys.executable, os.path.join(HERE, 'train.py'), f.name, data, run], check=True)
    rows = {r['step']: r for r in map(json.loads, open(table))}              # a step may be there twice
    codec = Codec(cfg['model'])
    count = sum(p.numel() for side in (codec.encoder, codec.decoder) for p in side.parameters())
    return dict(width=width, share=share, parameters=count, curve=[[r['seen'], r[METRIC]] for r in rows.values()])


def exponent(x, y):
    return -np.polyfit(np.log(x), np.log(y), 1)[0]


def thousands(x, _):
    return '%g M' % (x / 1e6) if x >= 1e6 else '%g k' % (x / 1e3)


def draw(results, path):
    whole = [r for r in results if r['share'] == 1]
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout='constrained', sharey=True)
    for r in results:
        share = '' if r['share'] == 1 else ', 1/%d of the data' % round(1 / r['share'])
        left.loglog(*zip(*r['curve']), 'o-', label='%.2f M%s' % (r['parameters'] / 1e6, share))
    left.set(xlabel='seconds of audio seen', ylabel='mel distance, dev, 3 kbit/s')
    left.legend(fontsize=7, title='parameters', title_fontsize=7)
    right.loglog([r['parameters'] for r in whole], [r['curve'][-1][1] for r in whole], 'o-')
    right.set(xlabel='parameters, after %d s of audio' % whole[0]['curve'][-1][0])
    for axis in (left, right):
        axis.grid(which='both', alpha=0.3)
        for side in (axis.xaxis, axis.yaxis):
            side.set_major_formatter(ticker.FuncFormatter((lambda y, _: '%g' % y) if side is axis.yaxis else thousands))
            side.set_minor_formatter(ticker.NullFormatter())
    left.set_yticks([0.5, 0.7, 1, 1.5, 2])
    left.set_xticks([2000, 5000, 10000])
    right.set_xticks([5e5, 1e6, 2e6, 5e6])
    figure.savefig(path, dpi=110)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('data')
    p.add_argument('runs')
    p.add_argument('--steps', type=int, default=1600, help='of 8 crops of a second')
    a = p.parse_args()
    torch.set_num_threads(1)
    results = [train(a.runs, a.data, width, share, a.steps) for width, share in RUNS]
    print('| width | of the clips | parameters | distance at each eighth |\n|---|---|---|---|')
    for r in results:
        print('| %g | %g | %d | %s |' % (r['width'], r['share'], r['parameters'], ', '.join(
            '%.3f' % d for _, d in r['curve'])))
    whole = [r for r in results if r['share'] == 1]
    print('distance ~ parameters^-%.3f' % exponent([r['parameters'] for r in whole],
                                                  [r['curve'][-1][1] for r in whole]))
    for r in whole:
        half = [row for row in r['curve'] if row[0] >= r['curve'][-1][0] / 2]
        print('width %g: distance ~ audio^-%.3f from the half on' % (r['width'], exponent(*zip(*half))))
    draw(results, os.path.join(HERE, 'scaling.png'))


if __name__ == '__main__':
    main()
