// A way to a server that can break: connections on a port of our own, passed on until they are cut.
import { connect, createServer } from 'node:net';

export class TcpProxy {
  #sockets = new Set();
  /** New connections are taken, and nothing comes of them. */
  silent = false;
  /** How many were. */
  swallowed = 0;

  /** `to`: the URL behind it. */
  constructor(to) {
    this.to = to;
  }
  async open() {
    this.server = createServer((client) => {
      if (this.silent) {
        ++this.swallowed;
        this.#sockets.add(client);
        client.on('error', () => {}).on('close', () => this.#sockets.delete(client)).resume();
        return;
      }
      const server = connect(Number(this.to.port), this.to.hostname);
      for (const [from, other] of [[client, server], [server, client]]) {
        this.#sockets.add(from);
        from.on('error', () => {}).on('close', () => {
          this.#sockets.delete(from);
          other.destroy();
        });
        from.pipe(other);
      }
    });
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }
  /** Every connection breaks; new ones are taken. */
  cut() {
    for (const each of this.#sockets) each.destroy();
  }
  async close() {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
