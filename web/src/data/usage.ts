// What running workspaces use, for as long as something on the screen shows it. A browser has six connections to a
// server for all its tabs: two workspaces are followed by streams, the others are asked in turn.
import { useCallback, useEffect, useSyncExternalStore } from 'react';

import { follow } from '@/base/sse';

import type { ContainerStats } from './types';
import { stats } from './workspaces';

const kept = 60; // samples of each
const streamsAtOnce = 2;
const turnPause = 1_000;
const roundPause = 4_000;
const mostWait = 30_000;

interface Entry {
  samples: readonly ContainerStats[];
  watchers: number;
  stop: (() => void) | undefined;
  listeners: Set<() => void>;
}
const entries = new Map<string, Entry>();
const none: readonly ContainerStats[] = [];

/** The last samples with one more; a gap of more than half a minute begins anew. */
export function withSample(samples: readonly ContainerStats[], sample: ContainerStats): readonly ContainerStats[] {
  const last = samples.at(-1);
  if (last && sample.time <= last.time) return samples;
  const gap = last && Date.parse(sample.time) - Date.parse(last.time) > 30_000;
  return gap ? [sample] : [...samples, sample].slice(-kept);
}

function take(id: string, sample: ContainerStats) {
  const entry = entries.get(id);
  if (!entry) return;
  entry.samples = withSample(entry.samples, sample);
  entry.listeners.forEach((each) => each());
}

const watched = () => [...entries].filter(([, entry]) => entry.watchers > 0);

/** Gives free streams to those that wait, and takes them from those that nobody looks at. */
function settle() {
  for (const entry of entries.values()) {
    if (entry.stop && (entry.watchers === 0 || document.hidden)) {
      entry.stop();
      entry.stop = undefined;
    }
  }
  if (document.hidden) return;
  let free = streamsAtOnce - watched().filter(([, entry]) => entry.stop).length;
  for (const [id, entry] of watched()) {
    if (entry.stop || free <= 0) continue;
    free -= 1;
    entry.stop = follow(`/api/workspaces/${id}/container-stats/stream`, {
      onEvent: ({ event, data }) => event === 'stats' && take(id, JSON.parse(data) as ContainerStats),
    });
  }
  if (!turning && watched().some(([, entry]) => !entry.stop)) void turn();
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

let turning = false;
async function turn() {
  turning = true;
  const patience = new AbortController();
  const waiting = () => watched().filter(([, entry]) => !entry.stop);
  while (!document.hidden && waiting().length > 0) {
    for (const [id] of waiting()) {
      if (document.hidden) break;
      // When the session ends no answer comes: the next one's turns must not wait for it.
      await Promise.race([stats(id, patience.signal).then((sample) => take(id, sample), () => {}), pause(mostWait)]);
      await pause(turnPause);
    }
    await pause(roundPause);
  }
  turning = false;
}

if (typeof document !== 'undefined') document.addEventListener('visibilitychange', settle);

function entryOf(id: string): Entry {
  const entry = entries.get(id) ?? { samples: none, watchers: 0, stop: undefined, listeners: new Set() };
  entries.set(id, entry);
  return entry;
}

/** The last samples of a running workspace, the newest last; none while `shown` is false. */
export function useUsage(id: string, shown: boolean): readonly ContainerStats[] {
  const subscribe = useCallback(
    (listener: () => void) => {
      const { listeners } = entryOf(id);
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    [id],
  );
  useEffect(() => {
    if (!shown) return undefined;
    const entry = entryOf(id);
    entry.watchers += 1;
    settle();
    return () => {
      entry.watchers -= 1;
      // Whoever shows it next, in the same moment perhaps, keeps the stream.
      setTimeout(settle, 200);
    };
  }, [id, shown]);
  const samples = () => (shown ? (entries.get(id)?.samples ?? none) : none);
  return useSyncExternalStore(subscribe, samples, samples);
}
