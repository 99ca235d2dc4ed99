"""Latents as tokens bring them, so that networks know both: quantise.py MODEL SETS checks one way by the other."""
import os
import sys
import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import lacm                                                                 # noqa: E402


class Quantiser:
    """The residual codebooks of a model file; latents are in units of 1 / 512."""

    def __init__(self, model):
        codes = lacm.read(model)[2]['codes']                                # [Q][K][D]
        self.codes = torch.from_numpy(codes.astype(np.float32))
        self.half_norm = (self.codes ** 2).sum(-1) / 2
        self.most = float(lacm.MOST)
        self.table, self.first = self.codes.flatten(0, 1), torch.arange(len(codes)) * codes.shape[1]

    @torch.no_grad()
    def quantise(self, z, codebooks):
        """z [..., D] int16 -> float32 alike: the nearest codes of the first `codebooks`, summed."""
        rest = z.reshape(-1, z.shape[-1]).float()
        total = torch.zeros_like(rest)
        for c, h in zip(self.codes[:codebooks], self.half_norm):
            step = c[torch.addmm(h, rest, c.T, alpha=-1).argmin(1)]
            rest, total = rest - step, total + step
        return total.clamp(-self.most, self.most).reshape(z.shape)

    @torch.no_grad()
    def dequantise(self, tokens, codebooks):
        """tokens [..., Q] integer (SET.tokens) -> float32 [..., D]: the same, and far faster."""
        flat = tokens.reshape(-1, tokens.shape[-1])[:, :codebooks].long() + self.first[:codebooks]
        total = F.embedding_bag(flat, self.table, mode='sum').clamp(-self.most, self.most)
        return total.reshape(*tokens.shape[:-1], -1)


def main(model, sets):
    q = Quantiser(model)
    z = torch.from_numpy(np.fromfile(sets + '/base.i16', np.int16, 64 * 20000).reshape(-1, 64))
    t = torch.from_numpy(np.fromfile(sets + '/base.tokens', np.uint16, 12 * 20000).reshape(-1, 12).astype(np.int32))
    for n in (1, 3, 6, 12):
        a, b = q.quantise(z, n), q.dequantise(t, n)
        print('%2d codebooks: error over variance %.3f; %.4f %% of rows differ from the encoder\'s' % (
            n, ((a - z.float()) ** 2).mean() / (z.float() ** 2).mean(), 100 * (a != b).any(1).float().mean()))


if __name__ == '__main__':
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
