// Server-sent events of a call with a token, which EventSource cannot send. Comes again by itself: at once after the
// server's own end, with growing pauses while it does not answer; with the id of the last event that had one.
import { open, Problem } from './session';

export interface ServerEvent {
  event: string;
  data: string;
  id: string | undefined;
}

/** The events of a stream's text, however it is cut (WHATWG HTML section 9.2.6). */
export class EventParser {
  #rest = '';
  #event = '';
  #data: string[] = [];
  #id: string | undefined;

  /** How long the server wishes that a client waits before it comes again, in milliseconds. */
  retry: number | undefined;

  take(text: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') {
        if (this.#data.length > 0) events.push({ event: this.#event || 'message', data: this.#data.join('\n'), id: this.#id });
        this.#event = '';
        this.#data = [];
        continue;
      }
      if (line.startsWith(':')) continue;
      const colon = line.indexOf(':');
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'event') this.#event = value;
      else if (field === 'data') this.#data.push(value);
      else if (field === 'id') this.#id = value;
      else if (field === 'retry' && /^\d+$/.test(value)) this.retry = Number(value);
    }
    return events;
  }
}

const leastPause = 500;
const mostPause = 15_000;
// The server says something every fifteen seconds; after three times that nobody is there.
const silence = 45_000;

/** How long to wait before the n-th attempt after n failures in a row, in milliseconds; `random` is in [0, 1). */
export const backOff = (failures: number, random = Math.random()) =>
  Math.min(mostPause, leastPause * 2 ** Math.max(0, failures - 1)) * (0.75 + random / 2);

export interface Follower {
  onEvent: (event: ServerEvent) => void;
  /** Each time that the server has begun to tell. */
  onOpen?: () => void;
  /** The stream broke off and is asked for again. */
  onLost?: (problem: unknown) => void;
  /** It will not be asked for again: the server refused it. */
  onRefused?: (problem: Problem) => void;
}

/** Follows until the returned function is called; from the event after `lastId` on. */
export function follow(path: string, follower: Follower, lastId?: string): () => void {
  const abort = new AbortController();
  const { signal } = abort;

  async function once() {
    const attempt = new AbortController();
    const stop = () => attempt.abort();
    signal.addEventListener('abort', stop);
    let timer = setTimeout(stop, silence);
    try {
      const response = await open(path, { signal: attempt.signal, headers: { Accept: 'text/event-stream', ...(lastId ? { 'Last-Event-ID': lastId } : {}) } });
      follower.onOpen?.();
      const parser = new EventParser();
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(timer);
        timer = setTimeout(stop, silence);
        for (const event of parser.take(value)) {
          lastId = event.id ?? lastId;
          if (!signal.aborted) follower.onEvent(event);
        }
      }
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
    }
  }

  async function run() {
    for (let failures = 0; !signal.aborted; ) {
      const began = Date.now();
      try {
        await once();
        // Ended by the server, as it does every ten minutes; one that ends at once is not to be asked without a pause.
        failures = Date.now() - began > leastPause ? 0 : failures + 1;
      } catch (problem) {
        if (signal.aborted) return;
        if (problem instanceof Problem && problem.status < 500 && problem.status !== 429) {
          follower.onRefused?.(problem);
          return;
        }
        failures = Date.now() - began > silence ? 1 : failures + 1;
        follower.onLost?.(problem);
      }
      if (failures > 0) await new Promise((resolve) => setTimeout(resolve, backOff(failures)));
    }
  }

  void run();
  return () => abort.abort();
}

/** The same while somebody sees the tab. One that is hidden gives its connection back, and goes on later where it was. */
export function followSeen(path: string, follower: Follower): () => void {
  let lastId: string | undefined;
  let stop: (() => void) | undefined;
  const onEvent = (event: ServerEvent) => {
    lastId = event.id ?? lastId;
    follower.onEvent(event);
  };
  const pause = () => {
    stop?.();
    stop = undefined;
  };
  const look = () => {
    if (document.hidden) pause();
    else stop ??= follow(path, { ...follower, onEvent }, lastId);
  };
  document.addEventListener('visibilitychange', look);
  look();
  return () => {
    document.removeEventListener('visibilitychange', look);
    pause();
  };
}
