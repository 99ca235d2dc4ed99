"""Synthetic data of a task: its seed set as a manifest, and `lac synth` on it by plans/PLAN.yaml.

    synthesise.py MANIFEST DATA RUNS LAC TASK SIZE SEED PLAN...

RUNS/usefulness/synth/TASK-SIZE-SEED/seed.jsonl has the rows of the training speakers' clips (split `seed`) and
recordings of noise (split `noise`) for plans that add some; PLAN/ beside it is what `lac synth --resume` makes. The
plans forbid the held-out speakers once more.
"""
import json
import os
import subprocess
import sys
import banks
import tasks

NOISE = 3                                       # of the recordings of noise, every third
PLANS = os.path.join(tasks.HERE, 'plans')
KEEP = ('text', 'lang', 'licence', 'seconds', 'source')


def manifest_rows(task, manifest, folder):
    """Rows of the seed set and of noise, their paths as seen from `folder`."""
    audio = os.path.dirname(os.path.abspath(manifest))
    known = {r['path']: r for r in tasks.splits.read_manifest(manifest)}
    noise = [r for r in known.values() if r['split'] == 'noise'][::NOISE]
    chosen = [(known[task.clips[i]['path']], 'seed') for i in task.train] + [(r, 'noise') for r in noise]
    for r, split in chosen:
        row = {k: r[k] for k in KEEP if r.get(k) is not None}
        if split == 'seed':
            row.update(speaker=r['speaker'], clip=r['path'])
        yield dict(row, path=os.path.relpath(os.path.join(audio, r['path']), folder), split=split)


def write_manifest(task, manifest, runs):
    """-> its rows; the file is left alone if it says the same."""
    folder = os.path.join(runs, 'usefulness', 'synth', task.id)
    os.makedirs(folder, exist_ok=True)
    rows = list(manifest_rows(task, manifest, folder))
    tasks.assert_apart(task, manifest, runs, rows)
    text, path = ''.join(json.dumps(r) + '\n' for r in rows), os.path.join(folder, 'seed.jsonl')
    if not os.path.exists(path) or open(path).read() != text:
        open(path, 'w').write(text)
    return rows, path


def synthesise(task, plan, manifest, runs, lac, jobs):
    rows, path = write_manifest(task, manifest, runs)
    out, done = os.path.join(os.path.dirname(path), plan), os.path.join(os.path.dirname(path), plan + '.done')
    if os.path.exists(done):
        return
    told = subprocess.run([lac, 'synth', os.path.join(PLANS, plan + '.yaml'), '-i', path, '-o', out, '--resume',
                           '-j', str(jobs)])
    if told.returncode > 1:                     # 1: some were recorded as rejected or failed, the rest is there
        sys.exit('lac synth %s on %s: exit status %d' % (plan, path, told.returncode))
    open(done, 'w').close()


def main():
    if len(sys.argv) < 9:
        sys.exit(__doc__)
    manifest, data, runs, lac, name, size, seed = sys.argv[1:8]
    corpus = banks.Corpus(os.path.join(data, 'factors'))
    task = tasks.Task(name, int(size), int(seed), corpus.clips)
    for plan in sys.argv[8:]:
        synthesise(task, plan, manifest, runs, lac, int(os.environ.get('JOBS', 2)))


if __name__ == '__main__':
    main()
