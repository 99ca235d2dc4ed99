/* Audio worklet: posts the first input channel in pieces. Any message to it ends that: it posts the rest, then
 * null. */
const PIECE = 4096;

class Capture extends AudioWorkletProcessor {
    #piece = new Float32Array(PIECE);
    #filled = 0;
    #going = true;

    constructor() {
        super();
        this.port.onmessage = () => this.#stop();
    }

    #stop() {
        this.port.postMessage(this.#piece.slice(0, this.#filled));
        this.port.postMessage(null);
        this.#going = false;
    }

    process([[samples]]) {
        if (!this.#going)
            return false;
        if (!samples)
            return true;
        this.#piece.set(samples, this.#filled);
        this.#filled += samples.length;
        if (this.#filled === PIECE) {
            this.port.postMessage(this.#piece);
            this.#filled = 0;
        }
        return true;
    }
}

registerProcessor('capture', Capture);
