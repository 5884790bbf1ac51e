// A client of server-sent events (WHATWG HTML, section 9.2) that keeps all it hears.
import { request } from 'node:http';

import { eventually } from './eventually.mjs';

export class EventStream {
  events = [];    // {event, id, data}: data is parsed
  comments = 0;
  lastId;
  ended = false;  // with its end, not broken off
  broken = false;
  #rest = '';

  /** Opens it; the answer's status and, where that is not 200, its text are known then. */
  static open(caller, path, { lastEventId, headers = {} } = {}) {
    const stream = new EventStream();
    const url = new URL(path, caller.server.api);
    return new Promise((resolve, reject) => {
      stream.request = request(url, {
        agent: false,
        headers: { ...(caller.token ? { Authorization: `Bearer ${caller.token}` } : {}), Accept: 'text/event-stream', ...(lastEventId ? { 'Last-Event-ID': lastEventId } : {}), ...headers },
      }, (response) => {
        stream.response = response;
        stream.status = response.statusCode;
        stream.headers = response.headers;
        response.setEncoding('utf8');
        if (stream.status !== 200) {
          response.on('data', (piece) => (stream.#rest += piece)).on('end', () => {
            stream.body = JSON.parse(stream.#rest);
            resolve(stream);
          });
          return;
        }
        response.on('data', (piece) => stream.#take(piece));
        response.on('end', () => (stream.ended = true));
        response.on('error', () => (stream.broken = true));
        resolve(stream);
      });
      stream.request.on('error', (error) => {
        stream.broken = true;
        reject(error);
      }).end();
    });
  }

  #take(piece) {
    const blocks = (this.#rest + piece).split('\n\n');
    this.#rest = blocks.pop();
    for (const block of blocks) {
      const fields = { data: [] };
      for (const line of block.split('\n')) {
        const [, name, value] = /^([a-z]*): ?(.*)$/.exec(line) ?? [undefined, 'unreadable', line];
        if (name === '') ++this.comments;
        else if (name === 'data') fields.data.push(value);
        else fields[name] = value;
      }
      if (fields.id !== undefined) this.lastId = fields.id;
      if (fields.data.length > 0) this.events.push({ event: fields.event ?? 'message', id: fields.id, data: JSON.parse(fields.data.join('\n')) });
    }
  }

  of(event) {
    return this.events.filter((each) => each.event === event).map((each) => each.data);
  }
  get lines() {
    return this.of('line').map((each) => each.line);
  }
  until(what, ask, options) {
    return eventually(what, () => ask(this), options);
  }
  close() {
    this.request.destroy();
  }
}
