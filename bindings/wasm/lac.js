/* Lac in JavaScript: a module without dependencies around lac.wasm, for browsers (page or worker) and node.
 *
 *     const lac = await Lac.load(await fetch('lac.wasm'));        // or its bytes
 *     const model = lac.openModel(modelFileBytes);                // a .lacm file
 *     const { bytes } = model.encode([left, right], { kbps: 3 }); // to a .lac file
 *     const { channels, info } = model.decode(bytes);             // and back
 *     model.close();
 *
 * A file is an ArrayBuffer or any view of one. Sound is an array of one Float32Array a channel at
 * model.info.sampleRate, full scale 1.0. Everything is computed at once in the calling thread: use a worker where
 * that must stay responsive. What fails throws a LacError with the library's message, sound or a file of a wrong
 * kind a RangeError or TypeError. A model, writer, reader, encoder and decoder holds memory until close(); closing
 * a model closes what was opened with it. */

const CHUNK = 16384; // sample frames handed over at once
const SCRATCH = 256; // bytes for what calls return through pointers
const OUT_OF_MEMORY = -2;
const WRONG_STATE = -11;

const MODEL_NUMBERS = ['sampleRate', 'frameSamples', 'delaySamples', 'decoderDelaySamples', 'codebooks', 'codewords',
    'tokenBits', 'fileBytes'];
const STREAM_NUMBERS = ['originalRate', 'channels', 'samples', 'modelSamples', 'frames', 'pages', 'damagedPages',
    'payloadBits', 'bytes', 'minCodebooks', 'maxCodebooks', 'truncated'];

/* status is the library's, see lac/status.h. */
export class LacError extends Error {
    constructor(status, message) {
        super(message);
        this.name = 'LacError';
        this.status = status;
    }
}

/* data: an ArrayBuffer or any view of one */
function bytesOf(data) {
    if (data?.byteLength === undefined)
        throw new TypeError('bytes: neither an ArrayBuffer nor a view of one');
    return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
        : new Uint8Array(data);
}

function sameLength(channels) {
    return channels.every((channel) => channel.length === channels[0].length);
}

/* The module's exports and memory. Views of the memory are made anew each time: it grows. */
class Machine {
    constructor(exports) {
        this.call = exports;
        this.scratch = exports.lac_web_alloc(SCRATCH);
    }

    text(at) {
        const bytes = new Uint8Array(this.call.memory.buffer, at);
        return new TextDecoder().decode(bytes.slice(0, bytes.indexOf(0)));
    }

    error(status) {
        return new LacError(status, this.text(this.call.lac_status_string(status)));
    }

    check(status) {
        if (status !== 0)
            throw this.error(status);
    }

    alloc(bytes) {
        const at = this.call.lac_web_alloc(bytes);
        if (at === 0)
            throw this.error(OUT_OF_MEMORY);
        return at;
    }

    bytes(at, length) {
        return new Uint8Array(this.call.memory.buffer, at, length);
    }

    floats(at, length) {
        return new Float32Array(this.call.memory.buffer, at, length);
    }

    tokens(at, length) {
        return new Uint16Array(this.call.memory.buffer, at, length);
    }

    result() {
        return new Uint32Array(this.call.memory.buffer, this.scratch, 1)[0];
    }

    copyIn(data) {
        const bytes = bytesOf(data);
        const at = this.alloc(bytes.length);
        this.bytes(at, bytes.length).set(bytes);
        return at;
    }

    numbers(names) {
        const values = new Float64Array(this.call.memory.buffer, this.scratch, names.length);
        return Object.fromEntries(names.map((name, i) => [name, values[i]]));
    }
}

/* What every handle has: a pointer that is there until close(), and buffers of its own. */
class Handle {
    #pointer;
    #release;
    #buffers = [];

    constructor(machine, pointer, release) {
        this.machine = machine;
        this.#pointer = pointer;
        this.#release = release;
        this.onClose = () => {};
    }

