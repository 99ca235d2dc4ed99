#!/usr/bin/env python3
"""Lac against Opus on a network that loses packets: transport.py BUILD AUDIO_DIR OUT [--loss 0,10,20,30]

All dev clips in one stream, in real time over loopback: encoder, RTP, `lac netsim` with one trace of losses for
all, jitter buffer, decoder. Lac goes both ways, through GStreamer (rtpjitterbuffer) and through `lac send` and
`lac receive`; Opus through GStreamer: 16 kbit/s, 20 ms packets, in-band FEC told the loss, its concealment. A
trace marks slots of 20 ms (Gilbert-Elliott); a packet is lost if the slot it is sent in is. What comes out is cut
into the clips again and scored as ../shared/eval/score.py does. A receiver waits up to 280 ms (Lac: its redundancy
is up to 180 ms behind) or 100 ms (Opus: its is 20 ms behind). All runs go side by side; leave the machine alone
for the nine minutes that takes.

OUT gets results.json, the table (also printed) and plot.png: scores against loss. Needs GStreamer's tools and
matplotlib.
"""
import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
import numpy as np
import soundfile as sf
from quality import EVAL, METRICS, dev_split, interval

RATE = 24000
LEAD, GAP = 2.0, 0.6        # seconds of silence before all clips and between them
FRAMES, CODEBOOKS = 3, 12   # Lac: 60 ms packets, 6 kbit/s
HEADERS = 40                # bytes of IPv4, UDP and RTP
TOTAL = 23700               # bit/s with headers, and room for RTCP up to 24000
HOLD = 180                  # ms that a receiver waits for redundancy
BUFFER = 100                # ms of jitter buffer beside
PATHS = ('lac gst', 'lac send', 'opus gst')


def redundancy_bytes():
    """What is left of the packet for earlier frames."""
    return TOTAL * FRAMES * 20 // 8000 - HEADERS - 2 - (FRAMES * CODEBOOKS * 10 + 7) // 8


def join_clips(clips, path):
    """One stream of all clips; their places in it."""
    parts, places, at = [np.zeros(int(LEAD * RATE))], {}, int(LEAD * RATE)
    sys.path.insert(0, EVAL)
    import metrics
    for name, clip in clips.items():
        x, sr = sf.read(clip, always_2d=True)
        x = x.mean(1) if sr == RATE else metrics.resample(x.mean(1), sr, RATE)
        places[name] = (at, len(x))
        parts += [x, np.zeros(int(GAP * RATE))]
        at += len(x) + int(GAP * RATE)
    parts.append(np.zeros(RATE))
    sf.write(path, np.clip(np.concatenate(parts), -1, 1), RATE, subtype='PCM_16')
    return places, at / RATE + 1


def pipelines(way, build, source, out, sender, receiver, loss):
    """Commands of the receiver and of the sender; ports are where the sender sends and the receiver listens."""
    lac = os.path.join(build, 'tools', 'lac')
    spare = redundancy_bytes()
    if way == 'lac send':
        wait = str(HOLD + BUFFER)
        return ([lac, 'receive', '--port', str(receiver), '--once', '--min-delay', wait, '--max-delay', wait, '-f',
                 out],
                [lac, 'send', source, '--to', '127.0.0.1:%d' % sender, '--codebooks', str(CODEBOOKS), '--frames',
                 str(FRAMES), '--redundancy', str(spare), '--redundancy-packets', '3'])
    head = 'gst-launch-1.0 -q -e '
    buffer = 'rtpjitterbuffer do-lost=true latency=%d' % BUFFER
    tail = ('audioconvert ! audioresample ! audio/x-raw,rate=%d,channels=1 ! wavenc ! filesink location=%s'
            % (RATE, out))
    begin = 'filesrc location=%s ! wavparse ! audioconvert ! ' % source
    if way == 'lac gst':
        caps = ('application/x-rtp,media=audio,encoding-name=LAC,clock-rate=24000,token-bits=(string)10,'
                'frame=(string)480')
        decode = 'rtplacdepay ! lacdec hold=%d' % HOLD
        encode = ('audio/x-raw,format=F32LE ! lacenc codebooks=%d frames-per-packet=%d redundancy=%d '
                  'redundancy-packets=3 ! rtplacpay' % (CODEBOOKS, FRAMES, spare))
    else:
        caps = 'application/x-rtp,media=audio,encoding-name=OPUS,clock-rate=48000'
        decode = 'rtpopusdepay ! opusdec plc=true use-inband-fec=true'
        encode = ('audioresample ! opusenc bitrate=16000 frame-size=20 audio-type=voice inband-fec=true '
                  'packet-loss-percentage=%d ! rtpopuspay' % loss)
    return (shlex.split('%s udpsrc port=%d caps=%s ! %s ! %s ! %s' % (head, receiver, caps, buffer, decode, tail)),
            shlex.split('%s %s %s ! udpsink host=127.0.0.1 port=%d sync=true' % (head, begin, encode, sender)))


class Run:
    """One stream under way."""

    def __init__(self, way, loss, build, source, folder, port, trace):
        self.way, self.loss = way, loss
        self.out = os.path.join(folder, '%s_%d.wav' % (way.replace(' ', '_'), loss))
        receive, send = pipelines(way, build, source, self.out, port, port + 2, loss)
        clock = '48000' if way.startswith('opus') else '24000'
        netsim = [os.path.join(build, 'tools', 'lac'), 'netsim', '--listen', str(port), '--to',
                  '127.0.0.1:%d' % (port + 2), '--trace', trace, '--clock', clock, '--json']
        environment = dict(os.environ, GST_PLUGIN_PATH=os.path.join(build, 'bindings', 'gstreamer'))
        log = open(self.out + '.log', 'w')
        self.receiver = subprocess.Popen(receive, env=environment, stdout=log, stderr=log)
        self.netsim = subprocess.Popen(netsim, stdout=subprocess.PIPE, stderr=log, text=True)
        time.sleep(1)
        self.sender = subprocess.Popen(send, env=environment, stdout=log, stderr=log)

    def finish(self):
        self.sender.wait()
        time.sleep(2)
        if self.way == 'lac send':
            self.receiver.wait(30)
        else:
            self.receiver.send_signal(signal.SIGINT)
            self.receiver.wait(30)
        self.netsim.terminate()
        self.network = json.loads(self.netsim.communicate(timeout=30)[0])


