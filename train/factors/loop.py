"""The training loop of the factor networks: optimiser, schedule, average, resumption to the step, log.

A run is a folder: state.pt (everything; 'ema' holds the averaged weights, 'config' what the loop was given) and
log.jsonl (losses, and what validation says). SIGTERM and SIGINT save and stop; started again, it goes on.
"""
import json
import os
import signal
import time
import numpy as np
import torch

SAVE_SECONDS = 180


class Loop:
    """config: steps, warmup (steps), lr [peak, last] (falls by a cosine), weight_decay, ema, clip, seed, log_steps,
    validate_steps.

    nets: {name: module}, whose average is the result: 'ema' is {name: state_dict}, or the one state_dict if there is
    one name. others: {name: module}, trained along (heads, adversaries) but not averaged.
    losses(step, rng) -> {name: scalar}: their sum is minimised but for names that end in '_'; all are logged. rng is
    numpy's, and torch's is seeded, by the step, so that a run that was stopped goes on with the same batches.
    validate(nets) -> {name: number}, called with averaged weights in eval mode, without gradients.
    """

    def __init__(self, folder, config, nets, others, losses, validate=None):
        torch.set_num_threads(int(os.environ.get('OMP_NUM_THREADS', 1)))
        os.makedirs(folder, exist_ok=True)
        self.folder, self.config, self.losses, self.validate = folder, config, losses, validate
        self.nets, self.all, self.step = nets, {**nets, **others}, 0
        self.parameters = [p for m in self.all.values() for p in m.parameters() if p.requires_grad]
        groups = [{'params': [p for p in self.parameters if p.dim() > 1], 'weight_decay': config['weight_decay']},
                  {'params': [p for p in self.parameters if p.dim() <= 1], 'weight_decay': 0.0}]
        self.optimiser = torch.optim.AdamW(groups, config['lr'][0], betas=(0.9, 0.98), fused=True)
        self.ema = {n: {k: v.detach().clone() for k, v in m.state_dict().items()} for n, m in nets.items()}
        self.load()

    def path(self):
        return os.path.join(self.folder, 'state.pt')

    def load(self):
        if not os.path.exists(self.path()):
            return
        s = torch.load(self.path(), weights_only=False)
        for n, m in self.all.items():
            m.load_state_dict(s['weights'][n])
        self.optimiser.load_state_dict(s['optimiser'])
        self.ema, self.step = s['ema'] if len(self.nets) > 1 else {next(iter(self.nets)): s['ema']}, s['step']

    def save(self):
        torch.save(dict(ema=self.ema if len(self.nets) > 1 else next(iter(self.ema.values())), config=self.config,
                        weights={n: m.state_dict() for n, m in self.all.items()}, step=self.step,
                        optimiser=self.optimiser.state_dict()), self.path() + '.new')
        os.replace(self.path() + '.new', self.path())

    def rate(self):
        peak, last = self.config['lr']
        fall = 0.5 + 0.5 * np.cos(np.pi * min(1.0, self.step / self.config['steps']))
        return (last + (peak - last) * fall) * min(1.0, (self.step + 1) / self.config['warmup'])

    @torch.no_grad()
    def average(self):
        decay = min(self.config['ema'], (self.step + 1) / (self.step + 50))
        for n, m in self.nets.items():
            for k, v in m.state_dict().items():
                if v.dtype.is_floating_point:
                    self.ema[n][k].lerp_(v, 1 - decay)
                else:
                    self.ema[n][k].copy_(v)

    @torch.no_grad()
    def check(self):
        live = {n: {k: v.clone() for k, v in m.state_dict().items()} for n, m in self.nets.items()}
        for n, m in self.nets.items():
            m.load_state_dict(self.ema[n])
            m.eval()
        result = self.validate(self.nets)
        for n, m in self.nets.items():
            m.load_state_dict(live[n])
            m.train()
        return result

    def one_step(self):
        seed = self.config['seed']
        torch.manual_seed(seed * 1000003 + self.step)
        losses = self.losses(self.step, np.random.default_rng([seed, self.step]))
        for g in self.optimiser.param_groups:
            g['lr'] = self.rate()
        self.optimiser.zero_grad()
        sum(v for k, v in losses.items() if not k.endswith('_')).backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, self.config['clip'])
        self.optimiser.step()
        self.average()
        self.step += 1
        return {k: v.item() for k, v in losses.items()}

    def log(self, row):
        with open(os.path.join(self.folder, 'log.jsonl'), 'a') as f:
            f.write(json.dumps(row) + '\n')
        print(json.dumps(row), flush=True)

    def go(self):
        stop, smooth, saved, mark = [], {}, time.time(), (time.time(), self.step)
        for s in (signal.SIGTERM, signal.SIGINT):
            signal.signal(s, lambda *_: stop.append(1))
        while self.step < self.config['steps'] and not stop:
            for k, v in self.one_step().items():
                smooth[k] = 0.98 * smooth.get(k, v) + 0.02 * v
            if self.step % self.config['log_steps'] == 0:
                rate = (self.step - mark[1]) / (time.time() - mark[0])
                self.log(dict(step=self.step, steps_per_second=round(rate, 2), lr=round(self.rate(), 6),
                              **{k: round(v, 4) for k, v in smooth.items()}))
                mark = time.time(), self.step
            if self.validate and self.step % self.config['validate_steps'] == 0:
                self.log(dict(step=self.step, validation={k: round(float(v), 4) for k, v in self.check().items()}))
                mark = time.time(), self.step
            if time.time() - saved > SAVE_SECONDS:
                self.save()
                saved = time.time()
        self.save()
