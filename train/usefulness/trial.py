"""One training and its score: the labels of a task, its networks' errors on people never heard."""
import json
import zlib
import numpy as np
import banks
import listener
import tasks
import verification

PLAN = {'an4': 'all', 'accents': 'all', 'verification': 'steady'}
CLEAN = {'real': 1}
USUAL = {'real': 0.3, 'usual': 0.7}
EITHER = {'real': 0.5, None: 0.5}               # None: the synthetic bank of the arm
BOTH = {'real': 0.2, 'usual': 0.3, None: 0.2, '+usual': 0.3}
SECONDS, UTTERANCES = 3.0, 12                   # of a verification trial's sides; of a speaker


def arms(task, size):
    """{arm: ({bank: weight}, whether SpecAugment)}; the first is real data alone. BANK@N is the first part of a
    bank, N times as long as the seed set."""
    plan = PLAN[task]
    named = {'real': (CLEAN, False), 'usual': (USUAL, True), 'recombined': (of(EITHER, plan), False),
             'both': (of(BOTH, plan), True)}
    if task == 'an4' and size == 5:
        for part in ('voices', 'environment', 'own', 'ungated', 'all@1', 'all@2', 'all@5'):
            named[part] = of(EITHER, part), False
    if task == 'verification':                  # three voices of four say what is said in AN4, as speakers do
        named['apart'] = {'real': 0.5, 'steady-an4': 0.375, 'steady-librispeech': 0.125}, False
    return named


def of(weights, bank):
    return {bank if k is None else bank + k if k[0] == '+' else k: w for k, w in weights.items()}


def labels(task, told):
    """-> number of classes, told -> label. Words are those of the seed set."""
    if task.name == 'an4':
        words = {w: k + 1 for k, w in enumerate(vocabulary(task))}
        return len(words) + 1, lambda t: [words[w] for w in t['text'].split()]
    if task.name == 'accents':
        return len(tasks.KINDS), lambda t: tasks.KINDS.index(t['text'])
    speakers = {s: k for k, s in enumerate(sorted({t['speaker'] for t in told}))}
    return len(speakers), lambda t: speakers[t['speaker']]


def vocabulary(task):
    return sorted({w for i in task.train for w in task.clips[i]['text'].split()})


def beginning(bank, seconds):
    """Clips of a bank until they last so long."""
    return range(int(np.searchsorted(bank.ends, 100 * seconds)) + 1)[:len(bank.told)]


class Trial:
    """A task and the banks of one arm: asked() tells what a result depends on, run() trains and scores."""

    def __init__(self, task, arm, store, recipe=None):
        self.task, self.arm, self.store = task, arm, store
        self.weights, self.spec = arms(task.name, task.size)[arm]
        self.o = dict(listener.RECIPE[task.name], **(recipe or {}))
        self.real = store.get(task, 'real')
        self.at = {t['clip']: k for k, t in enumerate(self.real.told)}

    def chosen(self, name):
        """-> bank, its clips that the arm hears."""
        if name == 'real':
            return self.real, [self.at[i] for i in self.task.train]
        kind, _, times = name.partition('@')
        bank, seed = self.store.get(self.task, kind), sum(self.task.clips[i]['seconds'] for i in self.task.train)
        return bank, beginning(bank, float(times or banks.MULTIPLY) * seed)

    def banks(self):
        parts = {name: self.chosen(name) for name in self.weights}
        told = [bank.told[k] for bank, which in parts.values() for k in which]
        classes, label = labels(self.task, told)
        return classes, {name: bank.labelled(label, which) for name, (bank, which) in parts.items()}

    def asked(self):
        heard = {name: [len(which), sum(bank.told[k]['frames'] for k in which) / 100, bank.key,
                        zlib.crc32(json.dumps(bank.told).encode())]
                 for name, (bank, which) in ((name, self.chosen(name)) for name in self.weights)}
        recipe = {k: v for k, v in self.o.items() if k != 'masks' or self.spec}
        return dict(recipe=recipe, weights=self.weights, specaugment=self.spec, heard=heard)

    def train(self, watch=None):
        classes, parts = self.banks()
        return listener.train(parts, self.weights, self.spec, classes, self.o, self.task.seed, watch)

    def score(self, net, clips):
        """-> {speaker: [errors, of how many]}, or of verification {trials: equal error rates}."""
        if self.task.name == 'verification':
            return self.verify(net, clips)
        said = listener.outputs(net, [self.real.frames(self.at[i]) for i in clips])
        words, found = [None] + vocabulary(self.task), {}
        for i, y in zip(clips, said):
            c = self.task.clips[i]
            if self.task.name == 'an4':
                text = c['text'].split()
                pair = listener.edits(text, [words[k] for k in listener.read(y)]), len(text)
            else:
                pair = int(tasks.KINDS[int(y.argmax())] != c['text']), 1
            row = found.setdefault(c['speaker'], [0, 0])
            row[:] = row[0] + pair[0], row[1] + pair[1]
        return found

    def verify(self, net, clips):
        speakers = sorted({self.task.clips[i]['speaker'] for i in clips})
        known = [c if i in self.at else dict(c, speaker=None) for i, c in enumerate(self.task.clips)]
        who, places = verification.utterances(known, speakers, [SECONDS], UTTERANCES)
        u = np.stack(listener.outputs(net, [np.concatenate([self.real.frames(self.at[c])[:2 * f] for c, f in p])
                                            for p in places]))
        family = np.array([tasks.splits.family(s) for s in speakers])
        found = {}
        for name in ('all', 'an4', 'librispeech'):
            use = np.flatnonzero((family[who] == name) | (name == 'all'))
            a, b, same = verification.trials(who[use])
            cosine = (u[use] @ u[use].T)[a, b]
            found[name] = {'error': float(verification.equal_error(cosine, same)[0]), 'redrawn': [
                round(float(e), 5) for e in verification.redrawn(cosine, who[use][a], who[use][b], len(speakers))]}
        return found


def share(found):
    """One number of what score() gives."""
    if 'all' in found:
        return found['all']['error']
    counts = np.array(list(found.values()))
    return counts[:, 0].sum() / counts[:, 1].sum()
