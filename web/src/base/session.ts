// The session of this tab, and calls of the REST API with it. The access token lives in this module's memory only;
// what outlives a reload is an HttpOnly cookie that no script can read, and whose value counts once: one tab at a time
// exchanges it (a lock where the browser has them, the server's own `refresh_in_progress` in any case).
import type { User } from '@/data/types';

const patience = 20_000;
const retryPause = 1_500;
const tokenProblems = new Set(['token_expired', 'token_revoked', 'invalid_token', 'authentication_required']);

/** What the server refused, in its own words. */
export class Problem extends Error {
  readonly code: string;
  readonly status: number;
  readonly requestId: string | undefined;
  readonly details: { field?: string; problem?: string; limit?: number; used?: number; asked?: number }[];

  constructor(status: number, body: unknown, requestId: string | undefined) {
    const told = (body ?? {}) as { error?: unknown; code?: unknown; requestId?: unknown; details?: unknown };
    super(typeof told.error === 'string' ? told.error : `The server answered ${status}.`);
    this.status = status;
    this.code = typeof told.code === 'string' ? told.code : 'unknown';
    this.requestId = typeof told.requestId === 'string' ? told.requestId : requestId;
    this.details = Array.isArray(told.details) ? told.details : [];
  }
}

/** The server could not be asked, or its answer did not arrive. */
export class Unreachable extends Error {
  constructor() {
    super('The server does not answer. Whether this was done shows as soon as it does again.');
  }
}

export type SessionState =
  | { kind: 'unknown' } // nobody has been asked yet, or the server does not answer
  | { kind: 'none'; why: string }
  | { kind: 'open'; user: User };

let state: SessionState = { kind: 'unknown' };
let reachable = true;
const listeners = new Set<() => void>();

const tell = () => listeners.forEach((each) => each());
export const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => void listeners.delete(listener);
};
export const sessionState = () => state;
export const isReachable = () => reachable;

export function setReachable(now: boolean) {
  if (reachable === now) return;
  reachable = now;
  tell();
}

// The tabs of a browser share the cookie, so what one of them does with it concerns all.
const tabs = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel('agentdb9.session');
tabs?.addEventListener('message', ({ data }) => {
  if (data === 'end') end('You signed out in another tab.');
  else resume().catch(() => {});
});

let token: string | undefined;
let exchanging: Promise<void> | undefined;
let renewal: ReturnType<typeof setTimeout> | undefined;

export interface CallOptions {
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  json?: unknown;
  body?: BodyInit;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** In milliseconds; `null`: as long as it takes. */
  within?: number | null;
}

async function send(path: string, { method = 'GET', json, body, headers = {}, signal, within = patience }: CallOptions): Promise<Response> {
  const limits = [signal, within === null ? undefined : AbortSignal.timeout(within)].filter((each) => each !== undefined);
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers: json === undefined ? headers : { ...headers, 'Content-Type': 'application/json' },
      body: json === undefined ? (body ?? null) : JSON.stringify(json),
      cache: 'no-store',
      redirect: 'error',
      // Requests with the cookie outlive the page: otherwise a reload could lose the cookie's next value.
      keepalive: path.startsWith('/api/auth/'),
      signal: AbortSignal.any(limits),
    });
  } catch (problem) {
    if (signal?.aborted) throw problem;
    setReachable(false);
    throw new Unreachable();
  }
  setReachable(true);
  if (response.ok) return response;
  throw new Problem(response.status, await response.json().catch(() => undefined), response.headers.get('X-Request-Id') ?? undefined);
}

async function exchange<T>(path: string, options: CallOptions): Promise<T & { requestId?: string }> {
  const response = await send(path, options);
  try {
    return { ...(await response.json()), requestId: response.headers.get('X-Request-Id') ?? undefined };
  } catch {
    setReachable(false);
    throw new Unreachable();
  }
}

interface Tokens {
  user: User;
  accessToken: string;
  expiresIn: number; // seconds
}

function keep(answer: Tokens) {
  token = answer.accessToken;
  clearTimeout(renewal);
  renewal = setTimeout(() => resume().catch(() => {}), answer.expiresIn * 750);
  state = { kind: 'open', user: answer.user };
  tell();
}

