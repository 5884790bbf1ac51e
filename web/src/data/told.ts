// What is read once and then kept by what the event stream tells. What it tells while the reading is on its way counts more
// than what is read: that may be older.
import { hashKey, type QueryKey } from '@tanstack/react-query';

import { queryClient } from './client';

type Change<T> = (value: T) => T;
// Of each key that is being read: what was told meanwhile, for each of its readings.
const readings = new Map<string, Set<Change<unknown>[]>>();

/** Something changed. What was never read is not made up from it. */
export function tell<T>(queryKey: QueryKey, change: Change<T>) {
  readings.get(hashKey(queryKey))?.forEach((told) => told.push(change as Change<unknown>));
  queryClient.setQueryData<T>(queryKey, (value) => (value === undefined ? undefined : change(value)));
}

/** Reads it, with what was told meanwhile. */
export async function readTold<T>(queryKey: QueryKey, read: () => Promise<T>): Promise<T> {
  const key = hashKey(queryKey);
  const told: Change<unknown>[] = [];
  const all = readings.get(key) ?? new Set();
  readings.set(key, all.add(told));
  try {
    const value = await read();
    return told.reduce<unknown>((now, change) => change(now), value) as T;
  } finally {
    all.delete(told);
    if (all.size === 0) readings.delete(key);
  }
}
