/* Draws spectrograms with axes: linear frequency up to half the rate, 80 dB. */

const SIZE = 1024;   // samples of a window
const RANGE = 80;    // dB
const MARGIN = { left: 44, right: 8, top: 8, bottom: 34 };

/* From silence to full: black, violet, orange, light yellow (stops of Matplotlib's inferno). */
const STOPS = [[0, 0, 4], [40, 11, 84], [101, 21, 110], [159, 42, 99], [212, 72, 66], [245, 125, 21], [250, 193, 39],
    [252, 255, 164]];

function colour(level) {
    const x = Math.max(0, Math.min(1, level)) * (STOPS.length - 1);
    const i = Math.min(STOPS.length - 2, Math.floor(x));
    return STOPS[i].map((from, c) => from + (STOPS[i + 1][c] - from) * (x - i));
}

const PALETTE = Array.from({ length: 256 }, (_, i) => colour(i / 255));
const WINDOW = Float32Array.from({ length: SIZE }, (_, i) => 0.5 - 0.5 * Math.cos(2 * Math.PI * i / SIZE));
const COS = Float32Array.from({ length: SIZE / 2 }, (_, i) => Math.cos(2 * Math.PI * i / SIZE));
const SIN = Float32Array.from({ length: SIZE / 2 }, (_, i) => Math.sin(2 * Math.PI * i / SIZE));

/* In place, radix 2. */
function transform(re, im) {
    for (let i = 1, j = 0; i < SIZE; i++) {
        let bit = SIZE >> 1;
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j)
            [re[i], re[j], im[i], im[j]] = [re[j], re[i], im[j], im[i]];
    }
    for (let half = 1; half < SIZE; half *= 2)
        for (let start = 0; start < SIZE; start += 2 * half)
            for (let k = 0; k < half; k++) {
                const [a, b, turn] = [start + k, start + k + half, k * (SIZE / 2 / half)];
                const x = re[b] * COS[turn] + im[b] * SIN[turn];
                const y = im[b] * COS[turn] - re[b] * SIN[turn];
                [re[b], im[b]] = [re[a] - x, im[a] - y];
                re[a] += x;
                im[a] += y;
            }
}

/* dB of the bins 0 .. SIZE / 2 - 1 around a sample, relative to a sine of full scale. */
function spectrumAt(samples, centre) {
    const re = new Float32Array(SIZE), im = new Float32Array(SIZE);
    for (let i = 0; i < SIZE; i++)
        re[i] = (samples[centre - SIZE / 2 + i] ?? 0) * WINDOW[i];
    transform(re, im);
    return Float32Array.from({ length: SIZE / 2 },
        (_, k) => 10 * Math.log10((re[k] * re[k] + im[k] * im[k]) * (16 / (SIZE * SIZE)) + 1e-12));
}

function picture(samples, width, height, length) {
    const image = new ImageData(width, height);
    const columns = Array.from({ length: width },
        (_, x) => spectrumAt(samples, Math.round((x + 0.5) * length / width)));
    for (let y = 0; y < height; y++) {
        const from = Math.floor((height - 1 - y) * (SIZE / 2) / height);
        const to = Math.max(from + 1, Math.floor((height - y) * (SIZE / 2) / height));
        for (let x = 0; x < width; x++) {
            const db = Math.max(...columns[x].subarray(from, to));
            const [r, g, b] = PALETTE[Math.max(0, Math.min(255, Math.round(255 * (db + RANGE + 10) / RANGE)))];
            image.data.set([r, g, b, 255], 4 * (y * width + x));
        }
    }
    return image;
}

/* A step of 1, 2 or 5 times a power of ten that gives at most `most` ticks. */
function tickStep(span, most) {
    const power = 10 ** Math.floor(Math.log10(span / most));
    return power * ([1, 2, 5, 10].find((factor) => span / (factor * power) <= most) ?? 10);
}

function axes(context, box, seconds, kilohertz) {
    context.fillStyle = context.strokeStyle = getComputedStyle(context.canvas).color;
    context.font = '12px system-ui, sans-serif';
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    for (let f = 0; f <= kilohertz; f += 4)
        context.fillText(String(f), box.x - 6, box.y + box.height * (1 - f / kilohertz));
    context.textAlign = 'center';
    context.textBaseline = 'top';
    const step = tickStep(seconds, box.width / 60);
    for (let t = 0; t <= seconds; t += step)
        context.fillText(String(Number(t.toFixed(6))), box.x + box.width * t / seconds, box.y + box.height + 4);
    context.fillText('time in s', box.x + box.width / 2, box.y + box.height + 18);
    context.rotate(-Math.PI / 2);
    context.fillText('kHz', -(box.y + box.height / 2), 4);
    context.setTransform(1, 0, 0, 1, 0, 0);
}

/* samples at `rate` into the whole canvas; `length` samples are the width, so that pictures can be compared. */
export function drawSpectrogram(canvas, samples, rate, length = samples.length) {
    const scale = devicePixelRatio || 1;
    const { clientWidth, clientHeight } = canvas;
    canvas.width = Math.round(clientWidth * scale);
    canvas.height = Math.round(clientHeight * scale);
    const context = canvas.getContext('2d');
    const box = { x: MARGIN.left, y: MARGIN.top, width: clientWidth - MARGIN.left - MARGIN.right,
        height: clientHeight - MARGIN.top - MARGIN.bottom };
    if (box.width < 1 || box.height < 1 || length === 0)
        return;
    context.putImageData(picture(samples, Math.round(box.width * scale), Math.round(box.height * scale), length),
        Math.round(box.x * scale), Math.round(box.y * scale));
    context.scale(scale, scale);
    axes(context, box, length / rate, rate / 2000);
}
