// HTTP as an attacker writes it: bytes on a socket, which no library tidies up.
import { connect } from 'node:net';

/** What came back: `headers` by their lower-case names (several of one name: a list, in order). */
class RawAnswer {
  constructor(status, fields, body) {
    Object.assign(this, { status, fields, body });
    this.headers = {};
    for (const [name, value] of fields) {
      const key = name.toLowerCase();
      this.headers[key] = key in this.headers ? [this.headers[key], value].flat() : value;
    }
  }
  get text() {
    return this.body.toString();
  }
  /** The machine's word for a refusal; undefined for what is none. */
  get code() {
    try {
      return JSON.parse(this.text).code;
    } catch {
      return undefined;
    }
  }
}

// The answer at the front of `bytes` and where it ends; undefined while it is not whole.
function parse(bytes, ended) {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [line, ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3})( |$)/.exec(line)?.[1]);
  if (!status) throw new Error(`not an answer: ${line.slice(0, 200)}`);
  const fields = lines.map((each) => [each.slice(0, each.indexOf(':')), each.slice(each.indexOf(':') + 1).trim()]);
  const of = (name) => fields.find(([each]) => each.toLowerCase() === name)?.[1];
  let at = end + 4;
  if (status < 200 || status === 204 || status === 304) return { answer: new RawAnswer(status, fields, Buffer.alloc(0)), at };
  if (of('transfer-encoding') === 'chunked') {
    const pieces = [];
    for (;;) {
      const size = bytes.indexOf('\r\n', at);
      if (size < 0) return undefined;
      const length = parseInt(bytes.subarray(at, size).toString(), 16);
      if (bytes.length < size + 2 + length + 2) return undefined;
      pieces.push(bytes.subarray(size + 2, size + 2 + length));
      at = size + 2 + length + 2;
      if (length === 0) return { answer: new RawAnswer(status, fields, Buffer.concat(pieces)), at };
    }
  }
  const length = of('content-length') === undefined ? (ended ? bytes.length - at : Infinity) : Number(of('content-length'));
  if (bytes.length < at + length) return undefined;
  return { answer: new RawAnswer(status, fields, bytes.subarray(at, at + length)), at: at + length };
}

export class RawConnection {
  #heard = Buffer.alloc(0);
  #wake = () => {};

  /** `from`: the address of this machine from which it comes, 127.0.0.0/8. */
  constructor(origin, { from } = {}) {
    const { hostname, port } = new URL(origin);
    this.closed = false;
    this.bytesHeard = 0;
    this.socket = connect({ host: hostname, port, localAddress: from, noDelay: true });
    this.opened = new Promise((resolve) => this.socket.once('connect', () => resolve(true)).once('close', () => resolve(false)));
    this.socket.on('error', () => {});  // an end like any other: what counts is what was heard before
    this.socket.on('data', (piece) => {
      this.bytesHeard += piece.length;
      this.#heard = Buffer.concat([this.#heard, piece]);
      this.#wake();
    });
    this.socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
  }

  /** Whether the bytes left; false when the connection has ended. */
  write(bytes) {
    if (this.closed || !this.socket.writable) return Promise.resolve(false);
    return new Promise((resolve) => {
      const gone = () => resolve(false);
      this.socket.once('close', gone);
      this.socket.write(bytes, (error) => {
        this.socket.off('close', gone);
        resolve(!error);
      });
    });
  }

  async #until(what, done, within) {
    const deadline = Date.now() + within;
    for (;;) {
      const result = done();
      if (result !== undefined) return result;
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`${what} within ${within} ms; heard: ${JSON.stringify(this.#heard.toString('latin1').slice(0, 400))}`);
      let timer;
      await new Promise((resolve) => {
        this.#wake = resolve;
        timer = setTimeout(resolve, left);
      });
      clearTimeout(timer);
    }
  }

  /** The next answer; null when the connection ends without one. */
  answer({ within = 20_000 } = {}) {
    return this.#until('no answer', () => {
      const next = parse(this.#heard, this.closed);
      if (!next) return this.closed ? null : undefined;
      this.#heard = this.#heard.subarray(next.at);
      return next.answer;
    }, within);
  }

  /** Every answer up to the end of the connection, which has to come. */
  async answers({ within = 20_000 } = {}) {
    const all = [];
    for (let next; (next = await this.answer({ within })) !== null;) all.push(next);
    await this.#until('the connection does not end', () => this.closed || undefined, within);
    return all;
  }

  close() {
    this.socket.destroy();
  }
}

/** Sends the bytes on a connection of their own; every answer until the server ends it, which it has to. */
export async function speak(origin, bytes, options) {
  const connection = new RawConnection(origin, options);
  try {
    await connection.write(bytes);
    return await connection.answers(options);
  } finally {
    connection.close();
  }
}

/** A request's text. `headers`: lines without their ends; `target` and `method` as they are. */
export const head = (method, target, headers) => `${method} ${target} HTTP/1.1\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n`;

/** The lines that ask for a WebSocket. */
export const webSocket = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];
