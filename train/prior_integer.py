"""The prior in integers, as C computes it (quant/prior.h): what stands in a model file, and what it gives.

Activations are integers whose one is 4096. doc/model-format.md, "Extensions", kind 2, is normative.
"""
import os
import struct
import numpy as np
import lacm
from integers import Quantiser
from reference import write

ONE, TOP = 4096, 4095
KIND, VERSION, SHIFT = 2, 1, 32
TOTAL = 1 << 15                                 # of a symbol's frequencies
ENTRIES = (np.arange(4096) - 2048) / 256
SIGMA = np.floor(ONE / (1 + np.exp(-ENTRIES)) + 0.5).astype(np.int64)
TANH = (np.sign(ENTRIES) * np.minimum(np.floor(ONE * np.tanh(np.abs(ENTRIES)) + 0.5), TOP)).astype(np.int64)
EXP = np.floor(65535 * np.exp(-np.arange(4096) / 256) + 0.5).astype(np.uint64)


def words(path):
    """What each token of a model file stands for: int16 [Q][K][D]."""
    _, m, t = lacm.read(path)
    quantiser, all_of_them = Quantiser(m, t), np.arange(m['codewords'])
    return np.stack([quantiser.words(all_of_them, q) for q in range(m['codebooks'])]).astype(np.int16)


