/* The page: a clip comes from a file, a .lac file or the microphone, is coded and decoded by the worker, and shown. */
import { Microphone, readAudio, wavBlob } from './audio.js';
import { Codec } from './codec.js';
import { drawSpectrogram } from './spectrogram.js';

const $ = (id) => document.getElementById(id);
const codec = new Codec();
let model;
let clip = null;       // { name, channels, encoded, decoded }; channels is missing where only the .lac file is there
let microphone = null; // while recording

/* ---- states ---- */

/* loading, ready, busy, recording */
function enter(state, message, isError = false) {
    document.body.dataset.state = state;
    $('controls').disabled = state === 'loading' || state === 'busy';
    $('file').disabled = $('kbps').disabled = state === 'recording';
    $('record').setAttribute('aria-pressed', state === 'recording');
    $('record').textContent = state === 'recording' ? 'Stop' : 'Record';
    $('status').textContent = message;
    $('status').classList.toggle('error', isError);
}

/* Runs work unless something else runs; what it throws is shown. */
async function busy(message, work) {
    if (document.body.dataset.state !== 'ready')
        return;
    enter('busy', message);
    try {
        enter('ready', (await work()) ?? '');
    } catch (error) {
        enter('ready', error.message, true);
    }
}

/* ---- what is shown ---- */

const number = (value, digits) => value.toLocaleString('en', { maximumFractionDigits: digits,
    minimumFractionDigits: digits });
const bytesText = (bytes) => `${bytes.toLocaleString('en')} bytes`;
const speedText = (seconds, work) => `${number(seconds / work, 0)} times real time`;

function mixed(channels) {
    return channels.length === 1 ? channels[0]
        : channels[0].map((_, i) => channels.reduce((sum, channel) => sum + channel[i], 0) / channels.length);
}

function showSound(id, channels) {
    const figure = $(id);
    const audio = figure.querySelector('audio');
    URL.revokeObjectURL(audio.src);
    figure.hidden = channels === undefined;
    if (channels === undefined) {
        audio.removeAttribute('src');
        return;
    }
    audio.src = URL.createObjectURL(wavBlob(channels, model.sampleRate));
    drawSpectrogram(figure.querySelector('canvas'), mixed(channels), model.sampleRate);
}

function showFacts({ name, encoded, decoded }) {
    const { info } = decoded;
    const seconds = info.modelSamples / model.sampleRate;
    const size = encoded.bytes.length;
    const pcmSize = 2 * info.modelSamples * info.channels;
    const rate = (bits) => (seconds > 0 ? `${number(bits / seconds / 1000, 2)} kbit/s` : '');
    $('bitrate').textContent = rate(8 * size);
    $('payload').textContent = rate(info.payloadBits);
    $('size').textContent = bytesText(size);
    $('pcm-size').textContent = `${bytesText(pcmSize)}: ${number(pcmSize / size, 0)} times`;
    $('length').textContent = `${number(seconds, 2)} s, ${info.channels === 1 ? 'mono' : `${info.channels} channels`}`;
    $('encoding').textContent = encoded.seconds ? speedText(seconds, encoded.seconds) : '';
    $('encoding').parentElement.hidden = !encoded.seconds;
    $('decoding').textContent = speedText(seconds, decoded.seconds);
    URL.revokeObjectURL($('save').href);
    $('save').href = URL.createObjectURL(new Blob([encoded.bytes]));
    $('save').download = `${name.replace(/\.[^.]*$/, '')}.lac`;
    $('result').hidden = false;
}

function show() {
    showSound('original', clip.channels);
    showSound('decoded', clip.decoded.channels);
    showFacts(clip);
    const damaged = clip.decoded.info.damagedPages;
    return clip.name + (damaged > 0 ? `: ${damaged} damaged pages concealed` : '');
}

/* ---- where clips come from ---- */

const kbps = () => Number($('kbps').value);

async function finish(name, channels, encoded) {
    clip = { name, channels, encoded, decoded: await codec.decode(encoded.bytes) };
    return show();
}

async function encode(name, channels) {
    if (channels[0].length === 0)
        throw new Error('there is no sound in it');
    return finish(name, channels, await codec.encode(channels, kbps()));
}

function isLac(bytes) {
    return new TextDecoder('latin1').decode(bytes.slice(0, 3)) === 'LAC';
}

function open(file) {
    return busy(`Coding ${file.name}.`, async () => {
        const bytes = await file.arrayBuffer();
        if (isLac(bytes) || file.name.endsWith('.lac'))
            return finish(file.name, undefined, { bytes: new Uint8Array(bytes) });
        return encode(file.name, await readAudio(bytes, model.sampleRate));
    });
}

function showProgress({ samples, bytes }) {
    const seconds = samples / model.sampleRate;
    if (microphone && seconds > 0)
        $('status').textContent = `Recording: ${number(seconds, 1)} s, ${bytesText(bytes)}, `
            + `${number(8 * bytes / seconds / 1000, 2)} kbit/s`;
}

async function startRecording() {
    enter('busy', 'Waiting for the microphone.');
    const opening = new Microphone();
    try {
        const rate = await opening.start((samples) => codec.record(samples).then(showProgress, stopRecording));
        await codec.startRecording(rate, kbps());
        opening.connect();
        microphone = opening;
        enter('recording', 'Recording.');
    } catch (error) {
        await opening.stop();
        enter('ready', `No microphone: ${error.message}`, true);
    }
}

async function stopRecording() {
    const closing = microphone;
    microphone = null;
    if (!closing)
        return;
    enter('ready', '');
    await busy('Decoding what was recorded.', async () => {
        await closing.stop();
        const { channels, ...encoded } = await codec.stopRecording();
        return finish('recording', channels, encoded);
    });
}

/* ---- events ---- */

function listen() {
    $('file').onchange = ({ target }) => {
        const [file] = target.files;
        target.value = '';
        if (file)
            open(file);
    };
    $('record').onclick = () => (microphone ? stopRecording() : startRecording());
    $('kbps').oninput = () => {
        $('kbps-text').textContent = `${$('kbps').value} kbit/s`;
    };
    $('kbps').onchange = () => {
        if (clip?.channels)
            busy('Coding again.', () => encode(clip.name, clip.channels));
    };
    addEventListener('dragover', (event) => {
        event.preventDefault();
        document.body.classList.add('dropping');
    });
    addEventListener('dragleave', ({ relatedTarget }) => {
        if (!relatedTarget)
            document.body.classList.remove('dropping');
    });
    addEventListener('drop', (event) => {
        event.preventDefault();
        document.body.classList.remove('dropping');
        const [file] = event.dataTransfer.files;
        if (file)
            open(file);
    });
    let waiting = 0;
    addEventListener('resize', () => {
        clearTimeout(waiting);
        waiting = setTimeout(redraw, 200);
    });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
}

function redraw() {
    for (const [id, channels] of [['original', clip?.channels], ['decoded', clip?.decoded.channels]])
        if (channels)
            drawSpectrogram($(id).querySelector('canvas'), mixed(channels), model.sampleRate);
}

async function begin() {
    try {
        model = await codec.describe();
        const kernels = model.kernels.replaceAll(',', ', ');
        $('about').textContent = `liblac ${model.version}, model ${model.name} (${model.id}), ${kernels}`;
        listen();
        enter('ready', 'Open a file or record.');
    } catch (error) {
        enter('loading', `Lac does not start: ${error.message}`, true);
    }
}

begin();
