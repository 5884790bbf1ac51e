// The session, and calls of the REST API with it. The access token lives in this module's memory only; what
// outlives a reload is an HttpOnly cookie that no script can read.

const kPatience = 20_000;
const kTokenProblems = ['token_expired', 'token_revoked', 'invalid_token', 'authentication_required'];

/** What the server refused, in its own words. */
export class Problem extends Error {
  constructor(body, response) {
    super(body.error);
    this.code = body.code;
    this.status = response.status;
    this.requestId = body.requestId ?? response.headers.get('X-Request-Id');
  }
}

/** The server could not be asked, or its answer did not arrive. */
export class Unreachable extends Error {
  constructor() {
    super('The server does not answer. Whether this was done shows as soon as it does again.');
  }
}

// Events: `begin` (detail: the user) also when another user takes over, `end` (detail: why, may be empty),
// `connection` (detail: whether the server answers).
export const session = new EventTarget();
const tell = (type, detail) => session.dispatchEvent(new CustomEvent(type, { detail }));

// The tabs of a browser share the cookie, so what one of them does with it concerns all.
const tabs = new BroadcastChannel('agentdb9.session');
tabs.addEventListener('message', ({ data }) => (data === 'end' ? end('You signed out in another tab.') : resume().catch(() => {})));

let token;
let user;
let exchanging;
let renewal;

async function exchange(method, path, json, headers = {}) {
  let response;
  let body;
  try {
    response = await fetch(path, {
      method,
      headers: json === undefined ? headers : { ...headers, 'Content-Type': 'application/json' },
      body: json === undefined ? undefined : JSON.stringify(json),
      cache: 'no-store',
      redirect: 'error',
      // Requests with the cookie outlive the page: otherwise a reload could lose the cookie's next value.
      keepalive: path.startsWith('/api/auth/'),
      signal: AbortSignal.timeout(kPatience),
    });
    body = await response.json();
  } catch {
    tell('connection', false);
    throw new Unreachable();
  }
  tell('connection', true);
  if (!response.ok) throw new Problem(body, response);
  return { ...body, requestId: response.headers.get('X-Request-Id') };
}

function keep(answer) {
  token = answer.accessToken;
  clearTimeout(renewal);
  renewal = setTimeout(() => resume().catch(() => {}), answer.expiresIn * 750);
  const other = user?.id !== answer.user.id;
  user = answer.user;
  if (other) tell('begin', user);
}

function end(why) {
  clearTimeout(renewal);
  const was = user;
  token = user = undefined;
  tell('end', was ? why : '');
}

async function exchange_cookie() {
  for (;;) {
    try {
      return keep(await exchange('POST', '/api/auth/refresh', { cookie: true }));
    } catch (problem) {
      // Another tab got the cookie's next value a moment ago; it is this tab's too when it has arrived.
      if (problem.code === 'refresh_in_progress') {
        await new Promise((resolve) => setTimeout(resolve, 150 + Math.random() * 300));
        continue;
      }
      if (problem.status === 401) end('Your session has ended. Sign in again.');
      throw problem;
    }
  }
}

/** A fresh access token by the cookie. Throws when there is no session, having told so by `end`. */
export function resume() {
  exchanging ??= exchange_cookie().finally(() => (exchanging = undefined));
  return exchanging;
}

export async function sign_in(email, password) {
  keep(await exchange('POST', '/api/auth/login', { email, password, cookie: true }));
  tabs.postMessage('begin');
}

export async function sign_out() {
  await exchanging?.catch(() => {});
  try {
    await call('POST', '/api/auth/logout', {});
  } catch (problem) {
    if (problem.status !== 401) throw problem;  // else it was over already
  }
  end('');
  tabs.postMessage('end');
}

/** The answer's body with its `requestId`. Throws Problem or Unreachable. */
export async function call(method, path, json, headers = {}) {
  const ask = () => exchange(method, path, json, { ...headers, Authorization: `Bearer ${token}` });
  if (token) {
    try {
      return await ask();
    } catch (problem) {
      if (!kTokenProblems.includes(problem.code)) throw problem;
    }
  }
  await resume();
  return ask();
}

/** All rows of a list, page by page. */
export async function list(path) {
  const rows = [];
  let cursor;
  do {
    const answer = await call('GET', `${path}?limit=500${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
    rows.push(...answer.data);
    cursor = answer.nextCursor;
  } while (cursor);
  return rows;
}
