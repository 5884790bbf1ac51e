import { expect, test } from 'vitest';

import { Store } from '@/base/store';

test('a store’s functions are handed on as they are, and tell of what is new only', () => {
  const { get, set, subscribe } = new Store(1);
  let told = 0;
  const stop = subscribe(() => ++told);
  set(2);
  set((now) => now);
  set((now) => now + 1);
  expect([get(), told]).toEqual([3, 2]);
  stop();
  set(9);
  expect([get(), told]).toEqual([9, 2]);
});
