// An image registry of the test's own, with a front that can hold back what it sends: a pull that takes as long as the test wants.
//
//   const registry = await startRegistry();
//   after(() => registry.close());
//   const image = await registry.put('desk');            // the test application under a name of the registry's; not on the engine
//   const more = registry.hold();                  // pulls begin and do not end …
//   more.release();                                // … until now
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

import { eventually } from './eventually.mjs';

/** The engine's own client; it may ask the front, so nobody waits for it in one piece. */
export const docker = async (...words) => (await promisify(execFile)('docker', words)).stdout.trim();

class Registry {
  images = [];
  pulls = 0; // of layers
  held = new Set();

  constructor(directory) {
    this.directory = directory;
    const settings = join(directory, 'registry.yaml');
    writeFileSync(settings, `version: 0.1\nstorage: { filesystem: { rootdirectory: ${join(directory, 'data')} }, delete: { enabled: true } }\nhttp: { addr: "127.0.0.1:0" }\n`);
    this.process = spawn('docker-registry', ['serve', settings], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.said = '';
    this.process.stderr.on('data', (text) => { this.said = (this.said + text).slice(-10_000); });
    this.exited = new Promise((resolve) => this.process.on('close', resolve).on('error', resolve));
  }

  async open() {
    await eventually('the registry to listen', () => /listening on 127\.0\.0\.1:(\d+)/.test(this.said));
    this.port = Number(/listening on 127\.0\.0\.1:(\d+)/.exec(this.said)[1]);
    this.front = createServer((incoming, answer) => this.#relay(incoming, answer));
    await new Promise((resolve) => this.front.listen(0, '127.0.0.1', resolve));
    // The engine speaks plain HTTP to registries on 127.0.0.0/8.
    this.name = `127.0.0.1:${this.front.address().port}`;
    return this;
  }

  #relay(incoming, answer) {
    if (this.expected && incoming.headers.authorization !== this.expected) {
      incoming.resume();
      answer.writeHead(401, { 'WWW-Authenticate': 'Basic realm="registry"', 'Content-Type': 'application/json' });
      answer.end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}');
      return;
    }
    const onward = request({ host: '127.0.0.1', port: this.port, method: incoming.method, path: incoming.url, headers: incoming.headers }, (response) => {
      answer.writeHead(response.statusCode, response.headers);
      const isLayer = incoming.method === 'GET' && /\/blobs\//.test(incoming.url) && Number(response.headers['content-length']) > 100_000;
      if (isLayer) this.pulls += 1;
      if (isLayer && this.holding) this.#trickle(response, answer);
      else response.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    incoming.pipe(onward);
  }

  // Half of it within a second or two, as the engine tells how far it is ten times a second, and the rest when it is released.
  async #trickle(response, answer) {
    const half = Number(response.headers['content-length']) / 2;
    let released;
    const one = { release: null };
    const release = new Promise((resolve) => { one.release = resolve; }).then(() => { released = true; });
    this.held.add(one);
    answer.on('close', () => {
      this.held.delete(one);
      one.release();
      response.destroy();
    });
    let sent = 0;
    try {
      for await (const piece of response) {
        answer.write(piece);
        sent += piece.length;
        if (released) continue;
        await (sent < half ? pause(5) : release);
      }
      answer.end();
    } catch {
      answer.destroy(); // nobody waits for it any more
    }
  }

  /** From now on it asks who comes (RFC 7617), and knows this one alone; without any, everybody again. */
  lock(login) {
    this.expected = login && `Basic ${Buffer.from(login).toString('base64')}`;
  }

  /** From now on layers come to the half only, until `release()`. `this.held`: those that somebody waits for. */
  hold() {
    this.holding = true;
    return {
      release: () => {
        this.holding = false;
        for (const each of this.held) each.release();
      },
    };
  }

  /** The test application with a layer of its own, under a name of this registry; the engine does not have it any more. */
  async put(name, { megabytes = 4 } = {}) {
    const image = `${this.name}/${name}-${randomBytes(4).toString('hex')}:1`;
    const file = join(this.directory, 'layer');
    writeFileSync(file, randomBytes(megabytes << 20));
    const container = await docker('create', 'agentdb9/testapp:local');
    try {
      await docker('cp', file, `${container}:/layer`);
      await docker('commit', container, image);
    } finally {
      await docker('rm', container);
    }
    this.images.push(image);
    await docker('push', image);
    await docker('rmi', image);
    return image;
  }

  /** The registry goes away: nobody answers at its address. `returns()`: it is back there. */
  async vanish() {
    const { port } = this.front.address();
    this.front.closeAllConnections();
    await new Promise((resolve) => this.front.close(resolve));
    return {
      returns: async () => {
        this.front = createServer((incoming, answer) => this.#relay(incoming, answer));
        await new Promise((resolve, reject) => this.front.on('error', reject).listen(port, '127.0.0.1', resolve));
      },
    };
  }

  async close() {
    this.front?.closeAllConnections();
    this.front?.close();
    this.process.kill('SIGKILL');
    await this.exited;
    for (const image of this.images) await docker('rmi', '--force', image).catch(() => {}); // gone
    // Those whose tag somebody else has taken: the engine still knows from where they came.
    const left = (await docker('image', 'ls', '-q', '--no-trunc', '--filter', `reference=${this.name}/*`)).split('\n').filter(Boolean);
    if (left.length) await docker('rmi', '--force', ...left);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export async function startRegistry() {
  const registry = new Registry(mkdtempSync(join(tmpdir(), 'agentdb9-registry-')));
  try {
    return await registry.open();
  } catch (error) {
    await registry.close();
    throw new Error(`the registry does not run: ${registry.said}`, { cause: error });
  }
}