def sizes(codewords):
    """Classes C and members M of a codebook."""
    members = 1 << ((codewords - 1).bit_length() + 1) // 2
    return -(-codewords // members), members


def layout(q, k, d, h, e, c):
    """[(name, dtype, shape)] in the extension's order."""
    rows = [('cell_z.weight', 'i1', (2 * h, d)), ('cell_h.weight', 'i1', (2 * h, h)),
            ('cell.multiplier', '<i4', (2, 2 * h)), ('cell.bias', '<i4', (q, 2 * h)), ('leaf_of', '<u2', (q, k))]
    for s in range(q):
        rows += [('%d.%s' % (s, name), dtype, shape) for name, dtype, shape in (
            ('state.weight', 'i1', (e, h)), ('partial.weight', 'i1', (e, d)), ('multiplier', '<i4', (2, e)),
            ('bias', '<i4', (e,)), ('class.weight', 'i1', (c, e)), ('class.multiplier', '<i4', (c,)),
            ('class.bias', '<i4', (c,)), ('member.weight', 'i1', (k, e)), ('member.multiplier', '<i4', (k,)),
            ('member.bias', '<i4', (k,)))]
    return rows


def extension(tensors, q, k, d):
    """Tensors of `layout` -> the extension's bytes."""
    h, e = tensors['cell_h.weight'].shape[1], tensors['0.state.weight'].shape[0]
    c, m = sizes(k)
    body = struct.pack('<6I8x', VERSION, h, e, c, m, SHIFT)
    for name, dtype, shape in layout(q, k, d, h, e, c):
        a = np.asarray(tensors[name])
        assert a.shape == shape and np.array_equal(a, a.astype(dtype)), name
        body += bytes(-(32 + len(body)) % lacm.ALIGN) + a.astype(dtype).tobytes()
    return lacm.extension(KIND, body)


def attach(source, out, tensors):
    """Write the model file `source` to `out` with this prior in place of any other."""
    lacm.attach(source, out, KIND, extension(tensors, *words(source).shape))


def read(path):
    """The prior of a model file."""
    raw, w = dict(lacm.split(path)[1])[KIND], words(path)
    version, h, e, c, m, shift = struct.unpack_from('<6I', raw, 32)
    assert (version, shift, (c, m)) == (VERSION, SHIFT, sizes(w.shape[1]))
    at, tensors = 64, {}
    for name, dtype, shape in layout(*w.shape, h, e, c):
        at += -at % lacm.ALIGN
        a = np.frombuffer(raw, dtype, int(np.prod(shape)), at)
        tensors[name], at = a.reshape(shape), at + a.nbytes
    return IntegerPrior(tensors, w)


def clamped(x):
    return np.clip(x, -TOP, TOP)


class IntegerPrior:
    """Many pages P at once, which keep step: h [P, H], z [P, D]."""

    def __init__(self, tensors, w):
        self.t = {k: v.astype(np.float64 if k.endswith('.weight') else np.int64) for k, v in tensors.items()}
        self.words = w.astype(np.int64)
        self.state, self.members = tensors['cell_h.weight'].shape[1], sizes(w.shape[1])[1]

    def product(self, name, x):
        """Exact: sums stay far below 2^53."""
        return (x.astype(np.float64) @ self.t[name].T).astype(np.int64)

    def frame(self, h, z, n):
        """The state for a frame of n > 0 codebooks, z the latent of the one before."""
        m = self.t['cell.multiplier']
        a = (self.product('cell_z.weight', z) * m[0] + self.product('cell_h.weight', h) * m[1]) >> SHIFT
        a = np.clip(a + self.t['cell.bias'][n - 1], -2048, 2047) + 2048
        f, new = SIGMA[a[:, :self.state]], TANH[a[:, self.state:]]
        return clamped(h + ((f * (new - h) + 2048) >> 12))

    def logits(self, s, kind, e, rows=slice(None)):
        """Of classes, or of the members whose leaves are rows [P, M]."""
        if isinstance(rows, slice):
            sums = self.product('%d.%s.weight' % (s, kind), e)
        else:
            sums = np.einsum('pe,pme->pm', e.astype(np.float64), self.t['%d.%s.weight' % (s, kind)][rows])
        pre = sums.astype(np.int64) * self.t['%d.%s.multiplier' % (s, kind)][rows] >> SHIFT
        return np.clip(pre + self.t['%d.%s.bias' % (s, kind)][rows], -32768, 32767)

    def stage(self, s, h, p, group):
        """p [P, D] the codewords below stage s, group [P] the class that was coded -> frequencies of all classes
        [P, C], and of that class's members [P, M], 0 where there is none."""
        m = self.t['%d.multiplier' % s]
        u, v = self.product('%d.state.weight' % s, h), self.product('%d.partial.weight' % s, p)
        a = (u * m[0] + v * m[1]) >> SHIFT
        e = TANH[np.clip(a + self.t['%d.bias' % s], -2048, 2047) + 2048]
        leaves = group[:, None] * self.members + np.arange(self.members)
        there = leaves < self.words.shape[1]
        classes = self.logits(s, 'class', e)
        members = self.logits(s, 'member', e, np.where(there, leaves, 0))
        return frequencies(classes, np.ones_like(classes, bool)), frequencies(members, there)

    def sequence(self, tokens, counts):
        """tokens [P, T, N], counts [T] codebooks of each frame -> for each frame and codebook of it (t, s, h, class
        and member frequencies, class [P], member [P])."""
        p, d = len(tokens), self.words.shape[2]
        h, z = np.zeros((p, self.state), np.int64), np.zeros((p, d), np.int64)
        for t, n in enumerate(counts):
            if n:
                h = self.frame(h, z, n)
            total = np.zeros((p, d), np.int64)
            for s in range(n):
                leaf = self.t['leaf_of'][s][tokens[:, t, s]]
                group, member = leaf // self.members, leaf % self.members
                yield (t, s, h, *self.stage(s, h, clamped(total), group), group, member)
                total += self.words[s][tokens[:, t, s]]
            z = clamped(total)

    def bits(self, tokens, use):
        """Pages [P, T, N] of which use [P, T] count -> mean bits of each codebook [N]."""
        total, rows = np.zeros(tokens.shape[2]), np.arange(len(tokens))
        for t, s, _, classes, members, group, member in self.sequence(tokens, [tokens.shape[2]] * tokens.shape[1]):
            chance = classes[rows, group].astype(float) * members[rows, member] / TOTAL ** 2
            total[s] -= np.log2(chance[use[:, t]]).sum()
        return total / use.sum()


def frequencies(logits, there):
    """logits [P, n], there [P, n] which may be -> frequencies that sum to TOTAL."""
    logits = np.where(there, logits, -1 << 20)
    top = logits.argmax(1)
    far = np.minimum(logits.max(1, keepdims=True) - logits, 4095)
    weight = np.where(there, EXP[far], 0).astype(np.uint64)
    n = there.sum(1, keepdims=True)
    share = (TOTAL - n).astype(np.uint64) * np.uint64(1 << 32) // weight.sum(1, keepdims=True)
    out = np.where(there, 1 + (weight * share >> np.uint64(32)).astype(np.int64), 0)
    out[np.arange(len(out)), top] += TOTAL - out.sum(1)
    return out


def tiny(w, rng, h=37, e=21):
    """A prior of random integers for words [Q][K][D], at sizes that no vector of numbers divides."""
    q, k, d = w.shape
    spread = {'cell.multiplier': 1 << 20, 'multiplier': 1 << 20, 'class.multiplier': 1 << 20,
              'member.multiplier': 1 << 20, 'cell.bias': 200, 'bias': 200, 'class.bias': 300, 'member.bias': 300}
    tensors = {}
    for name, dtype, shape in layout(q, k, d, h, e, sizes(k)[0]):
        kind = name.split('.', 1)[1] if name[0].isdigit() else name
        if kind == 'leaf_of':
            tensors[name] = np.stack([rng.permutation(k) for _ in range(q)])
        elif kind.endswith('weight'):
            tensors[name] = rng.integers(-127, 128, shape)
        elif kind.endswith('multiplier'):
            tensors[name] = rng.integers(spread[kind] // 4, spread[kind], shape)
        else:
            tensors[name] = rng.integers(-spread[kind], spread[kind] + 1, shape)
    return tensors


def reference(prior, rng, frames=40):
    """What a prior gives on a page of random tokens, some frames of fewer codebooks, some of none: {name: int16}.
    Of frames without tokens the state is the one before; frequencies that do not exist are 0."""
    q, k, _ = prior.words.shape
    counts = np.where(rng.random(frames) < 0.6, q, rng.integers(0, q + 1, frames))
    tokens = rng.integers(0, k, (frames, q)) * (np.arange(q) < counts[:, None])
    c, m = sizes(k)
    out = {'tokens': tokens, 'codebooks': counts, 'state': np.zeros((frames, prior.state), int),
           'class_frequencies': np.zeros((frames, q, c), int), 'member_frequencies': np.zeros((frames, q, m), int)}
    for t, s, h, classes, members, _, _ in prior.sequence(tokens[None], counts):
        out['state'][t:] = h[0]
        out['class_frequencies'][t, s], out['member_frequencies'][t, s] = classes[0], members[0]
    return {name: a.astype(np.int16) for name, a in out.items()}


def write_tiny(folder, seed):
    """tiny_prior.lacm, which is tiny.lacm with a prior of random numbers, and what that gives in tiny_prior.bin."""
    rng, path = np.random.default_rng(seed), os.path.join(folder, 'tiny_prior.lacm')
    source = os.path.join(folder, 'tiny.lacm')
    attach(source, path, tiny(words(source), rng))
    write(os.path.join(folder, 'tiny_prior.bin'), reference(read(path), rng))
