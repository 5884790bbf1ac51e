import { beforeEach, expect, test, vi } from 'vitest';

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
