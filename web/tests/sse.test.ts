import { describe, expect, test, vi } from 'vitest';

import { backOff, EventParser, followSeen } from '@/base/sse';

describe('events of a stream', () => {
  const stream = 'retry: 2000\n\n: quiet\n\nevent: workspace\nid: 7\ndata: {"a":1}\n\ndata: one\ndata:two\n\nevent: gone\n\n';
  const wanted = [
    { event: 'workspace', data: '{"a":1}', id: '7' },
    { event: 'message', data: 'one\ntwo', id: '7' },
  ];

  test('are the same however the text is cut', () => {
    for (let size = 1; size <= stream.length; ++size) {
      const parser = new EventParser();
      const events = [];
      for (let at = 0; at < stream.length; at += size) events.push(...parser.take(stream.slice(at, at + size)));
      expect(events, `in pieces of ${size}`).toEqual(wanted);
      expect(parser.retry).toBe(2000);
    }
  });

  test('may end their lines as HTTP does, also where a piece ends between the two', () => {
    const parser = new EventParser();
    expect([...parser.take('data: x\r'), ...parser.take('\n\r\ndata: y\r\n\r\n')].map((each) => each.data)).toEqual(['x', 'y']);
  });
});

test('pauses grow with failures, and end growing', () => {
  const pauses = [1, 2, 3, 4, 10, 50].map((failures) => backOff(failures, 0.5));
  expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
  expect(pauses[0]).toBe(500);
  expect(pauses.at(-1)).toBe(15_000);
  expect(backOff(3, 0)).toBeLessThan(backOff(3, 0.99));
});

test('a hidden tab gives its stream back, and goes on after the last event that it had', async () => {
  const tab = Object.assign(new EventTarget(), { hidden: false });
  vi.stubGlobal('document', tab);
  const streams: { after: string | null; signal: AbortSignal; say: (text: string) => void }[] = [];
  vi.stubGlobal('fetch', (path: string, { headers, signal }: { headers?: HeadersInit; signal: AbortSignal }) => {
    if (path.startsWith('/api/auth/')) return Promise.resolve(Response.json({ user: {}, accessToken: 'token', expiresIn: 900 }));
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => void streams.push({ after: new Headers(headers).get('Last-Event-ID'), signal, say: (text) => controller.enqueue(new TextEncoder().encode(text)) }),
    });
    return Promise.resolve(new Response(body));
  });
  const seen: string[] = [];
  const stop = followSeen('/stream', { onEvent: ({ data }) => seen.push(data) });
  const show = (shown: boolean) => {
    tab.hidden = !shown;
    tab.dispatchEvent(new Event('visibilitychange'));
  };
  await vi.waitUntil(() => streams.length === 1);
  expect(streams[0]!.after).toBeNull();
  streams[0]!.say('id: 7\ndata: one\n\n');
  await vi.waitUntil(() => seen.length === 1);
  show(false);
  expect(streams[0]!.signal.aborted).toBe(true);
  show(true);
  await vi.waitUntil(() => streams.length === 2);
  expect(streams[1]!.after).toBe('7');
  show(true);
  stop();
  expect(streams[1]!.signal.aborted).toBe(true);
  show(false);
  show(true);
  await Promise.resolve();
  expect(streams).toHaveLength(2);
});
