// A list of rows that is read once and then kept by what events tell of each.
import { list as readList } from '@/base/session';

import { queryClient } from './client';
import { readTold, tell } from './told';

interface Row {
  id: string;
  updatedAt: string;
}

export class ToldList<T extends Row> {
  readonly #key: readonly string[];
  readonly #path: string;
  readonly #withRow: (rows: readonly T[], row: T) => T[];

  /** `withRow`: the list, in its order, with a row as it is now. */
  constructor(key: readonly string[], path: string, withRow: (rows: readonly T[], row: T) => T[]) {
    this.#key = key;
    this.#path = path;
    this.#withRow = withRow;
  }

  known = () => queryClient.getQueryData<T[]>(this.#key);

  /** A row as it is told. */
  put(row: T) {
    tell<T[]>(this.#key, (rows) => this.#withRow(rows, row));
  }

  remove(id: string) {
    tell<T[]>(this.#key, (rows) => rows.filter((each) => each.id !== id));
  }

  keepOnly(ids: ReadonlySet<string>) {
    tell<T[]>(this.#key, (rows) => rows.filter((each) => ids.has(each.id)));
  }

  /** What a request answers of a row, unless what was told of it while that was under way is as new. */
  async answered(id: string | undefined, asking: Promise<T>): Promise<T> {
    const find = (wanted: string | undefined) => this.known()?.find((each) => each.id === wanted);
    const before = find(id);
    const row = await asking;
    const told = find(row.id);
    const gone = before !== undefined && told === undefined;
    if (!gone && (told === before || told === undefined || told.updatedAt < row.updatedAt)) this.put(row);
    return row;
  }

  read = (): Promise<T[]> => readTold(this.#key, () => readList<T>(this.#path));
}

/** As the server lists most things: the newest first. */
export const newestFirst = (a: { id: string; createdAt: string }, b: { id: string; createdAt: string }) => b.createdAt.localeCompare(a.createdAt) || b.id.localeCompare(a.id);
