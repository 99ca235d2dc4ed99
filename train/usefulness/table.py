"""Table and plots of the proof: table.py RUNS/usefulness [REPORT.md]

From results/*.json, whatever is there: table.md, and error.png, amount.png, factors.png. In REPORT.md what stands
between <!-- table --> and <!-- end of table --> becomes the table, and the plots are put beside it. 95 % intervals are
of 2000 drawings of the seeds and of the test speakers, the same for all arms; a change is of the seeds that both arms
have.
"""
import glob
import json
import os
import shutil
import sys
import matplotlib
import numpy as np
matplotlib.use('Agg')
import matplotlib.pyplot as plt                                              # noqa: E402

TIMES = 2000
BEGIN, END = '<!-- table -->', '<!-- end of table -->'
WHAT = {'an4': 'word error rate', 'accents': 'share of clips whose kind is told wrongly',
        'verification': 'equal error rate, 3 s'}
ARMS = {'real': 'real alone', 'usual': 'real, usual augmentation', 'recombined': 'real + recombined',
        'both': 'real + recombined, usual augmentation', 'own': 'real + own voices made again (control)',
        'voices': 'real + recombined, voices only', 'environment': 'real + recombined, environment only',
        'ungated': 'real + recombined, gates off', 'all@1': 'recombined, 1 time the seed',
        'all@2': 'recombined, 2 times', 'all@5': 'recombined, 5 times',
        'apart': 'real + recombined, each voice in one collection'}
PEOPLE = {'all': '', 'an4': ', AN4 alone', 'librispeech': ', LibriSpeech alone'}     # of verification


def load(folder):
    """-> {(task, size): {arm: {seed: result}}}"""
    found = {}
    for path in sorted(glob.glob(os.path.join(folder, 'results', '*.json'))):
        r = json.load(open(path))
        found.setdefault((r['task'], r['size']), {}).setdefault(r['arm'], {})[r['seed']] = r
    return found


def parts(arms):
    """-> [(behind the title, arms)]: verification is told of all people and of those of each collection."""
    if 'all' not in next(iter(arms['real'].values()))['test']:
        return [('', arms)]
    return [(title, {arm: {s: dict(r, test={'all': r['test'][k]}) for s, r in rs.items()} for arm, rs in arms.items()})
            for k, title in PEOPLE.items()]


def redrawn(results, seeds, times=TIMES):
    """Error rate as it is, and of drawings of seeds and speakers: the same drawings for the same seeds."""
    rng, tests = np.random.default_rng(11), [results[s]['test'] for s in seeds]
    drawn = rng.integers(len(seeds), size=(times, len(seeds)))
    if 'all' in tests[0]:
        each = np.array([t['all']['redrawn'] for t in tests])               # [seeds][drawings of speakers]
        return np.mean([t['all']['error'] for t in tests]), np.stack(
            [each[d, k % each.shape[1]].mean() for k, d in enumerate(drawn)])
    counts = np.array([[t[s] for s in sorted(t)] for t in tests], float)   # [seeds][speakers][errors, of]
    people = rng.integers(counts.shape[1], size=(times, counts.shape[1]))
    sums = np.stack([counts[d][:, p].sum((0, 1)) for d, p in zip(drawn, people)])
    whole = counts.sum((0, 1))
    return whole[0] / whole[1], sums[:, 0] / sums[:, 1]


def interval(drawings):
    return np.percentile(drawings, [2.5, 97.5])


def percent(value, drawings, sign=''):
    low, high = 100 * interval(drawings)
    return '{:{s}.1f} ({:{s}.1f} .. {:{s}.1f})'.format(100 * value, low, high, s=sign)


def change(arms, arm, than):
    """Relative change against another arm, in per cent with its interval."""
    seeds = sorted(set(arms[arm]) & set(arms.get(than, ())))
    if arm == than or not seeds:
        return ''
    (a, da), (b, db) = redrawn(arms[arm], seeds), redrawn(arms[than], seeds)
    return percent(a / b - 1, da / db - 1, '+')


def heard_hours(result):
    made = [v[1] for k, v in result['asked']['heard'].items() if k not in ('real', 'usual') and '+' not in k]
    return '%.2f' % (sum(made) / 3600) if made else ''


def rows(arms):
    for arm in [k for k in ARMS if k in arms]:
        seeds = sorted(arms[arm])
        value, drawings = redrawn(arms[arm], seeds)
        yield (ARMS[arm], str(len(seeds)), heard_hours(arms[arm][seeds[0]]), percent(value, drawings),
               change(arms, arm, 'real'), change(arms, arm, 'usual'))


def markdown(found):
    out = []
    for (task, size), every in sorted(found.items()):
        for title, arms in parts(every):
            out += ['## %s, %d training speakers: %s%s, %%' % (task, size, WHAT[task], title), '',
                    '| trained on | seeds | made, h | error | change against real, % | against usual, % |',
                    '| --- | --- | --- | --- | --- | --- |']
            out += ['| ' + ' | '.join(r) + ' |' for r in rows(arms)] + ['']
    return '\n'.join(out)


def bars(axis, arms, chosen, title):
    chosen = [k for k in chosen if k in arms]
    for k, arm in enumerate(chosen):
        value, drawings = redrawn(arms[arm], sorted(arms[arm]))
        low, high = interval(drawings)
        axis.bar(k, 100 * value, yerr=[[100 * (value - low)], [100 * (high - value)]], capsize=4)
    axis.set_xticks(range(len(chosen)), chosen, rotation=30, ha='right')
    axis.set_title(title)
    axis.set_ylabel('error, %')


def figure(folder, name, count):
    f, axes = plt.subplots(1, count, figsize=(4 * count, 4), squeeze=False)

    def save():
        f.tight_layout()
        f.savefig(os.path.join(folder, name), dpi=110)
        plt.close(f)
    return axes[0], save


def plot(folder, found):
    axes, save = figure(folder, 'error.png', len(found))
    for axis, ((task, size), arms) in zip(axes, sorted(found.items())):
        bars(axis, arms, ('real', 'usual', 'recombined', 'both'), '%s, %d speakers' % (task, size))
    save()
    arms = found.get(('an4', 5), {})
    if 'real' not in arms:
        return
    (axis,), save = figure(folder, 'factors.png', 1)
    bars(axis, arms, ('real', 'own', 'voices', 'environment', 'recombined', 'ungated'), 'by factor, 5 speakers')
    save()
    (axis,), save = figure(folder, 'amount.png', 1)
    amounts = [(n, k) for n, k in ((0, 'real'), (1, 'all@1'), (2, 'all@2'), (5, 'all@5'), (10, 'recombined'))
               if k in arms]
    values = [redrawn(arms[k], sorted(arms[k])) for _, k in amounts]
    middle, ends = np.array([v for v, _ in values]), np.array([interval(d) for _, d in values])
    axis.errorbar([n for n, _ in amounts], 100 * middle, 100 * np.abs(ends.T - middle), marker='o', capsize=4)
    axis.set_xlabel('recombined, times the seed set')
    axis.set_ylabel('word error rate, %')
    save()


def write(folder, report=None):
    found = load(folder)
    text = markdown(found)
    open(os.path.join(folder, 'table.md'), 'w').write(text)
    plot(folder, found)
    print(text)
    if report:
        before, _, rest = open(report).read().partition(BEGIN)
        open(report, 'w').write(before + BEGIN + '\n\n' + text + '\n' + END + rest.partition(END)[2])
        for path in glob.glob(os.path.join(folder, '*.png')):
            shutil.copy(path, os.path.dirname(report))


if __name__ == '__main__':
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    write(*sys.argv[1:])
