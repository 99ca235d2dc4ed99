/* Speech-like test sound: gliding harmonics in syllables. */

/* -1 .. 1 at second t */
function speechAt(t) {
    const pitch = 110 * t + 25 * Math.sin(2 * t) / 2;
    const syllable = Math.max(0, Math.sin(2 * Math.PI * 3 * t)) ** 0.5;
    let sum = 0;
    for (let k = 1; k <= 40; k++)
        sum += Math.sin(2 * Math.PI * k * pitch) / (k + 0.02 * (k - 6 - 4 * Math.sin(5 * t)) ** 2);
    return 0.3 * syllable * sum;
}

export function speech(seconds, rate) {
    return Float32Array.from({ length: seconds * rate }, (_, i) => Math.round(8192 * speechAt(i / rate)) / 32768);
}

/* A mono WAV file of 32-bit floats: of 16 bits, Chromium divides positive values by 32767. */
export function speechWav(seconds, rate) {
    const samples = speech(seconds, rate);
    const file = Buffer.alloc(44 + 4 * samples.length);
    file.write('RIFF');
    file.writeUInt32LE(file.length - 8, 4);
    file.write('WAVEfmt ', 8);
    [[16, 4], [3, 2], [1, 2], [rate, 4], [4 * rate, 4], [4, 2], [32, 2]].reduce(
        (at, [value, bytes]) => file.writeUIntLE(value, at, bytes), 16);
    file.write('data', 36);
    file.writeUInt32LE(4 * samples.length, 40);
    samples.forEach((x, i) => file.writeFloatLE(x, 44 + 4 * i));
    return file;
}
