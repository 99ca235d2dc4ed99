/* lac.js and lac.wasm under node: node module.mjs FOLDER, which holds them and the model. Prints TAP. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { speech } from './wav.mjs';

const folder = process.argv[2];
const { Lac, LacError } = await import(pathToFileURL(join(folder, 'lac.js')));
const code = await readFile(join(folder, 'lac.wasm'));
const weights = await readFile(join(folder, 'speech24.lacm'));
const lac = await Lac.load(code);
const model = lac.openModel(weights);
const { sampleRate, frameSamples, codebooks, decoderDelaySamples } = model.info;
const sound = speech(3, sampleRate);

function assert(condition, what) {
    if (!condition)
        throw new Error(what);
}

function same(a, b, what) {
    assert(a.length === b.length && a.every((x, i) => x === b[i]), `${what} differ`);
}

function fails(status, work) {
    try {
        work();
    } catch (error) {
        assert(error instanceof LacError && error.status === status, `${error}`);
        return;
    }
    throw new Error(`no error, ${status} expected`);
}

function throws(Type, work) {
    try {
        work();
    } catch (error) {
        assert(error instanceof Type, `${error}`);
        return;
    }
    throw new Error(`no ${Type.name}`);
}

function append(Type, pieces) {
    return Type.from(pieces.flatMap((piece) => [...piece]));
}

/* write(piece) for pieces of odd sizes */
function inPieces(samples, write) {
    const results = [];
    for (let at = 0, size = 1; at < samples.length; at += size, size = size * 3 % 9973 + 1)
        results.push(write(samples.subarray(at, at + size)));
    return results;
}

const tests = {
    'any chunking gives the same file'() {
        const { bytes, info } = model.encode([sound], { kbps: 3 });
        const writer = model.openWriter({ kbps: 3 });
        const pieces = inPieces(sound, (piece) => writer.write([piece]));
        pieces.push(writer.finish());
        same(append(Uint8Array, pieces), bytes, 'files');
        assert(info.bytes === bytes.length && info.samples === sound.length, 'info');
        writer.close();
    },

    'decoding gives every sample, seeking the same ones'() {
        const { bytes } = model.encode([sound, sound.slice().reverse()], { kbps: 1.5 });
        const { channels, info } = model.decode(bytes);
        assert(channels.length === 2 && info.damagedPages === 0, 'info');
        assert(channels.every((channel) => channel.length === sound.length), 'length');
        const reader = model.openReader(bytes);
        reader.seek(50001);
        reader.read(777).forEach((piece, c) => same(piece, channels[c].subarray(50001, 50778), 'samples'));
        reader.close();
    },

    'tokens decode to what the file decodes to'() {
        const { channels: [whole] } = model.decode(model.encode([sound], { kbps: 6 }).bytes);
        const encoder = model.openEncoder({ kbps: 6 });
        const decoder = model.openDecoder();
        const rows = append(Uint16Array, [...inPieces(sound, (piece) => encoder.write(piece)), encoder.flush()]);
        const frames = rows.length / codebooks;
        const pcm = decoder.read(rows, new Uint8Array(frames).fill(codebooks));
        const first = 30 * frameSamples; // later, the file's pages round the phase of the pulses
        same(pcm.subarray(decoderDelaySamples, decoderDelaySamples + first), whole.subarray(0, first), 'samples');
        decoder.reset();
        const again = decoder.read(rows.subarray(0, codebooks), Uint8Array.of(codebooks));
        same(again, pcm.subarray(0, frameSamples), 'samples after reset');
        encoder.close();
        decoder.close();
    },

    'files are ArrayBuffers or any views of them'() {
        const { buffer } = Uint8Array.from(weights);
        for (const file of [buffer, new Uint16Array(buffer)]) {
            const other = lac.openModel(file);
            assert(other.info.id === model.info.id, 'model');
            other.close();
        }
        const { bytes } = model.encode([sound]);
        const { channels: [expected] } = model.decode(bytes);
        const padded = Uint8Array.of(1, 2, 3, ...bytes, 4);
        for (const file of [bytes.slice().buffer, new DataView(padded.buffer, 3, bytes.length)])
            same(model.decode(file).channels[0], expected, 'samples');
        throws(TypeError, () => model.decode([...bytes]));
    },

    'channels are of one length'() {
        for (const [a, b] of [[16384, 20000], [20000, 16384], [32768, 0]])
            throws(RangeError, () => model.encode([sound.subarray(0, a), sound.subarray(0, b)]));
    },

    async 'a recording ends with its last sample'() {
        const posted = [];
        let Capture;
        globalThis.AudioWorkletProcessor = class {
            port = { postMessage: (message) => posted.push(structuredClone(message)) };
        };
        globalThis.registerProcessor = (name, processor) => {
            Capture = processor;
        };
        await import(pathToFileURL(join(folder, 'capture.js')));
        const capture = new Capture();
        const blocks = 40, taken = sound.subarray(0, blocks * 128);
        for (let i = 0; i < blocks; i++)
            assert(capture.process([[taken.subarray(i * 128, (i + 1) * 128)]]), 'goes on');
        assert(posted.length === 1, 'a piece');
        capture.port.onmessage({ data: 'stop' });
        assert(posted.pop() === null, 'end');
        same(append(Float32Array, posted), taken, 'samples');
        assert(!capture.process([[taken.subarray(0, 128)]]) && posted.length === 2, 'nothing after it');
    },

    'errors carry the library\'s status and message'() {
        fails(-5, () => lac.openModel(new Uint8Array(100)));
        fails(-8, () => model.decode(Uint8Array.of(0x4c, 0x41, 0x43)));
        fails(-1, () => model.openWriter({ channels: 9 }));
        fails(-1, () => model.openDecoder().read(new Uint16Array(codebooks).fill(65535), Uint8Array.of(1)));
        const closed = model.openEncoder();
        closed.close();
        closed.close();
        fails(-11, () => closed.flush());
    },

    'what is closed is free again'() {
        const other = lac.openModel(weights);
        const work = () => other.decode(other.encode([sound.subarray(0, 24000)]).bytes);
        const forget = () => {
            for (const open of ['openEncoder', 'openDecoder', 'openWriter'])
                other[open]().close();
            lac.openModel(weights).close();
        };
        work();
        forget();
        const before = lac.memoryBytes;
        for (let i = 0; i < 20; i++) {
            work();
            forget();
        }
        assert(lac.memoryBytes === before, `${lac.memoryBytes - before} bytes more`);
        const open = other.openEncoder();
        other.close();
        fails(-11, () => open.flush());
    },
};

let number = 0, failed = 0;
for (const [name, test] of Object.entries(tests)) {
    let error;
    try {
        await test();
    } catch (thrown) {
        error = thrown;
        failed++;
    }
    console.log(`${error ? 'not ok' : 'ok'} ${++number} - ${name}`);
    if (error)
        console.log(`# ${error.stack.replaceAll('\n', '\n# ')}`);
}
console.log(`1..${number}`);
process.exitCode = failed > 0 ? 1 : 0;
