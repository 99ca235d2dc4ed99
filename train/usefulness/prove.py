"""Does recombination help? Trainings of small networks with it and without, tested on real people never heard.

    prove.py MANIFEST DATA RUNS LAC MODEL [--tasks ..] [--sizes ..] [--seeds N] [--first K] [--arms ..] [--jobs T]

DATA and RUNS are train/data and train/runs, LAC and MODEL what synthesises. Each training leaves a result in
RUNS/usefulness/results, and is left out where one of the same data and recipe is there. Real data alone is in every
run. Afterwards the table and the plots are written (table.py).
"""
import argparse
import json
import os
import time
import torch
import banks
import sound
import synthesise
import table
import tasks
import trial


def result_of(t, results):
    """-> the arm's result, made if it is not there."""
    path, asked = os.path.join(results, '%s-%s.json' % (t.task.id, t.arm)), t.asked()
    if os.path.exists(path):
        r = json.load(open(path))
        if r['asked'] == json.loads(json.dumps(asked)):
            return r
    begun = time.process_time()
    net = t.train()
    r = dict(task=t.task.name, size=t.task.size, seed=t.task.seed, arm=t.arm, asked=asked,
             valid=t.score(net, t.task.valid) if t.task.valid else None, test=t.score(net, t.task.test),
             train_speakers=t.task.speakers, seconds=round(time.process_time() - begun, 1))
    os.makedirs(results, exist_ok=True)
    json.dump(r, open(path + '.part', 'w'))
    os.rename(path + '.part', path)
    return r


def prove(task, arms, a, store):
    rows, _ = synthesise.write_manifest(task, a.manifest, a.runs)
    lists = tasks.assert_apart(task, a.manifest, a.runs, rows)
    print('%s: %d test speakers, none in %s' % (task.id, len(task.voices(task.test)), ', '.join(
        '%s (%d)' % (os.path.relpath(k, a.runs) if '/' in k else k, n) for k, n in lists.items())), flush=True)
    for arm in arms:
        r = result_of(trial.Trial(task, arm, store), os.path.join(a.runs, 'usefulness', 'results'))
        print('%s %-12s error %.3f (%.0f s)' % (task.id, arm, trial.share(r['test']), r['seconds']), flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ('manifest', 'data', 'runs', 'lac', 'model'):
        p.add_argument(name)
    p.add_argument('--tasks', nargs='+', default=list(tasks.SIZES), choices=list(tasks.SIZES))
    p.add_argument('--sizes', nargs='+', type=int, help='of the speakers of the training set')
    p.add_argument('--seeds', type=int, default=5)
    p.add_argument('--first', type=int, default=0, help='seed to begin with: others are for another process')
    p.add_argument('--arms', nargs='+', help='these alone, and real data')
    p.add_argument('--jobs', type=int, default=2, help='threads of the synthesis')
    a = p.parse_args()
    torch.set_num_threads(1)
    corpus = banks.Corpus(os.path.join(a.data, 'factors'))
    synthesis = synthesise.Synthesis(a.manifest, a.runs, a.lac, a.model, a.jobs)
    store = banks.Banks(corpus, sound.Usual(a.data), a.runs, synthesis)
    for name in a.tasks:
        for seed in range(a.first, a.seeds):
            for size in a.sizes or tasks.SIZES[name]:
                arms = [k for k in trial.arms(name, size) if not a.arms or k in a.arms + ['real']]
                prove(tasks.Task(name, size, seed, corpus.clips), arms, a, store)
    table.write(os.path.join(a.runs, 'usefulness'))


if __name__ == '__main__':
    main()