    get pointer() {
        if (!this.#pointer)
            throw this.machine.error(WRONG_STATE);
        return this.#pointer;
    }

    buffer(bytes) {
        try {
            const at = this.machine.alloc(bytes);
            this.#buffers.push(at);
            return at;
        } catch (error) {
            this.close();
            throw error;
        }
    }

    /* Frees what this holds. Closing twice does no harm. */
    close() {
        if (!this.#pointer)
            return;
        this.#release(this.#pointer);
        this.#pointer = 0;
        for (const at of this.#buffers)
            this.machine.call.lac_web_free(at);
        this.onClose();
    }
}

/* C functions that take the address of the handle. */
function closeThrough(machine, name) {
    return (pointer) => {
        new Uint32Array(machine.call.memory.buffer, machine.scratch, 1)[0] = pointer;
        machine.call[name](machine.scratch);
    };
}

export class Lac {
    #machine;

    constructor(instance) {
        instance.exports._initialize();
        this.#machine = new Machine(instance.exports);
    }

    /* source: a Response, the bytes of lac.wasm, or a WebAssembly.Module. */
    static async load(source) {
        const code = source instanceof WebAssembly.Module ? source
            : await WebAssembly.compile(source.arrayBuffer ? await source.arrayBuffer() : source);
        // There is no system behind the module: whatever it asks for fails with ENOSYS.
        const imports = {};
        for (const { module, name } of WebAssembly.Module.imports(code))
            (imports[module] ??= {})[name] = () => 52;
        return new Lac(await WebAssembly.instantiate(code, imports));
    }

    get version() {
        return this.#machine.text(this.#machine.call.lac_version_string());
    }

    /* The memory of the module, which grows and never shrinks. */
    get memoryBytes() {
        return this.#machine.call.memory.buffer.byteLength;
    }

    /* bytes: a model file, copied. */
    openModel(bytes) {
        const machine = this.#machine;
        const data = machine.copyIn(bytes);
        const status = machine.call.lac_model_open_memory(machine.scratch, data, bytes.byteLength);
        if (status !== 0) {
            machine.call.lac_web_free(data);
            throw machine.error(status);
        }
        return new Model(machine, machine.result(), data);
    }
}

class Model extends Handle {
    #streams = new Set();

    constructor(machine, pointer, data) {
        const close = closeThrough(machine, 'lac_model_close');
        super(machine, pointer, (at) => {
            for (const stream of this.#streams)
                stream.close();
            close(at);
            machine.call.lac_web_free(data);
        });
        /* name, id (hexadecimal) and the numbers of lac_model_info that are listed above */
        this.info = this.#readInfo();
        /* the functions that compute, by instruction set */
        this.kernels = machine.text(machine.call.lac_model_kernels(pointer));
        /* kbit/s of one codebook and channel */
        this.kbpsStep = this.info.tokenBits * this.info.sampleRate / this.info.frameSamples / 1000;
    }

    #readInfo() {
        const { call, scratch } = this.machine;
        const [name, id] = [scratch + 128, scratch + 64];
        call.lac_web_model_info(this.pointer, scratch, name, id);
        return {
            ...this.machine.numbers(MODEL_NUMBERS),
            name: this.machine.text(name),
            id: Array.from(this.machine.bytes(id, 16), (byte) => byte.toString(16).padStart(2, '0')).join(''),
        };
    }

    #track(stream) {
        this.#streams.add(stream);
        stream.onClose = () => this.#streams.delete(stream);
        return stream;
    }

    /* The number of codebooks whose bit rate a channel is nearest to kbps. */
    codebooksFor(kbps) {
        return Math.min(this.info.codebooks, Math.max(1, Math.round(kbps / this.kbpsStep)));
    }

    /* A .lac file, piece by piece.
     *   channels      how many, 1 to 8
     *   kbps          a channel
     *   originalRate  Hz before resampling to the model's rate; noted in the file */
    openWriter({ channels = 1, kbps = 3, originalRate = this.info.sampleRate } = {}) {
        const { machine } = this;
        machine.check(machine.call.lac_web_writer_open(machine.scratch, this.pointer, originalRate, channels,
            this.codebooksFor(kbps)));
        return this.#track(new Writer(machine, this, machine.result(), channels));
    }

    /* bytes: a .lac file, copied. */
    openReader(bytes) {
        const { machine } = this;
        const data = machine.copyIn(bytes);
        machine.check(machine.call.lac_web_reader_open(machine.scratch, this.pointer, data, bytes.byteLength));
        return this.#track(new Reader(machine, machine.result()));
    }

    /* Mono sound to tokens, frame by frame; for transports of your own. */
    openEncoder({ kbps = 3 } = {}) {
        const { machine } = this;
        machine.check(machine.call.lac_encoder_open(machine.scratch, this.pointer, 0));
        const encoder = this.#track(new Encoder(machine, this, machine.result()));
        encoder.setKbps(kbps);
        return encoder;
    }

    openDecoder() {
        const { machine } = this;
        machine.check(machine.call.lac_decoder_open(machine.scratch, this.pointer, 0));
        return this.#track(new Decoder(machine, this, machine.result()));
    }

    /* channels to { bytes, info }. Settings as for openWriter, and
     *   samples      a channel at originalRate; needed where that is not the model's rate
     *   onProgress   called with 0 .. 1 */
    encode(channels, { samples = channels[0].length, onProgress = () => {}, ...settings } = {}) {
        if (!sameLength(channels))
            throw new RangeError('encode: channels of different lengths');
        const writer = this.openWriter({ channels: channels.length, ...settings });
        const pieces = [];
        try {
            for (let at = 0; at < channels[0].length; at += CHUNK) {
                pieces.push(writer.write(channels.map((channel) => channel.subarray(at, at + CHUNK))));
                onProgress(at / channels[0].length);
            }
            pieces.push(writer.finish(samples));
            return { bytes: join(Uint8Array, pieces), info: writer.info };
        } finally {
            writer.close();
        }
    }

    /* bytes to { channels, info }, info.damagedPages of which were concealed. */
    decode(bytes, { onProgress = () => {} } = {}) {
        const reader = this.openReader(bytes);
        const pieces = [];
        try {
            for (let piece = reader.read(); piece[0].length > 0; piece = reader.read()) {
                pieces.push(piece);
                onProgress(reader.info.bytes / bytes.byteLength);
            }
            const { info } = reader;
            const channels = Array.from({ length: info.channels },
                (_, c) => join(Float32Array, pieces.map((piece) => piece[c])));
            return { channels, info };
        } finally {
            reader.close();
        }
    }
}

function join(Type, pieces) {
    const all = new Type(pieces.reduce((sum, piece) => sum + piece.length, 0));
    let at = 0;
    for (const piece of pieces) {
        all.set(piece, at);
        at += piece.length;
    }
    return all;
}

/* Opened by Model.openWriter. */
class Writer extends Handle {
    #model;
    #channels;
    #pcm;
    #written = 0;

    constructor(machine, model, pointer, channels) {
        super(machine, pointer, machine.call.lac_web_writer_close);
        this.#model = model;
        this.#channels = channels;
        this.#pcm = this.buffer(CHUNK * channels * 4);
    }

    /* What the file has grown by: a copy, often empty. */
    #take() {
        const { call, scratch } = this.machine;
        const size = call.lac_web_writer_take(this.pointer, scratch);
        return size > 0 ? this.machine.bytes(this.machine.result(), size).slice() : new Uint8Array(0);
    }

    #interleave(channels, from, frames) {
        const pcm = this.machine.floats(this.#pcm, frames * this.#channels);
        channels.forEach((channel, c) => {
            for (let i = 0; i < frames; i++)
                pcm[i * this.#channels + c] = channel[from + i];
        });
    }

    /* Takes sound; gives the bytes that this adds to the file. */
    write(channels) {
        if (channels.length !== this.#channels || !sameLength(channels))
            throw new RangeError('write: other channels than the writer was opened with, or of different lengths');
        for (let at = 0; at < channels[0].length; at += CHUNK) {
            const frames = Math.min(CHUNK, channels[0].length - at);
            this.#interleave(channels, at, frames);
            this.machine.check(this.machine.call.lac_web_writer_write(this.pointer, this.#pcm, frames));
            this.#written += frames;
        }
        return this.#take();
    }

    /* Ends the file; gives its last bytes. samples: a channel at the original rate, if that is not the model's. */
    finish(samples = this.#written) {
        this.machine.check(this.machine.call.lac_web_writer_finish(this.pointer, samples));
        return this.#take();
    }

    /* From the next frame on. */
    setKbps(kbps) {
        const { call } = this.machine;
        this.machine.check(call.lac_web_writer_set_codebooks(this.pointer, this.#model.codebooksFor(kbps)));
    }

    get info() {
        this.machine.call.lac_web_writer_info(this.pointer, this.machine.scratch);
        return this.machine.numbers(STREAM_NUMBERS);
    }
}

/* Opened by Model.openReader. */
class Reader extends Handle {
    #pcm;
    #channels;

    constructor(machine, pointer) {
        super(machine, pointer, machine.call.lac_web_reader_close);
        this.#channels = this.info.channels;
        this.#pcm = this.buffer(CHUNK * this.#channels * 4);
    }

    /* The next samples of every channel, at most `most`; none at the end. */
    read(most = CHUNK) {
        const { call, scratch } = this.machine;
        this.machine.check(call.lac_web_reader_read(this.pointer, this.#pcm, Math.min(most, CHUNK), scratch));
        const frames = this.machine.result();
        const pcm = this.machine.floats(this.#pcm, frames * this.#channels);
        return Array.from({ length: this.#channels },
            (_, c) => Float32Array.from({ length: frames }, (_, i) => pcm[i * this.#channels + c]));
    }

    /* Continue at this sample of the model's rate. */
    seek(position) {
        this.machine.check(this.machine.call.lac_web_reader_seek(this.pointer, position));
    }

    get info() {
        this.machine.call.lac_web_reader_info(this.pointer, this.machine.scratch);
        return this.machine.numbers(STREAM_NUMBERS);
    }
}

/* Opened by Model.openEncoder. Tokens are a Uint16Array of rows, one a frame, as long as the model has codebooks. */
class Encoder extends Handle {
    #model;
    #pcm;
    #rows;
    #most;

    constructor(machine, model, pointer) {
        super(machine, pointer, closeThrough(machine, 'lac_encoder_close'));
        this.#model = model;
        this.#pcm = this.buffer(CHUNK * 4);
        this.#most = Math.ceil(CHUNK / model.info.frameSamples) + 2;
        this.#rows = this.buffer(this.#most * model.info.codebooks * 2);
    }

    #taken() {
        return this.machine.tokens(this.#rows, this.machine.result() * this.#model.info.codebooks).slice();
    }

    /* Takes samples; gives the rows that are complete. */
    write(samples) {
        const { machine } = this;
        const pieces = [];
        for (let at = 0; at < samples.length; at += CHUNK) {
            const piece = samples.subarray(at, at + CHUNK);
            machine.floats(this.#pcm, piece.length).set(piece);
            machine.check(machine.call.lac_encoder_write(this.pointer, this.#pcm, piece.length, this.#rows, this.#most,
                machine.scratch));
            pieces.push(this.#taken());
        }
        return join(Uint16Array, pieces);
    }

    /* The last rows; reset before more. */
    flush() {
        const { call, scratch } = this.machine;
        this.machine.check(call.lac_encoder_flush(this.pointer, this.#rows, this.#most, scratch));
        return this.#taken();
    }

    setKbps(kbps) {
        this.machine.check(this.machine.call.lac_encoder_set_codebooks(this.pointer, this.#model.codebooksFor(kbps)));
    }

    reset() {
        this.machine.call.lac_encoder_reset(this.pointer);
    }
}

/* Opened by Model.openDecoder. */
class Decoder extends Handle {
    #model;

    constructor(machine, model, pointer) {
        super(machine, pointer, closeThrough(machine, 'lac_decoder_close'));
        this.#model = model;
    }

    /* Rows of tokens to samples. codebooks[i]: how many tokens of row i count; 0 marks a lost frame. The sound of the
     * whole stream begins after decoderDelaySamples. */
    read(tokens, codebooks) {
        const { machine } = this;
        const { frameSamples } = this.#model.info;
        const frames = codebooks.length;
        if (tokens.length !== frames * this.#model.info.codebooks)
            throw new RangeError('read: as many rows of tokens as numbers of codebooks');
        const pcm = machine.alloc(frames * (frameSamples * 4 + this.#model.info.codebooks * 2 + 1));
        const rows = pcm + frames * frameSamples * 4;
        const counts = rows + tokens.length * 2;
        try {
            machine.tokens(rows, tokens.length).set(tokens);
            machine.bytes(counts, frames).set(codebooks);
            machine.check(machine.call.lac_decoder_read(this.pointer, rows, counts, frames, pcm));
            return machine.floats(pcm, frames * frameSamples).slice();
        } finally {
            machine.call.lac_web_free(pcm);
        }
    }

    reset() {
        this.machine.call.lac_decoder_reset(this.pointer);
    }
}
