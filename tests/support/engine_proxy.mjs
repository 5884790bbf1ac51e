// A container engine that can fail: a unix socket of our own between the server and the real one.
import { connect, createServer } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { engineSocket } from './engine.mjs';

export class EngineProxy {
  #connections = new Set();
  #hung = false;
  #held;  // what requests wait that match it
  /** The first line of every request so far: "GET /v1.41/containers/… HTTP/1.1". */
  requests = [];

  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'agentdb9-engine-'));
    this.path = join(this.directory, 'engine.sock');
    this.host = `unix://${this.path}`;
  }

  #accept(client) {
    const engine = connect({ path: engineSocket, allowHalfOpen: true });
    const both = { client, engine, last: undefined };
    client.on('data', (piece) => {
      // A request's head comes in one piece, and begins it.
      const line = /^(?:GET|HEAD|POST|PUT|DELETE) \/\S* HTTP\/1\.1(?=\r\n)/.exec(piece.toString('latin1'))?.[0];
      if (!line) return;
      both.last = line;
      this.requests.push(line);
      if (this.#held?.test(line)) both.waiting = [];
    });
    this.#connections.add(both);
    const end = () => {
      client.destroy();
      engine.destroy();
      this.#connections.delete(both);
    };
    for (const [from, to] of [[client, engine], [engine, client]]) {
      from.on('error', end).on('close', end);
      from.on('data', (piece) => {
        if (this.#hung) return;
        if (from === client && both.waiting) both.waiting.push(piece);
        else to.write(piece);
      });
      from.on('end', () => {
        if (!this.#hung) to.end();
      });
    }
  }

  /** The engine is there, and answers. */
  async open() {
    this.#hung = false;
    if (this.server) return this;
    this.server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
    await new Promise((resolve, reject) => this.server.on('error', reject).listen(this.path, resolve));
    return this;
  }

  /** The last request of each connection that is open. */
  openRequests() {
    return [...this.#connections].map((each) => each.last).filter(Boolean);
  }

  /** Every connection breaks off, wherever it is; new ones are taken. */
  cut() {
    for (const { client, engine } of this.#connections) {
      client.destroy();
      engine.destroy();
    }
    this.#connections.clear();
  }

  /** Requests whose first line matches do not reach the engine until release(). */
  hold(pattern) {
    this.#held = pattern;
  }
  release() {
    this.#held = undefined;
    for (const both of this.#connections) {
      for (const piece of both.waiting ?? []) both.engine.write(piece);
      both.waiting = undefined;
    }
  }

  /** It takes connections and says nothing any more. */
  hang() {
    this.#hung = true;
  }
  /** After a hang nothing of what was lost in it comes back: the old connections break off. */
  async recover() {
    this.cut();
    await this.open();
  }

  /** It is gone. */
  async close() {
    this.cut();
    const { server } = this;
    this.server = undefined;
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  async remove() {
    await this.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
