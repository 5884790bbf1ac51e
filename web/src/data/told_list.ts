// A list that is read once and then kept by what events tell. What they told while it was on its way counts more than
// what was read: that may be older.
import { list as readList } from '@/base/session';

import { queryClient } from './client';

interface Row {
  id: string;
}
// Undefined: it is gone.
type Heard<T> = Map<string, T | undefined>;

export class ToldList<T extends Row> {
  readonly #key: readonly string[];
  readonly #path: string;
  readonly #withRow: (rows: readonly T[], row: T) => T[];
  readonly #readings = new Set<Heard<T>>();

  /** `withRow`: the list, in its order, with a row as it is now. */
  constructor(key: readonly string[], path: string, withRow: (rows: readonly T[], row: T) => T[]) {
    this.#key = key;
    this.#path = path;
    this.#withRow = withRow;
  }

  known = () => queryClient.getQueryData<T[]>(this.#key);

  /** A row as it is told. A list that was never read is not made up from it. */
  put(row: T) {
    this.#readings.forEach((each) => each.set(row.id, row));
    queryClient.setQueryData<T[]>(this.#key, (rows) => rows && this.#withRow(rows, row));
  }

  remove(id: string) {
    this.#readings.forEach((each) => each.set(id, undefined));
    queryClient.setQueryData<T[]>(this.#key, (rows) => rows?.filter((each) => each.id !== id));
  }

  keepOnly(ids: ReadonlySet<string>) {
    queryClient.setQueryData<T[]>(this.#key, (rows) => rows?.filter((each) => ids.has(each.id)));
  }

  read = async (): Promise<T[]> => {
    const heard: Heard<T> = new Map();
    this.#readings.add(heard);
    try {
      let rows = (await readList<T>(this.#path)).filter((each) => !heard.has(each.id));
      for (const row of heard.values()) if (row) rows = this.#withRow(rows, row);
      return rows;
    } finally {
      this.#readings.delete(heard);
    }
  };
}

/** As the server lists most things: the newest first. */
export const newestFirst = (a: Row & { createdAt: string }, b: Row & { createdAt: string }) => b.createdAt.localeCompare(a.createdAt) || b.id.localeCompare(a.id);
