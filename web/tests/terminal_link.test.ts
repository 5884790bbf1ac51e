import { expect, test, vi } from 'vitest';

import { TerminalLink, type LinkState } from '@/base/terminal_link';

class FakeSocket {
  static readonly OPEN = 1;
  readyState = 1;
  binaryType = '';
  sent: (string | Uint8Array)[] = [];
  onmessage?: (event: { data: unknown }) => void;
  onopen?: () => void;
  onclose?: (event: { code: number }) => void;
  send(data: string | Uint8Array) {
    this.sent.push(data);
  }
  close(code = 1000) {
    this.readyState = 3;
    this.onclose?.({ code });
  }
  says(message: object) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  prints(text: string) {
    this.onmessage?.({ data: new TextEncoder().encode(text).buffer });
  }
  typed = () => this.sent.filter((each) => typeof each !== 'string').map((each) => new TextDecoder().decode(each as Uint8Array)).join('');
}
vi.stubGlobal('WebSocket', FakeSocket);

function setup() {
  const sockets: FakeSocket[] = [];
  const addresses: URLSearchParams[] = [];
  const states: LinkState[] = [];
  let output = '';
  const link = new TerminalLink({
    address: (query) => {
      addresses.push(query);
      return '';
    },
    ticket: () => Promise.resolve('t'),
    size: () => ({ columns: 80, rows: 24 }),
    onOutput: (bytes) => (output += new TextDecoder().decode(bytes)),
    onState: (state) => states.push(state),
    socket: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket as unknown as WebSocket;
    },
    pause: () => Promise.resolve(),
  });
  const nextSocket = async (number: number) => {
    await vi.waitFor(() => expect(sockets).toHaveLength(number));
    const socket = sockets[number - 1]!;
    socket.onopen?.();
    return socket;
  };
  return { link, addresses, states, nextSocket, output: () => output };
}
const bytes = (text: string) => new TextEncoder().encode(text);

test('a connection that breaks is made again where it was: nothing of the output or of what was typed is lost or doubled', async () => {
  const { link, addresses, states, nextSocket, output } = setup();
  const first = await nextSocket(1);
  expect(addresses[0]!.get('session')).toBeNull();
  // Typed before the server is there: it waits.
  link.send(bytes('l'));
  expect(first.typed()).toBe('');
  first.says({ type: 'ready', session: 's1', offset: 0, received: 0, skipped: 0 });
  link.send(bytes('s\n'));
  expect(first.typed()).toBe('ls\n');
  first.prints('a b c');
  // One byte of it came to the server before the connection broke.
  first.close(1006);
  const second = await nextSocket(2);
  expect([addresses[1]!.get('session'), addresses[1]!.get('after')]).toEqual(['s1', '5']);
  second.says({ type: 'ready', session: 's1', offset: 5, received: 1, skipped: 0 });
  expect(second.typed()).toBe('s\n');
  second.prints(' d');
  expect(output()).toBe('a b c d');
  second.close(1006);
  const third = await nextSocket(3);
  expect(addresses[2]!.get('after')).toBe('7');
  third.says({ type: 'ready', session: 's1', offset: 7, received: 3, skipped: 0 });
  expect(third.typed()).toBe('');
  expect(states.map((each) => each.kind)).toEqual(['connecting', 'open', 'lost', 'open', 'lost', 'open']);
});

test('what has ended is not asked for again', async () => {
  for (const [end, why] of [
    [(socket: FakeSocket) => { socket.says({ type: 'exit', exitCode: 0, endedBy: 'itself' }); socket.close(1000); }, 'The shell has ended.'],
    [(socket: FakeSocket) => socket.close(4001), 'Another window has taken this terminal over.'],
    [(socket: FakeSocket) => socket.close(1008), 'Your session has ended. Sign in again.'],
  ] as const) {
    const { states, addresses, nextSocket } = setup();
    const socket = await nextSocket(1);
    socket.says({ type: 'ready', session: 's1', offset: 0, received: 0 });
    end(socket);
    await Promise.resolve();
    expect(states.at(-1)).toEqual({ kind: 'over', why });
    expect(addresses).toHaveLength(1);
  }
});

test('large input goes in pieces that the server takes, and output is acknowledged once it was shown', async () => {
  const { link, nextSocket } = setup();
  const socket = await nextSocket(1);
  socket.says({ type: 'ready', session: 's1', offset: 0, received: 0 });
  link.send(bytes('x'.repeat(100_000)));
  expect(socket.typed()).toHaveLength(100_000);
  for (const each of socket.sent) expect(each.length).toBeLessThanOrEqual(64 * 1024);
  socket.prints('y'.repeat(70_000));
  link.shown();
  link.shown();
  expect(socket.sent.filter((each) => typeof each === 'string' && each.includes('"ack"'))).toEqual(['{"type":"ack","offset":70000}']);
});

test('closing it ends the terminal itself', async () => {
  const { link, addresses, nextSocket } = setup();
  const socket = await nextSocket(1);
  socket.says({ type: 'ready', session: 's1', offset: 0, received: 0 });
  link.close();
  expect(socket.sent.at(-1)).toBe('{"type":"end"}');
  await Promise.resolve();
  expect(addresses).toHaveLength(1);
});
