"""The small networks of the proof, one shape for all tasks, and how they are trained.

A trunk of convolutions on log-mel frames, 25 rows a second, and on it
    words       a class a word, CTC (an4)
    kinds       mean and deviation over time, a class a kind (accents)
    speakers    the same, a vector of 96 and a class a speaker with a margin (verification)

Rows of a batch are drawn from banks: arrays of frames with a label each. An arm says with which weights.
"""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import sound

WIDTH, BLOCKS, KERNEL, VECTOR = 96, 4, 9, 96
RECIPE = {                                      # by the valid speakers, choose.py; SpecAugment made an4 worse there
    'an4': dict(steps=2000, batch=16, rate=2e-3, dropout=0.2, masks=0, kind='words', even=60),
    'accents': dict(steps=300, batch=16, rate=1e-3, dropout=0.3, masks=1, kind='kinds', crop=600),
    'verification': dict(steps=1500, batch=48, rate=2e-3, dropout=0.1, masks=1, kind='speakers', crop=200),
}


class Block(nn.Module):
    def __init__(self, dropout):
        super().__init__()
        self.depthwise = nn.Conv1d(WIDTH, WIDTH, KERNEL, groups=WIDTH, padding=KERNEL // 2)
        self.norm = nn.LayerNorm(WIDTH)
        self.up, self.down = nn.Linear(WIDTH, 2 * WIDTH), nn.Linear(2 * WIDTH, WIDTH)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, mask):
        y = self.norm(self.depthwise((x * mask).transpose(1, 2)).transpose(1, 2))
        return x + self.dropout(self.down(F.gelu(self.up(y))))


class Listener(nn.Module):
    """[B, T, BANDS], frames of each -> words: log odds [B, ceil(T / 4), classes]; else [B, classes]."""

    def __init__(self, classes, o):
        super().__init__()
        self.kind = o['kind']
        self.first = nn.Conv1d(sound.BANDS, WIDTH, 5, 2, padding=2)
        self.second = nn.Conv1d(WIDTH, WIDTH, 5, 2, padding=2)
        self.blocks = nn.ModuleList([Block(o['dropout']) for _ in range(BLOCKS)])
        self.norm, self.dropout = nn.LayerNorm(WIDTH), nn.Dropout(o['dropout'])
        if self.kind == 'speakers':
            self.vector = nn.Linear(2 * WIDTH, VECTOR)
            self.voices = nn.Parameter(torch.randn(classes, VECTOR))
        else:
            self.output = nn.Linear(WIDTH * (1 if self.kind == 'words' else 2), classes)

    def rows(self, x, frames):
        x = F.gelu(self.second(F.gelu(self.first(x.transpose(1, 2))))).transpose(1, 2)
        mask = (torch.arange(x.shape[1]) < rows_of(frames)[:, None]).to(x.dtype)[:, :, None]
        for b in self.blocks:
            x = b(x, mask)
        return self.dropout(self.norm(x)), mask

    def forward(self, x, frames):
        x, mask = self.rows(x, frames)
        if self.kind == 'words':
            return self.output(x)
        n = mask.sum(1)
        mean = (x * mask).sum(1) / n
        deviation = (((x - mean[:, None]) ** 2 * mask).sum(1) / n + 1e-4).sqrt()
        pooled = torch.cat([mean, deviation], -1)
        return self.output(pooled) if self.kind == 'kinds' else F.normalize(self.vector(pooled).float(), dim=-1)


def rows_of(frames):
    return (torch.as_tensor(frames) + 3) // 4


