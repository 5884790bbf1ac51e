// A value that several parts of the page look at: the least that useSyncExternalStore needs. Its third argument, here and
// elsewhere, is for tests that draw a screen without a browser.
import { useSyncExternalStore } from 'react';

export class Store<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get = () => this.#value;

  // All are bound: they are handed on as they are, to components above all.
  set = (next: T | ((now: T) => T)) => {
    const value = typeof next === 'function' ? (next as (now: T) => T)(this.#value) : next;
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    this.#listeners.forEach((each) => each());
  };

  subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };
}

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get, store.get);
}

/** A part of it: what shows that part is not drawn anew when another changes. `of` answers the same object for the same value. */
export function useStorePart<T, P>(store: Store<T>, of: (value: T) => P): P {
  const part = () => of(store.get());
  return useSyncExternalStore(store.subscribe, part, part);
}
