/* WebAssembly in headless Chromium.
 *
 *   node browser.mjs BUILD           prints TAP: the conformance program and the page
 *   node browser.mjs --hash BUILD    prints the hash of `conformance --hash speech24` there; 77 without Chromium
 *
 * In the environment, LAC_NATIVE names a `lac` command of another build, to compare with; CHROMIUM the browser. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { launch, serve } from './devtools.mjs';
import { speechWav } from './wav.mjs';

const run = promisify(execFile);
const MODEL = 'speech24';

/* undefined if there is none */
async function findChromium() {
    for (const name of [process.env.CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome'].filter(Boolean))
        if (await run(name, ['--version']).then(() => true, () => false))
            return name;
    return undefined;
}

/* What the conformance program prints in the browser. */
async function conformance(tab, site, ...args) {
    await tab.open(`${site.url}/tests/web/conformance.html?${args.map(encodeURIComponent).join('&')}`);
    await tab.until('/^(exit|abort)/.test(document.title)');
    return { title: await tab.evaluate('document.title'), text: await tab.evaluate('document.body.innerText') };
}

async function hashOf(tab, site) {
    const { title, text } = await conformance(tab, site, '--hash', MODEL);
    if (title !== 'exit 0')
        throw new Error(`${title}: ${text}`);
    return text.trim();
}

/* ---- the page ---- */

const STATE = 'document.body.dataset.state';
const STATUS = 'document.getElementById("status").textContent';

async function openPage(tab, site) {
    await tab.open(`${site.url}/bindings/wasm/index.html`);
    await tab.until(`location.pathname.endsWith("wasm/index.html") && ${STATE} === "ready"`);
}

/* Gives the page a file and waits until it is shown. */
async function give(tab, path) {
    await tab.evaluate(`${STATE} = "ready", document.getElementById("status").textContent = "given"`);
    await tab.choose('#file', [path]);
    await tab.until(`${STATE} === "ready" && ${STATUS} !== "given"`);
    return tab.evaluate(STATUS);
}

/* The bytes that the page offers for saving. */
async function saved(tab) {
    return Buffer.from(await tab.evaluate(`fetch(document.getElementById("save").href)
        .then((response) => response.arrayBuffer())
        .then((bytes) => Array.from(new Uint8Array(bytes), (byte) => String.fromCharCode(byte)).join(''))
        .then(btoa)`), 'base64');
}

/* The hash of all samples that the page's worker decodes from what is offered for saving. */
function decodedHash(tab) {
    return tab.evaluate(`(async () => {
        const { Codec } = await import('./codec.js');
        const bytes = await (await fetch(document.getElementById('save').href)).arrayBuffer();
        const { channels } = await new Codec().decode(new Uint8Array(bytes));
        const digest = await crypto.subtle.digest('SHA-256', channels[0]);
        return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
    })()`);
}

const VISIBLE = `['original', 'decoded', 'result'].filter((id) => !document.getElementById(id).hidden).join()`;

/* asked: what the worker is asked for; of sound that is recorded, the number of samples */
const LISTEN = `{
    globalThis.asked = [];
    const { postMessage } = Worker.prototype;
    Worker.prototype.postMessage = function (message) {
        asked.push(message.name === 'record' ? message.args[0].length : message.name);
        postMessage.call(this, message);
    };
}`;

function same(got, expected) {
    if (got !== expected)
        throw new Error(`got ${got}, expected ${expected}`);
}

/* name: async (context) => throws where it does not hold; gives a reason to skip */
const tests = {
    'conformance vectors': async ({ tab, site }) => {
        const { title, text } = await conformance(tab, site, '/vectors');
        same(`${title} ${/^not ok/m.test(text)} ${/^ok \d+/m.test(text)}`, 'exit 0 false true');
    },

    'the hash is that of node': async ({ tab, site, build }) => {
        const { stdout } = await run('node', [join(build, 'tests/conformance.js'), '--hash', MODEL]);
        same(await hashOf(tab, site), stdout.trim());
    },

    'the page codes a file': async ({ tab, site, wav }) => {
        await openPage(tab, site);
        same(await give(tab, wav), 'speech.wav');
        same(await tab.evaluate(VISIBLE), 'original,decoded,result');
    },

    'the file and its sound are those of the command': async ({ tab, wav, lac, work }) => {
        const native = process.env.LAC_NATIVE;
        await writeFile(lac, await saved(tab));
        if (!native)
            return 'LAC_NATIVE is not set';
        await run(native, ['encode', '--constant', '--beam', '1', '-b', '3', wav, join(work, 'native.lac')]);
        same((await readFile(lac)).compare(await readFile(join(work, 'native.lac'))), 0);
        await run(native, ['decode', '--raw', 'f32', lac, join(work, 'native.raw')]);
        const pcm = await readFile(join(work, 'native.raw'));
        same(await decodedHash(tab), createHash('sha256').update(pcm).digest('hex'));
    },

    'the page opens a .lac file': async ({ tab, lac }) => {
        same(await give(tab, lac), 'speech.lac');
        same(await tab.evaluate(VISIBLE), 'decoded,result');
    },

    'what is no sound is refused in words': async ({ tab, work }) => {
        const path = join(work, 'broken.lac');
        await writeFile(path, 'LAC');
        same(await give(tab, path), 'ends too early');
        await writeFile(path.replace('.lac', '.txt'), 'hello');
        same(await give(tab, path.replace('.lac', '.txt')), 'this browser finds no sound in that file');
    },

    'the page records': async ({ tab, site }) => {
        await openPage(tab, site);
        await tab.evaluate(LISTEN);
        await tab.evaluate('document.getElementById("record").click()');
        await tab.until(`/^Recording: [1-9]/.test(${STATUS}) || ${STATE} === "ready"`);
        await tab.evaluate('document.getElementById("record").click()');
        await tab.until(`${STATE} === "ready"`);
        same(await tab.evaluate(STATUS), 'recording');
        same(await tab.evaluate(VISIBLE), 'original,decoded,result');
        const [rest, last] = (await tab.evaluate('asked.slice(-3, -1).join()')).split(',');
        same(`${rest < 4096} ${last}`, 'true stopRecording');
    },

    'nothing but its own files was asked for': async ({ site }) => {
        const other = site.requests.filter((path) => !/^\/(bindings\/wasm|tests\/web)\/[\w.]+$/.test(path));
        same(other.join(), '');
    },
};

async function runAll(context) {
    let number = 0, failed = 0;
    for (const [name, test] of Object.entries(tests)) {
        let reason, error;
        try {
            reason = await test(context);
        } catch (thrown) {
            error = thrown;
            failed++;
        }
        console.log(`${error ? 'not ok' : 'ok'} ${++number} - ${name}${reason ? ` # SKIP ${reason}` : ''}`);
        if (error)
            console.log(`# ${String(error.message).replaceAll('\n', '\n# ')}`);
    }
    console.log(`1..${number}`);
    return failed > 0 ? 1 : 0;
}

async function testAll(tab, site, build) {
    const work = await mkdtemp(join(tmpdir(), 'lac-web-'));
    const wav = join(work, 'speech.wav');
    try {
        await writeFile(wav, speechWav(3, 24000));
        return await runAll({ tab, site, build, work, wav, lac: join(work, 'speech.lac') });
    } finally {
        await rm(work, { recursive: true });
    }
}

const hashOnly = process.argv[2] === '--hash';
const build = process.argv[hashOnly ? 3 : 2];
const program = await findChromium();
if (!program) {
    console.log(hashOnly ? 'SKIP: no chromium' : '1..0 # SKIP no chromium');
    process.exit(hashOnly ? 77 : 0);
}
const site = await serve(build);
const browser = await launch(program);
try {
    if (hashOnly)
        console.log(await hashOf(browser.tab, site));
    else
        process.exitCode = await testAll(browser.tab, site, build);
} finally {
    await browser.close();
    site.close();
}
