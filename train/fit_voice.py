"""Does `lac fit` help a voice nobody trained on? fit_voice.py LAC MODEL FOLDER [--voices czech_ph,lp_diphone]
[--minutes 10] [--held 40] [--rates 1.5,3,6] [--fit OPTIONS]

Each voice, of Debian's festival, reads fortunes in its language (packages festvox-czech-ph, fortunes-cs; festvox-
italp16k, fortunes-it): a real person's recorded diphones, in FOLDER, where they stay for the next run. The first
minutes go to `lac fit` as they are, with no option but those of --fit; other utterances are coded with the model as
it was and as fitted, and scored as ../shared/eval/score.py does. Prints mean mel distances and ESTOI and their
differences, paired by utterance, with 95 % intervals.
"""
import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import wave
import numpy as np
from quality import EVAL, interval, through

VOICES = {                                    # language's text, its encoding, that of festival
    'czech_ph': ('/usr/share/games/fortunes/cs/klasik-cz', 'utf-8', 'iso-8859-2'),
    'lp_diphone': ('/usr/share/games/fortunes/it/italia', 'iso-8859-1', 'iso-8859-1'),
}


def sentences(path, encoding):
    """Of 25 to 160 letters, each once, in the order of the file."""
    seen, text = set(), open(path, encoding=encoding, errors='ignore').read()
    for part in re.split(r'[.!?;:\n%"]+(?=\s)|\n%\n', text):
        part = re.sub(r'[^\w\s,]|[\d_]', ' ', part)
        part = ' '.join(part.split())
        if 25 <= len(part) <= 160 and part not in seen:
            seen.add(part)
            yield part + '.'


def seconds(path):
    with wave.open(path) as w:
        return w.getnframes() / w.getframerate()


def speak(voice, folder, minutes, held):
    """Utterances as wave files, until there are `held` after the first `minutes`: both lists."""
    os.makedirs(folder, exist_ok=True)
    path, encoding, festival = VOICES[voice]
    lines, paths, total = list(sentences(path, encoding)), [], 0
    for at in range(0, len(lines), 40):
        batch = [(os.path.join(folder, '%04d.wav' % i), lines[i]) for i in range(at, min(at + 40, len(lines)))]
        todo = [(p, s) for p, s in batch if not os.path.exists(p)]
        script = '(voice_%s)\n' % voice + ''.join(
            '(utt.save.wave (utt.synth (Utterance Text "%s")) "%s" \'riff)\n' % (s, p) for p, s in todo)
        if todo:
            subprocess.run(['festival', '--pipe'], input=script.encode(festival, 'ignore'), check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for p, _ in batch:
            if os.path.exists(p) and seconds(p) > 1:
                paths.append(p)
                total += seconds(p)
                if total < 60 * minutes:
                    last = len(paths)
        if total >= 60 * minutes and len(paths) - last >= held:
            return paths[:last], paths[last:last + held]
    sys.exit('%s: only %.0f s of speech in %s' % (voice, total, path))


def scores(lac, model, rate, paths):
    sys.path.insert(0, EVAL)
    import score as S
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        coded, out = os.path.join(scratch, 'a.lac'), os.path.join(scratch, 'a.wav')
        for path in paths:
            through(lac, model, rate, path, coded, out, ('--constant',))
            (r, sr), (d, _) = S.load(path), S.load(out)
            r, d = S.M.resample(r, sr, 16000), S.M.resample(d, sr, 16000)
            rows.append((S.M.mel_distance(r, d, 16000), S.M.estoi(r, d, 16000)))
    return np.array(rows)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument('lac')
    p.add_argument('model')
    p.add_argument('folder')
    p.add_argument('--voices', default='czech_ph,lp_diphone')
    p.add_argument('--minutes', type=float, default=10)
    p.add_argument('--held', type=int, default=40)
    p.add_argument('--rates', default='1.5,3,6')
    p.add_argument('--fit', default='', help='options of lac fit')
    p.add_argument('--speak-only', action='store_true')
    a = p.parse_args()
    for voice in a.voices.split(','):
        train, held = speak(voice, os.path.join(a.folder, voice), a.minutes, a.held)
        print('%s: %d utterances, %.0f s, to fit; %d, %.0f s, held out' % (
            voice, len(train), sum(map(seconds, train)), len(held), sum(map(seconds, held))), flush=True)
        if a.speak_only:
            continue
        fitted = os.path.join(a.folder, voice + '.lacm')
        report = subprocess.run([a.lac, 'fit', '--json', '-f', '-m', a.model, '-o', fitted, *shlex.split(a.fit), *train],
                                check=True, capture_output=True).stdout
        report = json.loads(report)
        print('  error of the latents', ' '.join('%.3f>%.3f' % (b['distortion'], c['distortion']) for b, c in zip(
            report['before']['stages'], report['after']['stages'])), flush=True)
        for rate in a.rates.split(','):
            before, after = scores(a.lac, a.model, rate, held), scores(a.lac, fitted, rate, held)
            for i, metric in enumerate(('mel16', 'estoi')):
                print('  %s kbit/s: %s %.3f, fitted %.3f, difference %s' % (
                    rate, metric, before[:, i].mean(), after[:, i].mean(), interval((after - before)[:, i])), flush=True)


if __name__ == '__main__':
    main()