def envelope(x, hop):
    n = len(x) // hop
    e = np.sqrt((x[:n * hop].reshape(n, hop) ** 2).mean(1))
    return e - e.mean()


def correlation(x, y, most):
    """Of x and y, later by -most .. most samples."""
    n = 1 << (len(x) + len(y)).bit_length()
    c = np.fft.irfft(np.fft.rfft(y, n) * np.conj(np.fft.rfft(x, n)), n)
    return np.roll(c, most)[:2 * most + 1]


def lag_of(x, y, most):
    return int(np.argmax(correlation(x, y, most))) - most


def clips_of(x, y, places):
    """name: (original, what came of it), without the stream's delay, which is negative where its first packets are
    lost: coarsely by the envelopes of 10 ms, then by the waves. Opus in GStreamer loses time at some losses: from clip
    to clip the delay changes where that makes the correlation a fifth larger."""
    hop, lead, most = RATE // 100, 3 * RATE, int(GAP * RATE) - 1
    y = np.concatenate([np.zeros(lead), y, np.zeros(len(x))])
    lead += lag_of(envelope(x, hop), envelope(y[lead:], hop), 200) * hop
    lead += lag_of(x, y[lead:], 2 * hop)
    for name, (at, n) in places.items():
        c = correlation(x[at:at + n], y[lead + at:lead + at + n + most], most)
        if c.max() > 1.2 * c[most]:
            lead += int(np.argmax(c)) - most
        yield name, (x[at:at + n], y[lead + at:lead + at + n])


def score_run(job):
    source, out, places = job
    sys.path.insert(0, EVAL)
    import score as S
    x, _ = sf.read(source)
    y, _ = sf.read(out)
    return {name: S.score(a, b, RATE) for name, (a, b) in clips_of(x, y, places)}


def plot(results, losses, path):
    import matplotlib
    matplotlib.use('Agg')
    import matplotlib.pyplot as plt
    figure, axes = plt.subplots(1, len(METRICS), figsize=(3.2 * len(METRICS), 3.2))
    for axis, metric in zip(axes, METRICS):
        for way in PATHS:
            v = [[r[metric] for r in results[way, loss]['clips'].values() if metric in r] for loss in losses]
            axis.errorbar(losses, [np.mean(c) for c in v], [1.96 * np.std(c, ddof=1) / len(c) ** .5 for c in v],
                          label=way, capsize=2)
        axis.set_title(metric)
        axis.set_xlabel('loss, %')
    axes[0].legend()
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def table(results):
    rows = ['| loss % | path | kbit/s with headers | lost % | ' + ' | '.join(METRICS) + ' |',
            '|---' * (4 + len(METRICS)) + '|']
    for (way, loss), r in sorted(results.items(), key=lambda item: (item[0][1], item[0][0])):
        cells = [interval([c[m] for c in r['clips'].values() if m in c]) for m in METRICS]
        rows.append('| %d | %s | %.1f | %.1f | ' % (loss, way, r['kbps'], r['lost']) + ' | '.join(cells) + ' |')
    return '\n'.join(rows)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument('build')
    a.add_argument('audio')
    a.add_argument('out')
    a.add_argument('--loss', default='0,10,20,30')
    a.add_argument('--clips', type=int, help='only so many')
    a.add_argument('--jobs', type=int, default=2, help='processes that score')
    a = a.parse_args()
    build, losses = os.path.abspath(a.build), [int(v) for v in a.loss.split(',')]
    os.makedirs(a.out, exist_ok=True)
    clips = dict(list(dev_split(a.audio)[0].items())[:a.clips])
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, 'source.wav')
        places, seconds = join_clips(clips, source)
        runs = []
        for i, loss in enumerate(losses):
            trace = os.path.join(folder, 'trace%d' % loss)
            subprocess.run([os.path.join(build, 'tools', 'lac'), 'netsim', '--loss', str(loss), '--burst', '60',
                            '--seed', str(1 + i), '--duration', str(seconds + 5), '--write-trace', trace], check=True,
                           stdout=subprocess.DEVNULL)
            for j, way in enumerate(PATHS):
                runs.append(Run(way, loss, build, source, folder, 21000 + 40 * i + 10 * j, trace))
        for run in runs:
            run.finish()
        results = {}
        with ProcessPoolExecutor(a.jobs) as pool:
            jobs = [(source, run.out, places) for run in runs]
            for run, scores in zip(runs, pool.map(score_run, jobs)):
                n = run.network
                results[run.way, run.loss] = dict(clips=scores, network=n,
                                                  kbps=n['bytes'] * 8 / seconds / 1000,
                                                  lost=100 * n['lost'] / n['packets'])
    json.dump([dict(path=w, loss=p, **r) for (w, p), r in results.items()],
              open(os.path.join(a.out, 'results.json'), 'w'), indent=1)
    text = table(results)
    print(text)
    open(os.path.join(a.out, 'table.md'), 'w').write(text + '\n')
    plot(results, losses, os.path.join(a.out, 'plot.png'))


if __name__ == '__main__':
    main()
