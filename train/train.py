"""Train the codec: train.py CONFIG DATA RUN [--init STATE [--fresh-codebooks | --codes MODEL] [--step N]]
[--metric MODEL]

RUN is a folder: state.pt (everything, written every few minutes; a run goes on from it, to the step), log.jsonl
(losses), validation.jsonl (a table row every `validate_steps`). SIGTERM and SIGINT save and stop. On several cores or
GPUs start it under torchrun: workers share gradients, and a batch is `batch` crops a worker.
"""
import argparse
import json
import os
import signal
import time
import torch
import torch.distributed as dist
import torch.nn.functional as F
import lacm
from batches import Batches
from losses import (Discriminator, MelLoss, PhaseLoss, RepetitionLoss, direction_loss, discriminator_loss,
                    generator_losses)
from model import Codec, class_to_f0, f0_to_class, harmonic_phases, HOP
from validate import validate

SAVE_SECONDS = 240


def schedule(phases, step):
    """(phase, learning rate) at a step; the rate moves geometrically from one end to the other within a phase."""
    for p in phases:
        if step < p['steps']:
            a, b = p['lr']
            return p, a * (b / a) ** (step / p['steps'])
        step -= p['steps']
    return None, 0.0


class Trainer:
    """cfg['decoder_only']: encoder and quantiser stay as they are, and with them tokens and all that is trained on
    latents. cfg['wake_noise']: where --init begins, Decoder.wake_noise()."""

    def __init__(self, cfg, data, run, init, fresh, codes, step, metric=None):
        self.cfg, self.run, self.data = cfg, run, data
        self.device = torch.device('cuda', int(os.environ.get('LOCAL_RANK', 0))) if torch.cuda.is_available() \
            else torch.device('cpu')
        self.world, self.rank = int(os.environ.get('WORLD_SIZE', 1)), int(os.environ.get('RANK', 0))
        if self.world > 1:
            dist.init_process_group('nccl' if self.device.type == 'cuda' else 'gloo')
        torch.manual_seed(cfg['seed'])
        self.batches = Batches(data, cfg)
        self.codec = Codec(cfg['model']).to(self.device)
        self.disc, self.mel = Discriminator().to(self.device), MelLoss().to(self.device)
        self.phase, self.repetition = PhaseLoss().to(self.device), RepetitionLoss().to(self.device)
        self.frozen = cfg.get('decoder_only', False)
        self.codec.encoder.requires_grad_(not self.frozen)
        self.codec.quantiser.requires_grad_(not self.frozen).train(not self.frozen)
        networks = [*self.codec.encoder.parameters(), *self.codec.decoder.parameters()]
        self.opt_g = torch.optim.AdamW(networks, 1e-3, betas=(0.8, 0.99), weight_decay=0.01, fused=True)
        maps = list(self.codec.quantiser.parameters())       # of an RVQ none
        self.opt_q = torch.optim.Adam(maps, betas=(0.8, 0.99)) if maps else None
        self.opt_d = torch.optim.AdamW(self.disc.parameters(), 1e-3, betas=(0.8, 0.99), fused=True)
        self.ema = {k: v.detach().clone() for k, v in self.codec.state_dict().items()}
        self.step, self.quantise, self.adversarial_from, self.seen = step, False, None, 0.0
        self.load(init, fresh, codes)
        matrix = lacm.read_metric(metric or codes) if metric or codes else None
        if matrix is not None:
            self.codec.rvq.metric = torch.from_numpy(matrix).to(self.device)

    def load(self, init, fresh, codes):
        path = os.path.join(self.run, 'state.pt')
        if os.path.exists(path):
            s = torch.load(path, map_location=self.device)
            self.codec.load_state_dict(s['codec'])
            self.disc.load_state_dict(s['disc'])
            self.opt_g.load_state_dict(s['opt_g'])
            self.opt_d.load_state_dict(s['opt_d'])
            if self.opt_q:
                self.opt_q.load_state_dict(s['opt_q'])
            self.ema = s['ema']
            self.step, self.quantise, self.adversarial_from = s['step'], s['quantise'], s['adversarial_from']
            self.seen = s['seen']
        elif init:
            s = torch.load(init, map_location=self.device)
            weights = {k: v.float() if v.dtype == torch.float16 else v for k, v in s['ema'].items()}
            if fresh:                                    # the quantiser may be another
                weights = {k: v for k, v in weights.items() if k.startswith(('encoder.', 'decoder.'))}
            elif codes:
                weights['rvq.codes'] = torch.from_numpy(lacm.read(codes)[2]['codes'].astype('f4') / lacm.ONE)
                weights.pop('rvq.total', None)
            if 'rvq.codes' in weights and 'rvq.total' not in weights:
                c = weights['rvq.codes']
                weights['rvq.total'] = torch.cat([c, torch.ones_like(c[..., :1])], -1)
            self.codec.load_state_dict(weights, strict=not fresh)
            if 'wake_noise' in self.cfg:
                self.codec.decoder.wake_noise(self.cfg['wake_noise'])
            self.ema = {k: v.detach().clone() for k, v in self.codec.state_dict().items()}
            if 'disc' in s:
                self.disc.load_state_dict({k: v.float() for k, v in s['disc'].items()})
            self.quantise, self.seen = not fresh, s.get('seen', 0.0)

    def save(self):
        s = dict(codec=self.codec.state_dict(), disc=self.disc.state_dict(), ema=self.ema, config=self.cfg,
                 opt_g=self.opt_g.state_dict(), opt_d=self.opt_d.state_dict(), step=self.step,
                 opt_q=self.opt_q.state_dict() if self.opt_q else None,
                 quantise=self.quantise, adversarial_from=self.adversarial_from, seen=self.seen)
        path = os.path.join(self.run, 'state.pt')
        torch.save(s, path + '.new')
        os.replace(path + '.new', path)

    def fast(self):
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    def share(self, tensors, mean):
        """Add (or average) tensors over the workers, in place, in one message."""
        if self.world == 1:
            return
        flat = torch.cat([t.reshape(-1) for t in tensors])
        dist.all_reduce(flat)
        if mean:
            flat /= self.world
        at = 0
        for t in tensors:
            t.copy_(flat[at:at + t.numel()].view_as(t))
            at += t.numel()

    def share_gradients(self, module):
        self.share([p.grad for p in module.parameters() if p.grad is not None], True)

    def batch(self, step):
        return (t.to(self.device) for t in self.batches(step, self.rank))

    @torch.no_grad()
    def start_codebooks(self):
        """Fit the quantiser to latents of the warm encoder; every worker computes the same."""
        z = []
        for i in range(48):
            x = self.batches(1 << 30 | i, 0)[0].to(self.device)
            with self.fast():
                z.append(self.codec.encoder(x).float())
        torch.manual_seed(self.cfg['seed'])
        quantiser = self.codec.quantiser
        quantiser.fit(torch.cat(z))
        for name, v in quantiser.state_dict().items():
            if self.world > 1:
                dist.broadcast(v, 0)
            self.ema[('fsq.' if hasattr(self.codec, 'fsq') else 'rvq.') + name].copy_(v)
        self.quantise = True

    def forward(self, phase, weights):
        """One batch through the codec: reference crop, decoded crop, losses by name."""
        cfg = self.cfg
        x, f0 = self.batch(self.step)
        f0, tracked = f0[:, 0], f0[:, 1]
        with self.fast():
            z = self.codec.encoder(x)
        losses, bits = {}, 1.0
        if self.quantise:
            q = self.codec.quantiser.q
            stages = torch.randint(1, q + 1, (cfg['batch'],), device=self.device)      # quantiser dropout
            stages[:cfg['batch'] // 4] = q
            z, losses['commit'], _ = self.codec.quantiser(z, stages)
            bits = (stages / q)[:, None, None]               # few codebooks have better uses than phases
        own = torch.rand(cfg['batch'], 1, device=self.device) < phase['own_pitch']
        with self.fast():
            o = self.codec.decoder.network(z)
        parts = self.codec.decoder.parts(o)
        logits, pitch = parts['logits'], f0
        if phase['own_pitch'] > 0:
            pitch = torch.where(own, class_to_f0(logits.detach()), f0)
        noise = (torch.rand_like(x) - 0.5) * 12 ** 0.5
        y = self.codec.decoder.synthesise(o, pitch, noise)
        with torch.no_grad():
            direction, share = harmonic_phases(x, tracked)
            share[:, -1:] = 0                            # this window reaches beyond the crop
        losses['direction'] = direction_loss(parts['phase'], direction, share, bits)
        x, y = x[:, :-HOP], y[:, :-HOP]                  # the last hop lacks the next frame's half
        with torch.no_grad():
            reference = self.mel.views(x)
        losses['mel'], losses['peaks'] = self.mel(y, reference)
        losses['phase'] = self.phase(y, x)
        if weights.get('repetition', 0) > 0:
            losses['repetition'] = self.repetition(y, x)
        losses['pitch'] = F.cross_entropy(logits.flatten(0, 1), f0_to_class(f0, cfg['model']['bands']).flatten())
        return x, y, losses

    def adversarial(self, x, y, lr):
        """A discriminator step on half of each crop; then the generator's losses against it. cfg['discriminators']
        of its parts take turns at random: so many a step."""
        half = x.shape[1] // 2
        s = int(torch.randint(0, x.shape[1] - half, ()))
        x, y = x[:, s:s + half], y[:, s:s + half]
        every = len(self.disc.parts)
        count = self.cfg.get('discriminators', every)
        turn = torch.Generator().manual_seed(self.step)          # the same for all workers
        parts = torch.randperm(every, generator=turn)[:count].tolist()
        with self.fast():
            real, fake = self.disc(x, parts), self.disc(y.detach(), parts)
        loss = discriminator_loss(real, fake) * (every / count)
        for g in self.opt_d.param_groups:
            g['lr'] = 0.7 * lr
        self.opt_d.zero_grad()
        loss.backward()
        self.share_gradients(self.disc)
        torch.nn.utils.clip_grad_norm_(self.disc.parameters(), 10)
        self.opt_d.step()
        self.disc.requires_grad_(False)
        with self.fast():
            fake = self.disc(y, parts)
            with torch.no_grad():
                real = self.disc(x, parts)
        self.disc.requires_grad_(True)
        a, f = (v * (every / count) for v in generator_losses(real, fake))
        return {'discriminator': loss, 'adversarial': a, 'features': f}

    def one_step(self):
        cfg = self.cfg
        phase, lr = schedule(cfg['phases'], self.step)
        torch.manual_seed(cfg['seed'] * 1000003 + self.step * 16 + self.rank)
        if self.step == cfg['kmeans_step'] and not self.quantise:
            self.start_codebooks()
        weights = dict(cfg['weights'], **phase.get('weights', {}))
        x, y, losses = self.forward(phase, weights)
        ramp = {}
        if phase['adversarial']:
            if self.adversarial_from is None:
                self.adversarial_from = self.step
            r = min(1.0, (self.step - self.adversarial_from) / 1000)
            ramp = {'adversarial': r, 'features': r, 'discriminator': 0.0}
            losses.update(self.adversarial(x, y, lr))
        total = sum(v * weights.get(k, 0) * ramp.get(k, 1.0) for k, v in losses.items() if k != 'discriminator')
        for g in self.opt_g.param_groups:
            g['lr'] = lr * min(1.0, (self.step + 1) / 200)
        self.codec.zero_grad()
        total.backward()
        if self.quantise and self.opt_q and not self.frozen:
            self.codec.fsq.error.backward()
        self.share_gradients(self.codec)
        torch.nn.utils.clip_grad_norm_(self.opt_g.param_groups[0]['params'], 5.0)
        self.opt_g.step()
        if self.quantise and not self.frozen:
            self.learn_quantiser(lr)
        self.step += 1
        self.seen += self.world * cfg['batch'] * cfg['seconds']
        self.average()
        return {k: v.detach() for k, v in losses.items()}

    def learn_quantiser(self, lr):
        if self.opt_q:
            self.opt_q.param_groups[0]['lr'] = 5 * lr
            self.opt_q.step()
            return
        rvq = self.codec.rvq
        self.share([rvq.stats], False)
        if self.world > 1:                               # dead codewords restart alike on every worker
            dist.broadcast(rvq.spare, 0)
        rvq.update(rvq.stats, rvq.spare)

    @torch.no_grad()
    def average(self):
        decay = min(self.cfg['ema'], self.step / (self.step + 50))
        for k, v in self.codec.state_dict().items():
            if k.startswith('rvq') or not v.dtype.is_floating_point:
                self.ema[k].copy_(v)
            else:
                self.ema[k].lerp_(v, 1 - decay)

    def agreed(self, stop):
        """Whether any worker was told to stop: all leave at the same step."""
        flag = stop.to(self.device)
        self.share([flag], False)
        return flag.item() > 0

    def log(self, name, row):
        if self.rank == 0:
            with open(os.path.join(self.run, name), 'a') as f:
                f.write(json.dumps(row) + '\n')
            print(name, json.dumps(row), flush=True)

    def go(self):
        smooth, started, saved, mark = {}, time.time(), time.time(), self.step
        stop = torch.zeros(1)
        for s in (signal.SIGTERM, signal.SIGINT):
            signal.signal(s, lambda *_: stop.fill_(1))
        while schedule(self.cfg['phases'], self.step)[0] is not None and not self.agreed(stop):
            for k, v in self.one_step().items():
                v = v.item()
                smooth[k] = 0.98 * smooth.get(k, v) + 0.02 * v
            if self.step % 100 == 0:
                rate = (self.step - mark) / (time.time() - started)
                started, mark = time.time(), self.step
                self.log('log.jsonl', dict(step=self.step, seen=round(self.seen), steps_per_second=round(rate, 2),
                                           **{k: round(v, 4) for k, v in smooth.items()}))
            if self.step % self.cfg.get('validate_steps', 2000) == 0 and self.rank == 0:
                row = validate(self.cfg, self.ema, os.path.join(self.data, 'dev'), self.device)
                self.log('validation.jsonl', dict(step=self.step, seen=round(self.seen), **row))
            if self.rank == 0 and time.time() - saved > SAVE_SECONDS:
                saved = time.time()
                self.save()
        if self.rank == 0:
            self.save()


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument('config')
    a.add_argument('data')
    a.add_argument('run')
    a.add_argument('--init', help='start from the averaged weights (and discriminator) of another state')
    a.add_argument('--fresh-codebooks', action='store_true', help='with --init: none until kmeans_step')
    a.add_argument('--codes', help='with --init: the codebooks of this model file, which export.py fitted anew')
    a.add_argument('--metric', help='tokens are searched by the metric of this model file; with --codes: by its own')
    a.add_argument('--step', type=int, default=0, help='with --init: where in the schedule to begin')
    a = a.parse_args()
    if not torch.cuda.is_available():
        torch.set_num_threads(int(os.environ.get('OMP_NUM_THREADS', 1)))
    os.makedirs(a.run, exist_ok=True)
    Trainer(json.load(open(a.config)), a.data, a.run, a.init, a.fresh_codebooks, a.codes, a.step, a.metric).go()


if __name__ == '__main__':
    main()
