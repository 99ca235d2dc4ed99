/* The worker of codec.js: holds the model and does the work. A message { id, name, args } calls tasks[name]. */
import { Lac } from './lac.js';
import { Resampler } from './resampler.js';

async function fetchFile(name) {
    const response = await fetch(new URL(name, import.meta.url));
    if (!response.ok)
        throw new Error(`${name}: ${response.status} ${response.statusText}`);
    return response.arrayBuffer();
}

async function openModel() {
    const [code, weights] = await Promise.all([fetchFile('lac.wasm'), fetchFile('speech24.lacm')]);
    if (!WebAssembly.validate(code))
        throw new Error('this browser does not run WebAssembly with SIMD');
    const lac = await Lac.load(code);
    return { version: lac.version, model: lac.openModel(new Uint8Array(weights)) };
}

/* result and the seconds it took */
function timed(work) {
    const start = performance.now();
    return { ...work(), seconds: (performance.now() - start) / 1000 };
}

const opened = openModel();
let recording = null;

function recordPiece(pcm) {
    const start = performance.now();
    recording.pcm.push(pcm);
    recording.samples += pcm.length;
    recording.bytes.push(recording.writer.write([pcm]));
    recording.seconds += (performance.now() - start) / 1000;
    return { samples: recording.samples, bytes: recording.writer.info.bytes };
}

const tasks = {
    describe: ({ model, version }) => ({ version, kernels: model.kernels, ...model.info }),

    encode: ({ model }, channels, kbps) => timed(() => model.encode(channels, { kbps })),

    decode: ({ model }, bytes) => timed(() => model.decode(bytes)),

    startRecording({ model }, rate, kbps) {
        recording?.writer.close();
        recording = {
            resampler: new Resampler(rate, model.info.sampleRate), writer: model.openWriter({ kbps }),
            pcm: [], bytes: [], samples: 0, seconds: 0,
        };
    },

    record: (_, samples) => recordPiece(recording.resampler.write(samples)),

    async stopRecording() {
        recordPiece(recording.resampler.flush());
        const { writer, pcm, seconds } = recording;
        const bytes = [...recording.bytes, writer.finish()];
        const { info } = writer;
        writer.close();
        recording = null;
        return {
            bytes: new Uint8Array(await new Blob(bytes).arrayBuffer()), info, seconds,
            channels: [new Float32Array(await new Blob(pcm).arrayBuffer())],
        };
    },
};

onmessage = async ({ data: { id, name, args } }) => {
    try {
        postMessage({ id, result: await tasks[name](await opened, ...args) });
    } catch (error) {
        postMessage({ id, error: error.message });
    }
};
