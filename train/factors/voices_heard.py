"""Whether new voices come out of the generator as drawn, and attributes with them:

    voices_heard.py LIBLAC_LATENT_SO FACTORS.lacf MODEL.lacm DATA SCORES.json [CLIPS]

Held-out clips get each kind of voice (their pitch moved to its median), go through the generator and all codebooks,
and are analysed again, as the gates of `lac synth` do. Real voices are those of other held-out speakers.
What comes out is added to SCORES.json, voices_scores.py's.
"""
import ctypes as C
import json
import sys
import numpy as np
import torch
import extract
import lacf
import splits
from networks_compare import Generator
from quantise import Quantiser
from style_items import Analyser, Factors
from voices import people
from voices_compare import Settings

KINDS = ('pitch', 'formants', 'age', 'accent')
WANTED, CODEBOOKS, MOST = 1.5, 12, 400          # MOST: frames of a clip


def sampled(analyser, seed, **wanted):
    """-> speaker vector, median pitch in Hz"""
    found, attribute = Factors(), [wanted.get(k, np.nan) for k in KINDS]
    s = Settings(1, (C.c_float * lacf.ATTRIBUTES)(*attribute), None, 0, 1, 1)
    analyser.call('lac_voice_sample', analyser.model, C.byref(s), C.c_uint64(seed), C.byref(found), None)
    return np.array(found.speaker), found.f0_median[0]


def attributes(analyser, vector):
    out = (C.c_float * lacf.ATTRIBUTES)()
    analyser.call('lac_voice_attributes', analyser.model, (C.c_float * len(vector))(*vector), out)
    return np.array(out)


def said(analyser, generator, quantiser, z, vector, hz):
    """The clip of latents z in that voice -> cosine with it, pitch off in semitones, attributes."""
    frames, factors = analyser.frames(z)
    frames['f0'] = np.where(frames['f0'] > 0, np.clip(frames['f0'] * hz / factors.f0_median[0], 50, 600), 0)
    factors.speaker[:] = vector.tolist()
    made = quantiser.quantise(torch.from_numpy(generator.latents(frames, factors)), CODEBOOKS).numpy()
    back = analyser.frames(np.rint(made).astype(np.int16))[1]
    heard = np.array(back.speaker)
    return [heard @ vector, 12 * abs(np.log2(max(back.f0_median[0], 50) / hz)), *attributes(analyser, heard)]


def main(library, model, codec, data, scores, count=40):
    analyser, quantiser = Analyser(library, model), Quantiser(codec)
    generator, latents, clips = Generator(analyser), extract.load_latents(data, 'base'), extract.load_clips(data)
    names, real, pitch = people(data, 'heldout')
    heldout = [c for c in clips if c['split'] == 'heldout' and c['frames'] >= 100]
    splits.assert_disjoint([c['speaker'] for c in clips if c['split'] == 'train'])
    chosen = [heldout[i] for i in np.random.default_rng(1).permutation(len(heldout))[:int(count)]]
    kinds = {'sampled': {}, **{'%s %+.1f' % (k, s * WANTED): {k: s * WANTED} for k in KINDS for s in (-1, 1)}}
    found = {k: [] for k in ['real', *kinds]}
    for n, c in enumerate(chosen):
        z = np.array(latents[c['first']:c['first'] + min(c['frames'], MOST) // 2 * 2])
        other = (names.index(c['speaker']) + 1 + n % (len(names) - 1)) % len(names)
        made = {k: sampled(analyser, n, **wanted) for k, wanted in kinds.items()}
        made['real'] = real[other].astype(np.float32), 150 * 2 ** pitch[other]
        for k, (vector, hz) in made.items():
            found[k].append([*said(analyser, generator, quantiser, z, vector, hz), hz])
    heads = ['cosine', 'pitch off, semitones', *KINDS, 'median pitch, Hz']
    rows = {k: dict(zip(heads, np.mean(v, 0).tolist())) for k, v in found.items()}
    for k, r in rows.items():
        print('%-14s' % k, ' '.join('%s %.2f' % i for i in r.items()))
    known = json.load(open(scores))
    known['heard'] = {'clips': len(chosen), 'heads': heads, 'rows': rows}
    json.dump(known, open(scores, 'w'), indent=1)


if __name__ == '__main__':
    if len(sys.argv) not in (6, 7):
        sys.exit(__doc__)
    main(*sys.argv[1:])