function end(why: string) {
  clearTimeout(renewal);
  const was = state.kind === 'open';
  token = undefined;
  state = { kind: 'none', why: was ? why : '' };
  tell();
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function exchangeCookie() {
  for (;;) {
    try {
      return keep(await exchange<Tokens>('/api/auth/refresh', { method: 'POST', json: { cookie: true } }));
    } catch (problem) {
      // Another tab got the cookie's next value a moment ago; it is this tab's too when it has arrived.
      if (problem instanceof Problem && problem.code === 'refresh_in_progress') {
        await pause(150 + Math.random() * 300);
        continue;
      }
      if (problem instanceof Problem && problem.status === 401) end('Your session has ended. Sign in again.');
      throw problem;
    }
  }
}

/** A fresh access token by the cookie. Throws when there is no session, having told so. */
export function resume(): Promise<void> {
  const alone = () => (navigator.locks ? navigator.locks.request('agentdb9.session', exchangeCookie) : exchangeCookie());
  exchanging ??= Promise.resolve(alone()).finally(() => (exchanging = undefined));
  return exchanging;
}

/** Until the server says whether there is a session, there is nothing to show. */
export async function begin() {
  for (;;) {
    try {
      return await resume();
    } catch (problem) {
      if (problem instanceof Problem) {
        if (problem.status !== 401) {
          state = { kind: 'none', why: problem.message };
          tell();
        }
        return;
      }
      await pause(retryPause);
    }
  }
}

export async function signIn(email: string, password: string) {
  keep(await exchange<Tokens>('/api/auth/login', { method: 'POST', json: { email, password, cookie: true } }));
  tabs?.postMessage('begin');
}

export async function register(account: { email: string; username: string; password: string }) {
  keep(await exchange<Tokens>('/api/auth/register', { method: 'POST', json: { ...account, cookie: true } }));
  tabs?.postMessage('begin');
}

export async function signOut() {
  await exchanging?.catch(() => {});
  try {
    await withToken((Authorization) => exchange('/api/auth/logout', { method: 'POST', json: {}, headers: { Authorization } }));
  } catch (problem) {
    if (!(problem instanceof Problem) || problem.status !== 401) throw problem; // else it was over already
  }
  end('');
  tabs?.postMessage('end');
}

/** The profile was changed: the page shows it everywhere. */
export function setUser(user: User) {
  if (state.kind !== 'open') return;
  state = { kind: 'open', user };
  tell();
}

async function withToken<T>(ask: (authorization: string) => Promise<T>): Promise<T> {
  if (token) {
    try {
      return await ask(`Bearer ${token}`);
    } catch (problem) {
      if (!(problem instanceof Problem) || !tokenProblems.has(problem.code)) throw problem;
    }
  }
  await resume();
  return ask(`Bearer ${token}`);
}

const whose = () => (state.kind === 'open' ? state.user.id : undefined);

/** An answer that comes when its session is over is nobody's: who waited for it is gone, and who came instead must not get it. */
function forAsker<T>(answer: Promise<T>): Promise<T> {
  const asker = whose();
  return new Promise((resolve, reject) => {
    const isThere = () => asker === undefined || asker === whose();
    answer.then((value) => isThere() && resolve(value), (problem) => isThere() && reject(problem));
  });
}

/** The answer's body with its `requestId`. Throws Problem or Unreachable. */
export function call<T>(path: string, options: CallOptions = {}): Promise<T & { requestId?: string }> {
  return forAsker(withToken((Authorization) => exchange<T>(path, { ...options, headers: { ...options.headers, Authorization } })));
}

/** What anybody may read, signed in or not. Throws the same. */
export const read = <T>(path: string): Promise<T> => exchange<T>(path, {});

/** The answer itself, whatever its body is: a stream, a file. Throws the same. */
export function open(path: string, options: CallOptions = {}): Promise<Response> {
  return forAsker(withToken((Authorization) => send(path, { within: null, ...options, headers: { ...options.headers, Authorization } })));
}

/** All rows of a list, page by page. */
export async function list<T>(path: string): Promise<T[]> {
  const rows: T[] = [];
  let cursor: string | undefined;
  do {
    const mark = path.includes('?') ? '&' : '?';
    const answer = await call<{ data: T[]; nextCursor?: string }>(`${path}${mark}limit=500${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
    rows.push(...answer.data);
    cursor = answer.nextCursor;
  } while (cursor);
  return rows;
}
