"""How a recipe was chosen: errors on the `valid` speakers while training, never on test ones.

    choose.py MANIFEST DATA RUNS LAC MODEL TASK SIZE SEED ARM... [--recipe JSON] [--watch STEPS]
"""
import argparse
import json
import os
import time
import torch
import banks
import sound
import synthesise
import tasks
import trial


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ('manifest', 'data', 'runs', 'lac', 'model', 'task'):
        p.add_argument(name)
    p.add_argument('size', type=int)
    p.add_argument('seed', type=int)
    p.add_argument('arms', nargs='+')
    p.add_argument('--recipe', default='{}')
    p.add_argument('--watch', type=int, default=100)
    a = p.parse_args()
    torch.set_num_threads(1)
    corpus = banks.Corpus(os.path.join(a.data, 'factors'))
    synthesis = synthesise.Synthesis(a.manifest, a.runs, a.lac, a.model, 2)
    store = banks.Banks(corpus, sound.Usual(a.data), a.runs, synthesis)
    task = tasks.Task(a.task, a.size, a.seed, corpus.clips)
    tasks.assert_apart(task, a.manifest, a.runs, [])
    for arm in a.arms:
        t = trial.Trial(task, arm, store, dict(json.loads(a.recipe), watch=a.watch))
        begun = time.process_time()

        def watch(step, net):
            print('%s %s step %d, %.1f s: %.3f' % (task.id, arm, step, time.process_time() - begun,
                                                   trial.share(t.score(net, task.valid))), flush=True)
        t.train(watch)


if __name__ == '__main__':
    main()
