/* Audio worklet: posts the first input channel in pieces. */
const PIECE = 4096;

class Capture extends AudioWorkletProcessor {
    #piece = new Float32Array(PIECE);
    #filled = 0;

    process([[samples]]) {
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
