"""What another machine needs to go on: half.py STATE OUT.pt  (then train.py ... --init OUT.pt)

Averaged weights and discriminator in float16, without the optimiser's state and the codebooks' statistics.
"""
import sys
import torch


def main(state, out):
    s = torch.load(state, map_location='cpu')

    def halve(weights):
        return {k: v.half() if v.dtype.is_floating_point else v for k, v in weights.items()}

    ema = halve({k: v for k, v in s['ema'].items() if k != 'rvq.total'})
    torch.save(dict(ema=ema, disc=halve(s['disc']), config=s['config'], step=s['step'], seen=s['seen']), out)


if __name__ == '__main__':
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
