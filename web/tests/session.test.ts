import { beforeEach, expect, test, vi } from 'vitest';

import { call, signIn } from '@/base/session';
import { pageFacts } from '@/data/account';
import { queryClient } from '@/data/client';

beforeEach(() => {
  queryClient.clear();
  vi.useFakeTimers();
});

test('what the page has to know is asked for again while the server is away', async () => {
  let asked = 0;
  vi.stubGlobal('fetch', () => (++asked < 3 ? Promise.reject(new TypeError('Failed to fetch')) : Promise.resolve(Response.json({ registrationOpen: false, sharing: true }))));
  const reading = queryClient.fetchQuery({ ...pageFacts, retry: queryClient.getDefaultOptions().queries?.retry });
  await vi.advanceTimersByTimeAsync(10_000);
  expect((await reading).sharing).toBe(true);
  expect(asked).toBe(3);
});

test('an answer that comes when somebody else is signed in is nobody’s', async () => {
  let answer: ((response: Response) => void) | undefined;
  vi.stubGlobal('fetch', (path: string, { body }: RequestInit) => {
    if (path === '/api/auth/login') return Promise.resolve(Response.json({ user: { id: (JSON.parse(String(body)) as { email: string }).email }, accessToken: 'token', expiresIn: 900 }));
    return path === '/slow' ? new Promise<Response>((resolve) => (answer = resolve)) : Promise.resolve(Response.json({ data: 'theirs' }));
  });
  const came: unknown[] = [];
  await signIn('a', '');
  const ask = () => call<{ data: string }>('/slow').then(({ data }) => came.push(data), (problem) => came.push(problem));
  const asked = ask();
  answer?.(Response.json({ data: 'in time' }));
  await asked;
  void ask();
  await signIn('b', '');
  answer?.(Response.json({ data: 'too late' }));
  expect((await call<{ data: string }>('/fast')).data).toBe('theirs');
  expect(came).toEqual(['in time']);
});
