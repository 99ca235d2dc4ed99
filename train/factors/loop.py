"""The loop that trains factor networks: optimiser, schedule, resuming to the step, averaged weights, log.

    options = dict(steps=3000, rate=2e-3)                     # and whatever of DEFAULTS is to be another
    loop = Loop('train/runs/factors-NAME', {'speaker': net, 'head': head}, ['speaker'], config, options)
    loop.go(losses, validate)

losses(step, rng) -> (total, {name: tensor}); rng is numpy's, and with torch's own depends on the step alone.
validate(networks) -> {name: number}, called with the averaged weights every `validate` steps.

RUN/state.pt: 'networks' and 'average' (state_dicts by name), 'optimiser', 'step', 'config', 'options', and 'ema':
the averaged state_dict of the shipped network, or, of several, a dictionary of them. RUN/log.jsonl: losses.
A run goes on from its state; with more `steps` the schedule is that of the longer run. SIGTERM and SIGINT save and
stop.
"""
import json
import os
import signal
import time
import numpy as np
import torch

torch.set_num_threads(int(os.environ.get('OMP_NUM_THREADS', 1)))
DEFAULTS = dict(seed=1, warm=100, fall=0.4, decay=0.998, clip=2.0, muon=True, muon_rate=0.01, weight_decay=0.01,
                log=50, validate=500, save_seconds=240)


def scale(step, o):
    """Learning rate as a share: up over `warm` steps, flat, linearly down over the last share `fall` of all."""
    return min(1.0, (step + 1) / o['warm'], (o['steps'] - step) / (o['fall'] * o['steps']))


def optimisers(networks, o):
    """Muon for the matrices inside blocks, AdamW for the rest."""
    named = [(k, p) for n in networks.values() for k, p in n.named_parameters() if p.requires_grad]
    inner = [p for k, p in named if o['muon'] and p.ndim == 2 and ('blocks.' in k or 'late.' in k)]
    rest = [p for k, p in named if not any(p is q for q in inner)]
    made = [(torch.optim.AdamW(rest, o['rate'], betas=(0.9, 0.98), weight_decay=o['weight_decay'], fused=True),
             o['rate'])]
    if inner:
        made.append((torch.optim.Muon(inner, o['muon_rate'], weight_decay=o['weight_decay'],
                                      adjust_lr_fn='match_rms_adamw' if o.get('match') else 'original'),
                     o['muon_rate']))
    return made


class Reverse(torch.autograd.Function):
    """x as it is, its gradient times -factor: for adversaries (arXiv 1505.07818)."""

    @staticmethod
    def forward(ctx, x, factor):
        ctx.factor = factor
        return x.view_as(x)

    @staticmethod
    def backward(ctx, g):
        return -ctx.factor * g, None


class Loop:
    def __init__(self, run, networks, shipped, config, options):
        self.run, self.networks, self.shipped, self.config = run, networks, shipped, config
        self.o = dict(DEFAULTS, **options)
        self.optimisers = optimisers(networks, self.o)
        self.step = 0
        os.makedirs(run, exist_ok=True)
        path = os.path.join(run, 'state.pt')
        if os.path.exists(path):
            s = torch.load(path)
            for k, n in networks.items():
                n.load_state_dict(s['networks'][k])
            for (opt, _), saved in zip(self.optimisers, s['optimiser']):
                opt.load_state_dict(saved)
            self.average, self.step = s['average'], s['step']
        else:
            self.average = {k: {a: v.detach().clone() for a, v in n.state_dict().items()}
                            for k, n in networks.items()}

    def save(self):
        ema = {k: self.average[k] for k in self.shipped}
        s = dict(networks={k: n.state_dict() for k, n in self.networks.items()}, average=self.average,
                 optimiser=[o.state_dict() for o, _ in self.optimisers], step=self.step, config=self.config,
                 options=self.o, ema=ema if len(ema) > 1 else ema[self.shipped[0]])
        path = os.path.join(self.run, 'state.pt')
        torch.save(s, path + '.new')
        os.replace(path + '.new', path)

    def one_step(self, losses):
        torch.manual_seed(self.o['seed'] * 1000003 + self.step)
        total, parts = losses(self.step, np.random.default_rng((self.o['seed'], self.step)))
        for opt, rate in self.optimisers:
            opt.zero_grad()
            for g in opt.param_groups:
                g['lr'] = rate * scale(self.step, self.o)
        total.backward()
        parameters = [p for n in self.networks.values() for p in n.parameters()]
        parts['gradient'] = torch.nn.utils.clip_grad_norm_(parameters, self.o['clip'])
        if torch.isfinite(parts['gradient']):
            for opt, _ in self.optimisers:
                opt.step()
        self.step += 1
        self.update_average()
        return parts

    @torch.no_grad()
    def update_average(self):
        decay = min(self.o['decay'], self.step / (self.step + 20))
        for k, n in self.networks.items():
            for a, v in n.state_dict().items():
                if v.dtype.is_floating_point:
                    self.average[k][a].lerp_(v, 1 - decay)
                else:
                    self.average[k][a].copy_(v)

    @torch.no_grad()
    def averaged(self, call):
        """call(networks) with the averaged weights in place."""
        own = {k: {a: v.clone() for a, v in n.state_dict().items()} for k, n in self.networks.items()}
        for k, n in self.networks.items():
            n.load_state_dict(self.average[k])
            n.eval()
        result = call(self.networks)
        for k, n in self.networks.items():
            n.load_state_dict(own[k])
            n.train()
        return result

    def log(self, row):
        row = {k: round(v, 4) if isinstance(v, float) else v for k, v in dict(step=self.step, **row).items()}
        with open(os.path.join(self.run, 'log.jsonl'), 'a') as f:
            f.write(json.dumps(row) + '\n')
        print(json.dumps(row), flush=True)

    def go(self, losses, validate=None):
        smooth, stop, saved = {}, [], time.time()
        began, mark = time.time(), self.step
        for s in (signal.SIGTERM, signal.SIGINT):
            signal.signal(s, lambda *_: stop.append(1))
        while self.step < self.o['steps'] and not stop:
            for k, v in self.one_step(losses).items():
                v = float(v)
                smooth[k] = 0.95 * smooth.get(k, v) + 0.05 * v
            if self.step % self.o['log'] == 0:
                self.log(dict(seconds_a_step=(time.time() - began) / (self.step - mark), **smooth))
                began, mark = time.time(), self.step
            if validate and (self.step % self.o['validate'] == 0 or self.step == self.o['steps']):
                self.log(self.averaged(validate))
                began, mark = time.time(), self.step
            if time.time() - saved > self.o['save_seconds']:
                saved = time.time()
                self.save()
        self.save()
