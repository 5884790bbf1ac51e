// One terminal of a workspace, as a client has it: over as many connections as it takes.
import { WebSocket } from 'ws';

import { eventually } from './eventually.mjs';

export class Terminal {
  pieces = [];               // of the output, since `begin`
  begin = 0;
  count = 0;
  keeps = true;              // what has come
  words = [];                // what the server said beside
  acks = true;

  constructor(caller, workspace) {
    this.caller = caller;
    this.url = `${caller.server.api.replace('http', 'ws')}/api/workspaces/${workspace.id}/terminal`;
  }
  static async open(caller, workspace, options) {
    const terminal = new Terminal(caller, workspace);
    await terminal.connect(options);
    return terminal;
  }

  get received() {
    return this.begin + this.count;
  }
  get output() {
    if (this.pieces.length > 1) this.pieces = [Buffer.concat(this.pieces)];
    return this.pieces[0] ?? Buffer.alloc(0);
  }
  get text() {
    return this.output.toString();
  }
  of(type) {
    return this.words.filter((each) => each.type === type);
  }

  /** A connection; refused: throws an error with `status` and `body`. `again`: where the one before had come to. */
  async connect({ again = false, headers, ...query } = {}) {
    if (again) Object.assign(query, { session: this.session, after: this.received, ...query });
    const search = new URLSearchParams(query).toString();
    const socket = new WebSocket(this.url + (search && `?${search}`), { headers: headers ?? { Authorization: `Bearer ${this.caller.token}` }, perMessageDeflate: false });
    this.socket = socket;
    this.closed = undefined;
    let expected;
    socket.on('message', (data, isBinary) => {
      if (this.socket !== socket) return;
      if (isBinary) {
        this.count += data.length;
        if (this.keeps) this.pieces.push(data);
        if (this.acks) this.say({ type: 'ack', offset: this.received });
        return;
      }
      const word = JSON.parse(data.toString());
      this.words.push(word);
      if (word.type === 'ready') {
        expected = word;
        this.session = word.session;
        if (!again) this.begin = word.offset;
      }
    });
    socket.on('close', (code, reason) => {
      if (this.socket === socket) this.closed = { code, reason: reason.toString() };
    });
    await new Promise((resolve, reject) => {
      socket.on('open', resolve);
      socket.on('error', reject);
      socket.on('unexpected-response', (_, response) => {
        let text = '';
        response.on('data', (piece) => (text += piece)).on('end', () => {
          const error = new Error(`refused with ${response.statusCode}: ${text.slice(0, 300)}`);
          reject(Object.assign(error, { status: response.statusCode, body: JSON.parse(text) }));
        });
      });
    });
    socket.on('error', () => {});
    return eventually('the first word', () => expected);
  }

  say(word) {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(word));
  }
  type(text) {
    this.socket.send(Buffer.from(text));
  }
  /** The connection breaks, without a word. */
  drop() {
    this.socket.terminate();
  }
  shows(text, options) {
    return eventually(`the terminal to show ${text}`, () => (text instanceof RegExp ? text.test(this.text) : this.text.includes(text)), options).catch((error) => {
      throw new Error(`${error.message}\n${this.text.slice(-2000)}`);
    });
  }
  ends(options) {
    return eventually('the connection to be closed', () => this.closed, options);
  }
}
