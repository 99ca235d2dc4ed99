"""Run a training state over a folder: code.py STATE IN_DIR OUT_PREFIX CODEBOOKS[,CODEBOOKS...]

Writes OUT_PREFIX_<codebooks>/*.wav, to be scored with ../shared/eval/score.py and compared with what `lac` gives.
"""
import glob
import os
import sys
import numpy as np
import soundfile as sf
import soxr
import torch
from model import Codec, SR


def main(state, source, out, codebooks):
    torch.set_num_threads(1)
    s = torch.load(state, map_location='cpu')
    codec = Codec(s['config']['model'])
    codec.load_state_dict(s['ema'])
    codec.eval()
    for path in sorted(glob.glob(os.path.join(source, '*'))):
        a, rate = sf.read(path, dtype='float32', always_2d=True)
        x = soxr.resample(a[:, 0], rate, SR) if rate != SR else a[:, 0]
        with torch.no_grad():
            z = codec.encoder(torch.from_numpy(np.pad(x, (0, 960 - len(x) % 480)))[None])
            for k in map(int, codebooks.split(',')):
                torch.manual_seed(0)
                y = codec.decoder(codec.quantiser(z, torch.tensor([k]))[0])[0][0, :len(x)].numpy()
                y = soxr.resample(y, SR, rate) if rate != SR else y
                os.makedirs('%s_%d' % (out, k), exist_ok=True)
                name = os.path.splitext(os.path.basename(path))[0] + '.wav'
                sf.write(os.path.join('%s_%d' % (out, k), name), np.clip(y, -1, 1), rate)


if __name__ == '__main__':
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    main(*sys.argv[1:])