def evenly(out, frames, labels):
    """Cross-entropy as if all words of a clip were equally long: CTC alone says nothing for hundreds of steps."""
    y = torch.full(out.shape[:2], -1)
    for row, n, label in zip(y, rows_of(frames).tolist(), labels):
        row[:n] = torch.tensor(label)[torch.arange(n) * len(label) // n]
    return F.cross_entropy(out.float().flatten(0, 1), y.flatten(), ignore_index=-1)


def spoken(out, frames, labels):
    y, n = torch.tensor([w for label in labels for w in label]), torch.tensor([len(label) for label in labels])
    each = F.ctc_loss(out.float().log_softmax(-1).transpose(0, 1), y, rows_of(frames), n, reduction='none',
                      zero_infinity=True)
    return each.sum() / n.sum()


def loss_of(net, out, frames, labels, step, o):
    if net.kind == 'words':
        return evenly(out, frames, labels) if step < o['even'] else spoken(out, frames, labels)
    y = torch.tensor(labels)
    if net.kind == 'kinds':
        return F.cross_entropy(out.float(), y)
    cosine = out @ F.normalize(net.voices, dim=-1).T                        # arXiv 1801.05599, margin .2
    return F.cross_entropy(20 * (cosine - 0.2 * F.one_hot(y, cosine.shape[1])), y)


class Draw:
    """Batches of (frames float32 [B, T, BANDS], lengths, labels), each clip from a bank by the arm's weights."""

    def __init__(self, banks, weights, o, spec, rng):
        self.banks = [banks[k] for k in weights]
        self.weights = np.array(list(weights.values())) / sum(weights.values())
        self.o, self.spec, self.rng, self.waiting = o, spec, rng, []
        self.orders = [[] for _ in self.banks]

    def one(self):
        k = self.rng.choice(len(self.banks), p=self.weights)
        if not self.orders[k]:
            self.orders[k] = list(self.rng.permutation(len(self.banks[k])))
        return self.banks[k][self.orders[k].pop()]

    def batch(self):
        """Clips of like length go together: of four batches at a time."""
        if not self.waiting:
            n = self.o['batch']
            drawn = sorted((self.cut(self.one()) for _ in range(4 * n)), key=lambda c: len(c[0]))
            self.waiting = [drawn[i * n:(i + 1) * n] for i in self.rng.permutation(4)]
        return self.pack(self.waiting.pop())

    def cut(self, clip):
        x, label = clip
        most = self.o.get('crop', len(x))
        at = self.rng.integers(max(0, len(x) - most) + 1)
        return x[at:at + most], label

    def pack(self, clips):
        frames = [len(x) for x, _ in clips]
        out = np.zeros((len(clips), max(frames), sound.BANDS), np.float32)
        for row, (x, _) in zip(out, clips):
            row[:len(x)] = x
        if self.spec:
            sound.mask(out, frames, self.rng, self.o['masks'])
        return torch.from_numpy(out), torch.tensor(frames), [label for _, label in clips]


def train(banks, weights, spec, classes, o, seed, watch=None):
    """-> the trained network. watch(step, net) is called every o['watch'] steps where it is given."""
    torch.manual_seed(seed)
    net, draw = Listener(classes, o), Draw(banks, weights, o, spec, np.random.default_rng([7, seed]))
    optimiser = torch.optim.AdamW(net.parameters(), o['rate'], betas=(0.9, 0.98), weight_decay=0.05, fused=True)
    for step in range(o['steps']):
        for g in optimiser.param_groups:
            g['lr'] = o['rate'] * min(1.0, (step + 1) / 50, 2 * (1 - step / o['steps']))
        x, frames, labels = draw.batch()
        with torch.autocast('cpu', dtype=torch.bfloat16):
            out = net(x, frames)
        optimiser.zero_grad(set_to_none=True)
        loss_of(net, out, frames, labels, step, o).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        if watch and (step + 1) % o['watch'] == 0:
            watch(step + 1, net.eval())
            net.train()
    return net.eval()


@torch.no_grad()
def outputs(net, clips, batch=32):
    """What the network says of whole clips [T, BANDS], in their order: arrays."""
    found = [None] * len(clips)
    order = sorted(range(len(clips)), key=lambda i: len(clips[i]))
    for part in (order[i:i + batch] for i in range(0, len(order), batch)):
        frames = torch.tensor([len(clips[i]) for i in part])
        x = torch.zeros(len(part), int(frames.max()), sound.BANDS)
        for row, i in zip(x, part):
            row[:len(clips[i])] = torch.from_numpy(np.asarray(clips[i], np.float32))
        out = net(x, frames).float().numpy()
        for k, i in enumerate(part):
            found[i] = out[k, :int(rows_of(frames[k]))] if net.kind == 'words' else out[k]
    return found


def read(rows):
    """Log odds [T, classes] -> classes: the best of each row, repetitions and blanks (0) dropped."""
    best = rows.argmax(-1)
    best = best[np.concatenate([[True], best[1:] != best[:-1]])]
    return best[best > 0].tolist()


def edits(a, b):
    """Levenshtein distance of two sequences."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]
