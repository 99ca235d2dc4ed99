/* Lac in a worker of its own: what lac.js offers for whole files and for recording, as promises. */
export class Codec {
    #worker = new Worker(new URL('worker.js', import.meta.url), { type: 'module' });
    #waiting = new Map();
    #id = 0;

    constructor() {
        this.#worker.onmessage = ({ data: { id, result, error } }) => {
            const { resolve, reject } = this.#waiting.get(id);
            this.#waiting.delete(id);
            if (error === undefined)
                resolve(result);
            else
                reject(new Error(error));
        };
        this.#worker.onerror = (event) => {
            for (const { reject } of this.#waiting.values())
                reject(new Error(event.message || 'the worker does not start'));
            this.#waiting.clear();
        };
    }

    #ask(name, ...args) {
        return new Promise((resolve, reject) => {
            this.#waiting.set(++this.#id, { resolve, reject });
            this.#worker.postMessage({ id: this.#id, name, args });
        });
    }

    /* model.info of lac.js, version and kernels */
    describe() {
        return this.#ask('describe');
    }

    /* One Float32Array a channel at the model's rate to { bytes, info, seconds }. */
    encode(channels, kbps) {
        return this.#ask('encode', channels, kbps);
    }

    /* A .lac file to { channels, info, seconds }. */
    decode(bytes) {
        return this.#ask('decode', bytes);
    }

    /* Mono sound of `rate` Hz follows through record(samples), which gives { samples, bytes } so far;
     * stopRecording gives { channels, bytes, info, seconds }. */
    startRecording(rate, kbps) {
        return this.#ask('startRecording', rate, kbps);
    }

    record(samples) {
        return this.#ask('record', samples);
    }

    stopRecording() {
        return this.#ask('stopRecording');
    }
}
