#!/usr/bin/env python3
"""What codings of tokens save of files, and what they cost: codings.py LAC MODEL AUDIO_DIR [--seconds 120] [--rounds 5]

Codes the dev split of AUDIO_DIR with each coding that MODEL has and prints the bytes of all files and the bits of their
tokens, beside plain bits. Then the time of `lac encode` and `lac decode`, of a file made of the clips, as a ratio to that
with plain bits: processor time, the best of some rounds taken in turn.
"""
import argparse
import json
import os
import resource
import subprocess
import tempfile
import numpy as np
import soundfile as sf
from quality import dev_split

CODINGS = ('plain', 'adaptive', 'prior')


def run(*command):
    """Processor seconds that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def encode(a, rate, coding, source, target):
    return run(a.lac, 'encode', '-f', '--constant', '-m', a.model, '-b', str(rate), '--beam', str(a.beam), '--coding', coding, source,
               target)


def sizes(a, clips, rate, coding, folder):
    """Bytes of all files; bits of their tokens."""
    target, size, bits = os.path.join(folder, 'a.lac'), 0, 0
    for path in clips.values():
        encode(a, rate, coding, path, target)
        size += os.path.getsize(target)
        bits += 8 * json.loads(subprocess.run([a.lac, 'info', '--json', target], check=True, capture_output=True,
                                              text=True).stdout)['payload_bytes']
    return size, bits


def times(a, source, rate, codings, folder):
    """Seconds of encode and decode by coding."""
    best = {c: [1e9, 1e9] for c in codings}
    for _ in range(a.rounds):
        for c in codings:
            target = os.path.join(folder, c + '.lac')
            took = [encode(a, rate, c, source, target),
                    run(a.lac, 'decode', '-f', '-m', a.model, '--raw', 's16', target, os.path.join(folder, 'out'))]
            best[c] = [min(x, y) for x, y in zip(best[c], took)]
    return best


def has(a, coding, source, folder):
    try:
        encode(a, 3, coding, source, os.path.join(folder, 'a.lac'))
    except subprocess.CalledProcessError:
        return False
    return True


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('lac')
    p.add_argument('model')
    p.add_argument('audio')
    p.add_argument('--rates', default='1.5,3,6')
    p.add_argument('--beam', type=int, default=8)
    p.add_argument('--seconds', type=float, default=120)
    p.add_argument('--rounds', type=int, default=5)
    a = p.parse_args()
    clips, _ = dev_split(a.audio)
    with tempfile.TemporaryDirectory() as folder:
        long, sound = os.path.join(folder, 'long.wav'), [sf.read(path, dtype='int16') for path in clips.values()]
        rate = sound[0][1]
        sf.write(long, np.concatenate([x for x, r in sound if r == rate])[:int(a.seconds * rate)], rate)
        codings = [c for c in CODINGS if has(a, c, long, folder)]
        print('| kbit/s | coding | bytes of files | saved | bits of tokens saved | encode | decode |')
        print('|---|---|---|---|---|---|---|')
        for kbps in a.rates.split(','):
            size = {c: sizes(a, clips, kbps, c, folder) for c in codings}
            time = times(a, long, kbps, codings, folder)
            for c in codings:
                saved = [100 - 100 * x / y for x, y in zip(size[c], size['plain'])]
                ratio = [x / y for x, y in zip(time[c], time['plain'])]
                print('| %s | %s | %d | %.1f %% | %.1f %% | %.2f | %.2f |' % (kbps, c, size[c][0], *saved, *ratio), flush=True)


if __name__ == '__main__':
    main()
