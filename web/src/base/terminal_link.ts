// A terminal's connection (docs/decisions/0012-terminal.md): output and input have numbers, so that a connection that
// breaks loses nothing. Comes again by itself until the terminal has ended.
import { backOff } from './sse';
import { Problem } from './session';

export type LinkState = { kind: 'connecting' } | { kind: 'open' } | { kind: 'lost'; why: string } | { kind: 'over'; why: string };

export interface LinkOptions {
  address: (query: URLSearchParams) => string;
  ticket: () => Promise<string>;
  size: () => { columns: number; rows: number };
  onOutput: (bytes: Uint8Array) => void;
  onState: (state: LinkState) => void;
  socket?: (address: string) => WebSocket;
  pause?: (milliseconds: number) => Promise<void>;
}

const ackEvery = 64 * 1024;
const mostMessage = 32 * 1024;
const sentences: Record<string, string> = {
  itself: 'The shell has ended.',
  workspace_stopped: 'The workspace has stopped.',
  signed_out: 'You signed out.',
  request: 'The terminal was ended.',
};

export class TerminalLink {
  readonly #options: LinkOptions;
  #socket: WebSocket | undefined;
  #session: string | undefined;
  #output = 0; // bytes of it that are here
  #acknowledged = 0;
  #typed: Uint8Array = new Uint8Array(); // what the server may not have yet
  #typedFrom = 0; // the number of its first byte
  #ended = false;
  #failures = 0;

  constructor(options: LinkOptions) {
    this.#options = options;
    void this.#run();
  }

  send(bytes: Uint8Array) {
    const all = new Uint8Array(this.#typed.length + bytes.length);
    all.set(this.#typed);
    all.set(bytes, this.#typed.length);
    this.#typed = all;
    if (this.#session && this.#socket?.readyState === WebSocket.OPEN) this.#transmit(bytes);
  }

  resize() {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#say({ type: 'resize', ...this.#options.size() });
  }

  /** Ends the terminal itself: what runs in it hangs up. */
  close() {
    this.#ended = true;
    if (this.#socket?.readyState === WebSocket.OPEN) this.#say({ type: 'end' });
    this.#socket?.close(1000);
  }

  #say(message: object) {
    this.#socket?.send(JSON.stringify(message));
  }

  #transmit(bytes: Uint8Array) {
    for (let at = 0; at < bytes.length; at += mostMessage) this.#socket?.send(bytes.slice(at, at + mostMessage));
  }

  #over(why: string) {
    if (this.#ended) return;
    this.#ended = true;
    this.#options.onState({ kind: 'over', why });
  }

  async #run() {
    const pause = this.#options.pause ?? ((milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds)));
    while (!this.#ended) {
      this.#options.onState(this.#failures === 0 ? { kind: 'connecting' } : { kind: 'lost', why: 'The connection is lost. Trying again…' });
      try {
        const ticket = await this.#options.ticket();
        if (this.#ended) return;
        await this.#once(ticket);
      } catch (problem) {
        if (problem instanceof Problem && problem.status < 500) this.#over(problem.message);
      }
      if (this.#ended) return;
      this.#failures += 1;
      await pause(backOff(this.#failures));
    }
  }

  #once(ticket: string): Promise<void> {
    const { columns, rows } = this.#options.size();
    const query = new URLSearchParams({ ticket, columns: String(columns), rows: String(rows) });
    if (this.#session) {
      query.set('session', this.#session);
      query.set('after', String(this.#output));
    }
    const address = this.#options.address(query);
    const socket = this.#options.socket?.(address) ?? new WebSocket(address);
    this.#socket = socket;
    socket.binaryType = 'arraybuffer';
    let opened = false;
    return new Promise((resolve) => {
      socket.onmessage = ({ data }: MessageEvent<ArrayBuffer | string>) => {
        if (typeof data === 'string') this.#obey(JSON.parse(data) as Record<string, unknown>);
        else this.#take(new Uint8Array(data));
      };
      socket.onopen = () => (opened = true);
      socket.onclose = ({ code }) => {
        if (code === 4001) this.#over('Another window has taken this terminal over.');
        if (code === 1008) this.#over('Your session has ended. Sign in again.');
        // A browser does not tell why a connection was refused; one that was open before has most likely ended since.
        if (!opened && this.#failures >= 2) this.#over(this.#session ? 'The terminal has ended.' : 'No terminal could be opened. The workspace may be paused, or have too many terminals.');
        resolve();
      };
    });
  }

  #obey(message: Record<string, unknown>) {
    if (message.type === 'ready') {
      this.#session = String(message.session);
      this.#failures = 0;
      if (typeof message.offset === 'number') this.#output = message.offset;
      const received = Number(message.received);
      this.#typed = this.#typed.slice(Math.max(0, received - this.#typedFrom));
      this.#typedFrom = received;
      this.#options.onState({ kind: 'open' });
      if (this.#typed.length > 0) this.#transmit(this.#typed);
      this.resize();
    } else if (message.type === 'skipped') {
      this.#output += Number(message.bytes);
    } else if (message.type === 'exit') {
      this.#over(sentences[String(message.endedBy)] ?? 'The terminal has ended.');
    }
  }

  #take(bytes: Uint8Array) {
    this.#output += bytes.length;
    this.#options.onOutput(bytes);
  }

  /** All output until now has been shown: the server may forget it. */
  shown() {
    if (this.#output - this.#acknowledged < ackEvery || this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#acknowledged = this.#output;
    this.#say({ type: 'ack', offset: this.#output });
    // What has been sent long ago has come: only the last of it is kept for another connection.
    const most = 64 * 1024;
    if (this.#typed.length > most) {
      this.#typedFrom += this.#typed.length - most;
      this.#typed = this.#typed.slice(-most);
    }
  }
}
