/* A headless Chromium and a static server for tests, over the DevTools protocol. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';

const TYPES = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript', '.wasm': 'application/wasm' };

/* Serves folder on a free port of this machine: { url, requests, close }. */
export async function serve(folder) {
    const requests = [];
    const server = createServer(async (request, response) => {
        const path = normalize(decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
        requests.push(path);
        try {
            const body = await readFile(join(folder, path));
            response.writeHead(200, { 'Content-Type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(body);
        } catch {
            response.writeHead(404).end();
        }
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { url: `http://127.0.0.1:${server.address().port}`, requests, close: () => server.close() };
}

/* Messages end in a zero byte, both ways. */
class Pipe {
    #out;
    #waiting = new Map();
    #id = 0;
    #rest = '';

    constructor(into, from) {
        this.#out = into;
        into.on('error', () => {}); // the browser's end is told by `end`
        from.setEncoding('utf8').on('data', (text) => this.#take(text));
        from.on('end', () => this.#waiting.forEach(({ reject }) => reject(new Error('the browser has ended'))));
    }

    #take(text) {
        const messages = (this.#rest + text).split('\0');
        this.#rest = messages.pop();
        for (const { id, result, error } of messages.map((message) => JSON.parse(message))) {
            const waiting = this.#waiting.get(id);
            this.#waiting.delete(id);
            if (error)
                waiting?.reject(new Error(error.message));
            else
                waiting?.resolve(result);
        }
    }

    send(method, params, sessionId) {
        const id = ++this.#id;
        this.#out.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
        return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    }
}

export class Tab {
    #send;

    constructor(send) {
        this.#send = send;
    }

    open(url) {
        return this.#send('Page.navigate', { url });
    }

    /* The value of an expression, which may be a promise, as JSON has it. */
    async evaluate(expression) {
        const { result, exceptionDetails } = await this.#send('Runtime.evaluate',
            { expression, awaitPromise: true, returnByValue: true, userGesture: true });
        if (exceptionDetails)
            throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
        return result.value;
    }

    /* Until the expression is true; what it was last if that takes more than `seconds`. */
    async until(expression, seconds = 240) {
        const end = Date.now() + 1000 * seconds;
        for (;;) {
            const value = await this.evaluate(expression).catch((error) => error.message);
            if (value === true)
                return;
            if (Date.now() > end)
                throw new Error(`waited in vain for ${expression}: ${value}`);
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
    }

    /* Chooses files in an <input type="file">. */
    async choose(selector, files) {
        const { result } = await this.#send('Runtime.evaluate',
            { expression: `document.querySelector(${JSON.stringify(selector)})` });
        await this.#send('DOM.setFileInputFiles', { files, objectId: result.objectId });
    }

    /* As PNG. media: [{ name, value }] of CSS. */
    async screenshot(width, height, media = []) {
        await this.#send('Emulation.setEmulatedMedia', { features: media });
        await this.#send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false });
        await new Promise((resolve) => setTimeout(resolve, 1000));
        const { data } = await this.#send('Page.captureScreenshot', { captureBeyondViewport: true });
        return Buffer.from(data, 'base64');
    }
}

/* A browser with a microphone that beeps: { tab, close }. */
export async function launch(program) {
    const profile = await mkdtemp(join(tmpdir(), 'lac-chromium-'));
    const root = process.getuid() === 0 ? ['--no-sandbox'] : [];
    const child = spawn(program, ['--headless=new', ...root, '--remote-debugging-pipe', `--user-data-dir=${profile}`,
        '--no-first-run', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking', '--mute-audio',
        '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', 'about:blank'],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    const ended = new Promise((resolve) => child.on('exit', resolve));
    const pipe = new Pipe(child.stdio[3], child.stdio[4]);
    const { targetId } = await pipe.send('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await pipe.send('Target.attachToTarget', { targetId, flatten: true });
    const close = async () => {
        await pipe.send('Browser.close').catch(() => {});
        await ended;
        await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    };
    return { tab: new Tab((method, params) => pipe.send(method, params, sessionId)), close };
}
