"""The metric of a model's search: metric.py IN.lacm DATA OUT.lacm [--batches N]

Not every direction of a latent is heard alike. Around quantised latents, an error e of one frame changes the spectra
that training's losses compare (log mel magnitudes and roots of magnitudes, five resolutions) by |J e|^2 in all, with J
the decoder's Jacobian. W is the mean of J'J over crops that training has not drawn, from random projections of what
comes out. A metric of W itself holds for small errors only and spends too much on few directions, so what is written is
A = W^(1/4): the search then weighs errors by the root of W (train/EXPERIMENTS.md, row 69). Take it from a decoder that
learnt by reconstruction alone: of one that renders noise as noise a single direction outweighs all others (row 75).
"""
import argparse
import json
import os
import torch
import lacm
import quantised
from batches import Batches
from losses import MelLoss
from model import HOP, class_to_f0

RANK = 1002                                   # of crops: training and refitting have others
WARM, LATE = 5, 40                            # frames of a second that count: in between the decoder sees enough
POWER = 0.25


def project(views):
    """Random projections of log mel magnitudes, each resolution alike, and of roots of magnitudes relative to the
    crop's: each sum's mean square is what an error does."""
    logs, roots = views
    mel = sum((a * torch.randn_like(a)).sum() / a[0].numel() ** 0.5 for a in logs)
    loud = sum(((a * torch.randn_like(a)).sum((1, 2)) / ((a.detach() ** 2).sum((1, 2)) + 1e-3).sqrt()).sum()
               for a in roots)
    return mel + loud


def sensitivity(codec, batches, count, stages):
    """W [D][D], with mean 1 on its diagonal."""
    mel, decoder = MelLoss(), codec.decoder
    total = 0.0
    for step in range(count):
        torch.manual_seed(step)
        x, _ = batches(step, RANK)
        with torch.no_grad():
            z, _, _ = codec.quantiser(codec.encoder(x), torch.randint(stages // 4, stages + 1, (len(x),)))
        z = z.requires_grad_()
        o = decoder.network(z)
        pitch = class_to_f0(decoder.parts(o)['logits'].detach())
        y = decoder.synthesise(o, pitch, (torch.rand_like(x) - 0.5) * 12 ** 0.5)
        gradient, = torch.autograd.grad(project(mel.views(y[:, :-HOP])), z)
        g = gradient[:, WARM:LATE].flatten(0, 1)
        total = total + g.T @ g
    return total / total.diagonal().mean()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('model')
    p.add_argument('data')
    p.add_argument('out')
    p.add_argument('--batches', type=int, default=300, help='of 8 crops of a second')
    a = p.parse_args()
    torch.set_num_threads(int(os.environ.get('OMP_NUM_THREADS', 1)))
    _, m, t = lacm.read(a.model)
    with open(os.path.join(os.path.dirname(__file__), 'config.json')) as f:
        cfg = dict(json.load(f), noise_probability=0)
    codec = quantised.load(m, t, exact=False).requires_grad_(False)
    w = sensitivity(codec, Batches(a.data, cfg), a.batches, m['codebooks'])
    values, axes = torch.linalg.eigh(w.double())
    print('eigenvalues', ' '.join('%.3f' % v for v in values.flip(0)))
    metric = axes @ torch.diag(values.clamp(min=0) ** POWER) @ axes.T
    lacm.attach(a.model, a.out, lacm.METRIC, lacm.metric(metric.numpy()))


if __name__ == '__main__':
    main()
