"""The prior of a model's tokens: a small recurrent network that tells how probable each token is.

    prior.py train CONFIG MODEL.lacm TOKENS RUN [MINUTES]
        TOKENS is what code_tokens.py wrote; RUN a folder: state.pt (all of it; a run goes on from it, to the step),
        log.jsonl. Stops at the last step, after MINUTES, or told by SIGTERM or SIGINT
    prior.py export STATE IN.lacm OUT.lacm      the averaged weights, in integers, as an extension
    prior.py check MODEL.lacm TOKENS            what a file's prior saves of the dev split, in integers

This is the network in float; prior_integer.py is what C computes. Shapes: B crops, T frames, N codebooks of these
frames, D latent, Q codebooks, K codewords, H state, E width of a stage, C classes of M members.
"""
import json
import os
import signal
import sys
import time
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import prior_integer
from quantised import int8_rows

SAVE_SECONDS, LOG_STEPS, DEV_STEPS = 120, 50, 250


def clusters(words, size):
    """words [K][D] -> leaf of each, its place in groups of `size` similar ones: halved across the direction of
    largest variance, again and again. Only the last group may be smaller."""
    leaf = np.zeros(len(words), np.int64)

    def halve(members, first):
        if len(members) <= size:
            leaf[members] = first + np.arange(len(members))
            return
        x = words[members] - words[members].mean(0)
        along = x @ np.linalg.eigh(x.T @ x)[1][:, -1]
        order = members[np.argsort(along, kind='stable')]
        left = (-(-len(members) // size) + 1) // 2 * size
        halve(order[:left], first)
        halve(order[left:], first + left)

    halve(np.arange(len(words)), 0)
    return leaf


class Grouped(torch.autograd.Function):
    """x [R, E] -> its rows as index [C, n] says; index R is a row of zeros; every row stands once, at `place`."""

    @staticmethod
    def forward(ctx, x, index, place):
        ctx.save_for_backward(place)
        return F.pad(x, (0, 0, 0, 1))[index]

    @staticmethod
    def backward(ctx, gradient):
        return gradient.flatten(0, 1)[ctx.saved_tensors[0]], None, None


def member_loss(e, weight, bias, leaf, size):
    """e [R, E], weight [C, M, E], bias [C, M], leaf [R] -> [R]: cross-entropy of a row's member given its class."""
    group = leaf // size
    counts = torch.bincount(group, minlength=len(weight))
    order = torch.argsort(group)
    at = torch.arange(len(leaf)) - (torch.cumsum(counts, 0) - counts)[group[order]]
    place = torch.empty_like(order)
    place[order] = group[order] * int(counts.max()) + at
    index = torch.full((len(weight), int(counts.max())), len(leaf))
    index.view(-1)[place] = torch.arange(len(leaf))
    logits = torch.baddbmm(bias[:, None], Grouped.apply(e, index, place), weight.transpose(1, 2))
    return F.cross_entropy(logits.flatten(0, 1)[place].float(), leaf % size, reduction='none')


class Recurrence(torch.autograd.Function):
    """a [T, B, 2 H], w [2 H, H] -> states [T, B, H]: h + f (c - h), with f = sigmoid and c = tanh of a + w h. By
    hand, so that the gradient of w is one product, added up in float32."""

    @staticmethod
    def forward(ctx, a, w, fast):
        cut = (lambda x: x.to(torch.bfloat16)) if fast else lambda x: x
        v, n = cut(w).T, w.shape[1]
        states, gates, news = [a.new_zeros(a.shape[1], n)], [], []
        for now in a.unbind(0):
            x = now + cut(states[-1]) @ v
            gates.append(torch.sigmoid(x[:, :n]))
            news.append(torch.tanh(x[:, n:]))
            states.append(torch.lerp(states[-1], news[-1], gates[-1]))
        ctx.cut, ctx.v, ctx.kept = cut, v, (states, gates, news)
        return torch.stack(states[1:])

    @staticmethod
    def backward(ctx, gradient):
        states, gates, news = ctx.kept
        w, dh, rows = ctx.v.T, torch.zeros_like(states[0]), []
        for g, h, f, c in zip(*(reversed(x) for x in (gradient.unbind(0), states[:-1], gates, news))):
            dh = dh + g
            move = dh * f
            rows.append(torch.cat([move * (c - h) * (1 - f), move * (1 - c * c)], 1))
            dh = dh - move + ctx.cut(rows[-1]) @ w
        da = torch.stack(rows[::-1])
        return da, (ctx.cut(da.flatten(0, 1)).T @ ctx.cut(torch.cat(states[:-1]))).float(), None


class Stage(nn.Module):
    """What a token of one codebook is likely to be, from the state and the sum of the codewords below it."""

    def __init__(self, words, leaf, classes, size, state, width):
        super().__init__()
        d = words.shape[1]
        self.size, self.partial = size, nn.Linear(d, width)
        self.state = nn.Linear(state, width, bias=False)
        f = torch.cat([words, words * words], 1)
        features = torch.zeros(classes * size, 2 * d)
        features[leaf] = (f - f.mean(0)) / (f.std(0) + 1e-6)
        allowed = torch.zeros(classes * size)
        allowed[leaf] = 1
        mean = features.view(classes, size, -1).sum(1) / allowed.view(classes, size).sum(1, keepdim=True)
        self.register_buffer('features', features, persistent=False)
        self.register_buffer('mean', mean, persistent=False)
        self.register_buffer('never', ((1 - allowed) * -1e4).view(classes, size), persistent=False)
        self.shared = nn.Parameter(torch.randn(2, 2 * d, width) * 0.02)
        self.classes = nn.Parameter(torch.zeros(classes, width))
        self.members = nn.Parameter(torch.zeros(classes * size, width))
        self.class_bias = nn.Parameter(torch.zeros(classes))
        self.member_bias = nn.Parameter(torch.zeros(classes, size))

    def weights(self):
        """Of classes [C, E] and members [C * M, E]: what they share by where their codewords are, and their own."""
        return self.mean @ self.shared[0] + self.classes, self.features @ self.shared[1] + self.members

    def forward(self, h, p, leaf):
        """h [R, H], p [R, D], leaf [R] -> loss of each row in nats."""
        e = torch.tanh(self.state(h) + self.partial(p))
        classes, members = self.weights()
        loss = F.cross_entropy(F.linear(e, classes, self.class_bias).float(), leaf // self.size, reduction='none')
        members = members.view(len(classes), self.size, -1)
        bias = self.member_bias + self.never
        return loss + member_loss(e, members.to(e.dtype), bias.to(e.dtype), leaf, self.size)


class Prior(nn.Module):
    """words [Q][K][D], whose one is 4096: as latents are, one eighth."""

    def __init__(self, words, cfg):
        super().__init__()
        q, k, d = words.shape
        classes, self.size = prior_integer.sizes(k)
        words = torch.from_numpy(words.astype(np.float32) / prior_integer.ONE)
        leaf = torch.from_numpy(np.stack([clusters(w, self.size) for w in words.numpy().astype(np.float64)]))
        self.register_buffer('words', words)
        self.register_buffer('leaf', leaf)
        self.register_buffer('gain', 1 / words.pow(2).mean((1, 2)).sum().sqrt())   # brings latents near 1
        h = cfg['state']
        self.cell_z, self.cell_h = nn.Linear(d, 2 * h), nn.Linear(h, 2 * h, bias=False)
        self.rate = nn.Parameter(torch.zeros(q, 2 * h))
        self.stages = nn.ModuleList([Stage(w, l, classes, self.size, h, cfg['width']) for w, l in zip(words, leaf)])
        self.cell_z.bias.data[:h] = torch.linspace(-2, 2, h)                      # slow units and quick ones
        nn.init.orthogonal_(self.cell_h.weight.data[h:])

    def states(self, z, counts):
        """Latents of the frames before [B, T, D], codebooks of the frames [B, T] -> states [B, T, H]."""
        a = self.cell_z(z.transpose(0, 1)) + self.rate[(counts.T - 1).clamp(min=0)]
        return Recurrence.apply(a.float(), self.cell_h.weight, self.training).transpose(0, 1)

    def forward(self, tokens, counts):
        """tokens [B, T, N] that begin a page, counts [B, T] of them in each frame, 0 behind the page's last -> losses
        of each codebook [N] in nats, sums over the frames that have it."""
        n = tokens.shape[2]
        there = torch.arange(n) < counts[..., None]
        w = torch.stack([self.words[s][tokens[:, :, s]] for s in range(n)], 2) * there[..., None]
        sums = F.pad(w, (0, 0, 1, 0)).cumsum(2).clamp(-1, 1) * self.gain          # [B, T, 1 + N, D]
        z = F.pad(sums[:, :-1, -1], (0, 0, 1, 0))
        with torch.autocast('cpu', torch.bfloat16, enabled=self.training):
            h, rows = self.states(z, counts), []
            for s in range(n):
                m = there[..., s]
                leaf = self.leaf[s][tokens[..., s][m]]
                rows.append(self.stages[s](h[m], sums[:, :, s][m], leaf).sum() if len(leaf) else h.sum() * 0)
        return torch.stack(rows)


class Crops:
    """Pages cut from token sets: a batch is a function of (seed, step). Sets that begin alike are of one rate: of so
    many codebooks, or, with an `a` before it, of an average rate (code_tokens.py)."""

    def __init__(self, folder, cfg):
        self.cfg, self.sets = cfg, {}
        for name, weight in cfg['sets'].items():
            path = os.path.join(folder, 'train_%s.npz' % name)
            if os.path.exists(path):
                tokens, frames, counts = load_set(path)
                self.sets.setdefault(name.split('.')[0], []).append(
                    (weight, tokens, counts, np.cumsum(frames) - frames, frames, np.cumsum(frames)))
        self.rates = list(self.sets)
        total = np.array([sum(s[0] for s in self.sets[q]) for q in self.rates], float)
        self.share = np.cumsum(total / total.sum())

    def __call__(self, step):
        """tokens [B, T, N], counts [B, T]: all of one rate, some cut to fewer codebooks."""
        rng = np.random.default_rng([self.cfg['seed'], step])
        rate = self.sets[self.rates[np.searchsorted(self.share, rng.random())]]
        q = rate[0][1].shape[1]
        t, n = self.cfg['frames'], q if rng.random() >= self.cfg['cut'] else int(rng.integers(1, q + 1))
        tokens, each = np.zeros((self.cfg['batch'], t, n), np.int64), np.zeros((self.cfg['batch'], t), np.int64)
        share = np.cumsum([s[0] for s in rate])
        for b in range(len(tokens)):
            _, data, counts, starts, frames, ends = rate[np.searchsorted(share, rng.random() * share[-1])]
            clip = np.searchsorted(ends, rng.integers(ends[-1]), 'right')
            first = max(0, min(rng.integers(1 - t, max(2 - t, frames[clip])), frames[clip] - t))
            count = min(t, frames[clip] - first)
            tokens[b, :count] = data[starts[clip] + first:starts[clip] + first + count, :n]
            each[b, :count] = np.minimum(counts[starts[clip] + first:starts[clip] + first + count], n)
        return torch.from_numpy(tokens), torch.from_numpy(each)


def load_set(path):
    """tokens [T, N], frames of each clip, codebooks of each frame [T]."""
    with np.load(path) as a:
        tokens = a['tokens']
        return tokens, a['frames'], a['counts'] if 'counts' in a else np.full(len(tokens), tokens.shape[1], np.uint8)


def dev_pages(path, length):
    """A dev set -> tokens [pages, length, N], counts [pages, length]."""
    data, frames, each = load_set(path)
    at, rows = 0, []
    for n in frames:
        rows += [(i, min(i + length, at + n)) for i in range(at, at + n, length)]
        at += n
    tokens, counts = np.zeros((len(rows), length, data.shape[1]), np.int64), np.zeros((len(rows), length), np.int64)
    for i, (first, end) in enumerate(rows):
        tokens[i, :end - first], counts[i, :end - first] = data[first:end], each[first:end]
    return torch.from_numpy(tokens), torch.from_numpy(counts)


def dev_sets(folder):
    """{rate: path} of the dev split."""
    names = [f[4:-6] for f in os.listdir(folder) if f.startswith('dev_') and f.endswith('.0.npz')]
    return {q: os.path.join(folder, 'dev_%s.0.npz' % q) for q in sorted(names)}


class Trainer:
    def __init__(self, cfg, model, tokens, run):
        self.cfg, self.run = cfg, run
        torch.manual_seed(cfg['seed'])
        self.prior = Prior(prior_integer.words(model), cfg)
        self.crops = Crops(tokens, cfg)
        self.dev = {q: dev_pages(path, cfg['frames']) for q, path in dev_sets(tokens).items()}
        self.plain = np.log2(self.prior.words.shape[1])
        self.opt = torch.optim.Adam(self.prior.parameters(), betas=(0.9, 0.99), fused=True)
        self.ema = {k: v.detach().clone() for k, v in self.prior.state_dict().items()}
        self.step = 0
        path = os.path.join(run, 'state.pt')
        if os.path.exists(path):
            s = torch.load(path)
            self.prior.load_state_dict(s['prior'])
            self.opt.load_state_dict(s['opt'])
            self.ema, self.step = s['ema'], s['step']

    def save(self):
        path = os.path.join(self.run, 'state.pt')
        torch.save(dict(prior=self.prior.state_dict(), opt=self.opt.state_dict(), ema=self.ema, step=self.step,
                        config=self.cfg), path + '.new')
        os.replace(path + '.new', path)

    def one_step(self):
        """-> bits a token, and the most codebooks of a frame."""
        cfg, x = self.cfg, self.step / self.cfg['steps']
        lr = cfg['lr'] * min(1, (self.step + 1) / 200, 2 * (1 - x) + 0.01)
        for g in self.opt.param_groups:
            g['lr'] = lr
        tokens, counts = self.crops(self.step)
        loss = self.prior(tokens, counts)
        self.opt.zero_grad()
        (loss.sum() / (counts > 0).sum()).backward()
        nn.utils.clip_grad_norm_(self.prior.parameters(), 2.0)
        self.opt.step()
        self.step += 1
        with torch.no_grad():
            decay = min(cfg['ema'], self.step / (self.step + 50))
            torch._foreach_lerp_([self.ema[k] for k, _ in self.prior.named_parameters()],
                                 list(self.prior.parameters()), 1 - decay)
        return float(loss.detach().sum()) / np.log(2) / int(counts.sum()), str(tokens.shape[2])

    @torch.no_grad()
    def validate(self):
        """Percent saved of the dev split by the averaged weights, and bits of each codebook, by codebooks."""
        own = {k: v.clone() for k, v in self.prior.state_dict().items()}
        self.prior.load_state_dict(self.ema)
        self.prior.eval()
        row = {}
        for q, (tokens, counts) in self.dev.items():
            total = sum(self.prior(t, c).numpy() for t, c in zip(tokens.split(64), counts.split(64))) / np.log(2)
            having = np.array([int((counts > s).sum()) for s in range(tokens.shape[2])])
            row[q] = dict(saved=round(100 - 100 * float(total.sum() / having.sum()) / self.plain, 3),
                          bits=(total / having.clip(min=1)).astype(float).round(3).tolist())
        self.prior.load_state_dict(own)
        self.prior.train()
        return row

    def log(self, **row):
        with open(os.path.join(self.run, 'log.jsonl'), 'a') as f:
            f.write(json.dumps(row) + '\n')
        print(json.dumps(row), flush=True)

    def go(self, minutes):
        stop, started, saved = [], time.time(), time.time()
        for s in (signal.SIGTERM, signal.SIGINT):
            signal.signal(s, lambda *_: stop.append(1))
        recent, mark = {}, (time.time(), time.process_time())
        while self.step < self.cfg['steps'] and not stop and time.time() - started < 60 * minutes:
            bits, rate = self.one_step()
            recent.setdefault(rate, []).append(bits)
            if self.step % LOG_STEPS == 0:
                now = time.time(), time.process_time()
                self.log(step=self.step, train={q: round(100 - 100 * float(np.mean(v)) / self.plain, 2)
                                                for q, v in sorted(recent.items())},
                         seconds=round(now[0] - mark[0], 1), processor=round(now[1] - mark[1], 1))
                recent, mark = {}, now
            if self.step % DEV_STEPS == 0:
                self.log(step=self.step, dev=self.validate())
            if time.time() - saved > SAVE_SECONDS:
                saved = time.time()
                self.save()
        self.save()
        self.log(step=self.step, dev=self.validate())


def train(config, model, tokens, run, minutes='1e9'):
    os.makedirs(run, exist_ok=True)
    Trainer(json.load(open(config)), model, tokens, run).go(float(minutes))


def load(state, model):
    """The averaged network of a training state."""
    s = torch.load(state)
    prior = Prior(prior_integer.words(model), s['config'])
    prior.load_state_dict(s['ema'])
    return prior.eval()
def rows(out, name, weight, bias):
    """Into `out` what C needs of a linear layer, weight [parts][O][I] and bias [O] -> int8 weights."""
    q, scale = zip(*(int8_rows(w.numpy()) for w in weight))
    one = 2.0 ** prior_integer.SHIFT * 256 / prior_integer.ONE          # from units of 1 / ONE to those of 1 / 256
    multiplier = np.rint(np.stack(scale) * one).astype(np.int64)
    assert multiplier.max() < 1 << 31, name
    out[name + '.multiplier'] = multiplier if len(weight) > 1 else multiplier[0]
    out[name + '.bias'] = np.rint(bias.numpy() * 256 + 0.5).astype(np.int64)      # a half: C rounds sums down
    return q


@torch.no_grad()
def tensors(prior):
    """The network as prior_integer.layout has it."""
    out, g, k = {'leaf_of': prior.leaf.numpy()}, prior.gain, prior.words.shape[1]
    bias = prior.cell_z.bias + prior.rate
    weights = [prior.cell_z.weight * g, prior.cell_h.weight]
    out['cell_z.weight'], out['cell_h.weight'] = rows(out, 'cell', weights, bias)
    for s, stage in enumerate(prior.stages):
        w = rows(out, 's', [stage.state.weight, stage.partial.weight * g], stage.partial.bias)
        out['%d.state.weight' % s], out['%d.partial.weight' % s] = w
        out['%d.multiplier' % s], out['%d.bias' % s] = out.pop('s.multiplier'), out.pop('s.bias')
        classes, members = stage.weights()
        out['%d.class.weight' % s], = rows(out, '%d.class' % s, [classes], stage.class_bias)
        member_bias = stage.member_bias.flatten()[:k]
        out['%d.member.weight' % s], = rows(out, '%d.member' % s, [members[:k]], member_bias)
    return out


def export(state, source, out):
    prior_integer.attach(source, out, tensors(load(state, source)))


def check(model, tokens):
    """What a file's prior saves of the dev split in integers."""
    prior, length = prior_integer.read(model), 64
    plain = np.log2(prior.words.shape[1])
    for q, path in dev_sets(tokens).items():
        if q.startswith('a'):                            # pages do not keep step
            continue
        pages, counts = dev_pages(path, length)
        bits = prior.bits(pages.numpy(), counts.numpy() > 0)
        print('%2s codebooks: %.2f %% saved; bits %s' % (q, 100 - 100 * bits.mean() / plain, bits.round(3)))


if __name__ == '__main__':
    torch.set_num_threads(1)
    verbs = {'train': train, 'export': export, 'check': check}
    if len(sys.argv) < 4 or sys.argv[1] not in verbs:
        sys.exit(__doc__)
    verbs[sys.argv[1]](*sys.argv[2:])
