/* Sound into and out of the page. */

const MAX_CHANNELS = 8;

/* Any file that the browser can play, resampled: one Float32Array a channel. */
export async function readAudio(bytes, rate) {
    const context = new OfflineAudioContext(1, 1, rate);
    const buffer = await context.decodeAudioData(bytes).catch(() => {
        throw new Error('this browser finds no sound in that file');
    });
    const count = Math.min(buffer.numberOfChannels, MAX_CHANNELS);
    return Array.from({ length: count }, (_, c) => buffer.getChannelData(c));
}

/* A WAV file of 16 bits. */
export function wavBlob(channels, rate) {
    const count = channels.length;
    const size = channels[0].length * count * 2;
    const view = new DataView(new ArrayBuffer(44 + size));
    const text = (at, value) => [...value].forEach((c, i) => view.setUint8(at + i, c.charCodeAt(0)));
    text(0, 'RIFF');
    view.setUint32(4, 36 + size, true);
    text(8, 'WAVEfmt ');
    view.setUint32(16, 16, true);
    view.setUint16(20, 1, true);
    view.setUint16(22, count, true);
    view.setUint32(24, rate, true);
    view.setUint32(28, rate * count * 2, true);
    view.setUint16(32, count * 2, true);
    view.setUint16(34, 16, true);
    text(36, 'data');
    view.setUint32(40, size, true);
    channels.forEach((channel, c) => {
        for (let i = 0; i < channel.length; i++) {
            const value = Math.max(-32768, Math.min(32767, Math.round(channel[i] * 32768)));
            view.setInt16(44 + 2 * (i * count + c), value, true);
        }
    });
    return new Blob([view], { type: 'audio/wav' });
}

/* The microphone, as it is: start gives the rate, onSamples gets Float32Arrays until stop. */
export class Microphone {
    #stream;
    #context;
    #node;

    async start(onSamples) {
        this.#stream = await navigator.mediaDevices.getUserMedia({
            audio: { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false },
        });
        this.#context = new AudioContext();
        await this.#context.audioWorklet.addModule(new URL('capture.js', import.meta.url));
        this.#node = new AudioWorkletNode(this.#context, 'capture', { numberOfOutputs: 0, channelCount: 1,
            channelCountMode: 'explicit' });
        this.#node.port.onmessage = ({ data }) => data && onSamples(data);
        return this.#context.sampleRate;
    }

    /* Sound flows from here on. */
    connect() {
        this.#context.createMediaStreamSource(this.#stream).connect(this.#node);
    }

    /* capture.js ends with null. */
    #takeRest() {
        const { port } = this.#node;
        return new Promise((resolve) => {
            port.addEventListener('message', ({ data }) => data === null && resolve());
            port.postMessage('stop');
        });
    }

    /* onSamples has had the last samples when this is done. */
    async stop() {
        this.#stream?.getTracks().forEach((track) => track.stop());
        if (this.#node && this.#context.state === 'running')
            await this.#takeRest();
        await this.#context?.close();
    }
}
