"""Synthetic data of a task: its seed set as a manifest, and `lac synth` on it by plans/PLAN.yaml.

    synthesise.py MANIFEST DATA RUNS LAC MODEL TASK SIZE SEED PLAN...

RUNS/usefulness/synth/TASK-SIZE-SEED/seed.jsonl has the rows of the training speakers' clips (split `seed`) and
recordings of noise (split `noise`) for plans that add some; PLAN-ID/ beside it is what `lac synth` makes with the
factor model MODEL. The plans forbid the held-out speakers once more. prove.py does all this by itself; this command
spreads it over processes or machines.
"""
import hashlib
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


class Synthesis:
    """`lac synth` with a factor model, for whoever asks for a plan's outputs on a task."""

    def __init__(self, manifest, runs, lac, model, jobs):
        self.manifest, self.runs, self.lac, self.model, self.jobs = manifest, runs, lac, model, jobs
        self.id = hashlib.sha256(open(model, 'rb').read())

    def __call__(self, task, plan):
        """-> RUNS/usefulness/synth/TASK-SIZE-SEED/PLAN-ID, complete. The name changes with model, plan and rows."""
        _, path = write_manifest(task, self.manifest, self.runs)
        text, known = os.path.join(PLANS, plan + '.yaml'), self.id.copy()
        known.update(open(text, 'rb').read() + open(path, 'rb').read())
        out = os.path.join(os.path.dirname(path), '%s-%s' % (plan, known.hexdigest()[:8]))
        if not os.path.exists(out + '.done'):
            self.make(text, path, out)
        return out

    def make(self, plan, manifest, out):
        told = subprocess.run([self.lac, 'synth', plan, '-i', manifest, '-o', out, '-m', self.model, '--resume',
                               '-j', str(self.jobs)], stdout=sys.stderr)
        there = os.path.isdir(out)              # then 1 says that some outputs were refused, the rest is there
        if told.returncode != 0 and not (told.returncode == 1 and there):
            sys.exit('lac synth %s on %s: exit status %d' % (plan, manifest, told.returncode))
        open(out + '.done', 'w').close()


def main():
    if len(sys.argv) < 10:
        sys.exit(__doc__)
    manifest, data, runs, lac, model, name, size, seed = sys.argv[1:9]
    corpus = banks.Corpus(os.path.join(data, 'factors'))
    task = tasks.Task(name, int(size), int(seed), corpus.clips)
    made = Synthesis(manifest, runs, lac, model, int(os.environ.get('JOBS', 2)))
    for plan in sys.argv[9:]:
        print(made(task, plan), flush=True)


if __name__ == '__main__':
    main()
