/* Streaming conversion of a mono signal's rate: a windowed sinc (Blackman, 24 zero crossings each side). For the
 * microphone, whose rate is the machine's; files are resampled by the browser. */

const CROSSINGS = 24;

export class Resampler {
    #step;       // input samples an output sample
    #cutoff;     // of the input's Nyquist frequency
    #reach;      // input samples the window reaches to each side
    #kept = new Float32Array(0);
    #start = 0;  // position of kept[0] in the input
    #next = 0;   // output samples given so far

    constructor(from, to) {
        this.#step = from / to;
        this.#cutoff = Math.min(1, to / from) * 0.94;
        this.#reach = Math.ceil(CROSSINGS / this.#cutoff);
    }

    #weight(distance) {
        const x = Math.PI * distance * this.#cutoff;
        const u = Math.PI * distance / this.#reach;
        const window = 0.42 + 0.5 * Math.cos(u) + 0.08 * Math.cos(2 * u);
        return this.#cutoff * window * (x === 0 ? 1 : Math.sin(x) / x);
    }

    #sampleAt(position) {
        const first = Math.max(this.#start, Math.ceil(position - this.#reach));
        const last = Math.min(this.#start + this.#kept.length - 1, Math.floor(position + this.#reach));
        let sum = 0;
        for (let i = first; i <= last; i++)
            sum += this.#kept[i - this.#start] * this.#weight(position - i);
        return sum;
    }

    #giveUntil(end) {
        const out = [];
        for (; this.#next * this.#step < end; this.#next++)
            out.push(this.#sampleAt(this.#next * this.#step));
        return Float32Array.from(out);
    }

    /* Takes samples; gives those that are certain. */
    write(samples) {
        const all = new Float32Array(this.#kept.length + samples.length);
        all.set(this.#kept);
        all.set(samples, this.#kept.length);
        this.#kept = all;
        const out = this.#giveUntil(this.#start + all.length - this.#reach);
        const drop = Math.max(0, Math.floor(this.#next * this.#step) - this.#reach - this.#start);
        this.#kept = all.slice(drop);
        this.#start += Math.min(drop, all.length);
        return out;
    }

    /* The rest, as if silence followed. */
    flush() {
        return this.#giveUntil(this.#start + this.#kept.length);
    }
}
