// Sessions and tokens: how long they count, how they end, and what is not one of this server's.
import assert from 'node:assert/strict';
import { createHmac, randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { decodeJwt, decodeProtectedHeader, generateKeyPair, jwtVerify, SignJWT, UnsecuredJWT } from 'jose';
import WebSocket from 'ws';

import { startServer } from '../../support/server.mjs';

const secret = 'the secret that this server signs its tokens with';
const key = new TextEncoder().encode(secret);

let server;
before(async () => (server = await startServer({ environment: { AGENTDB9_JWT_SECRET: secret } })));
after(() => server.close());

test('an access token is a JWT that others of the installation can verify', async () => {
  const user = await server.user('ada');
  const { payload, protectedHeader } = await jwtVerify(user.token, key, { algorithms: ['HS256'] });
  assert.deepEqual(protectedHeader.alg, 'HS256');
  assert.equal(payload.sub, user.user.id);
  assert.equal(payload.email, user.user.email);
  assert.equal(payload.username, 'ada');
  assert.equal(payload.role, 'user');
  for (const claim of ['sid', 'iat', 'exp', 'jti']) assert.ok(payload[claim], claim);
});

test('forged tokens are nobody\'s', async () => {
  const user = await server.user('victim');
  const admin = await server.admin();
  const claims = decodeJwt(user.token);
  const sign = (more = {}, with_key = key, header = {}) => new SignJWT({ ...claims, ...more }).setProtectedHeader({ alg: 'HS256', typ: 'JWT', ...header }).sign(with_key);
  const raw = (header, payload, signature) => [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.') + '.' + signature;
  const hmac = (text, algorithm) => createHmac(algorithm, secret).update(text).digest('base64url');
  const [head, body, mac] = user.token.split('.');
  const brought = new TextEncoder().encode('a secret that the token itself brings along');
  const { privateKey } = await generateKeyPair('RS256');
  const other = raw({ alg: 'HS256', typ: 'JWT' }, claims, '').slice(0, -1);
  const forged = {
    'alg none': new UnsecuredJWT(claims).encode(),
    'alg NONE with our signature': `${Buffer.from('{"alg":"NONE","typ":"JWT"}').toString('base64url')}.${body}.${mac}`,
    'no signature': `${head}.${body}.`,
    'two parts': `${head}.${body}`,
    'four parts': `${user.token}.${mac}`,
    'HS384 with our key': await new SignJWT(claims).setProtectedHeader({ alg: 'HS384', typ: 'JWT' }).sign(key),
    'HS512 with our key': await new SignJWT(claims).setProtectedHeader({ alg: 'HS512', typ: 'JWT' }).sign(key),
    'RS256 with their key': await new SignJWT(claims).setProtectedHeader({ alg: 'RS256' }).sign(privateKey),
    'HS256 said, SHA-512 meant': `${other}.${hmac(other, 'sha512')}`,
    'another key': await sign({}, new TextEncoder().encode('another secret of at least thirty-two bytes')),
    'an empty key': await sign({}, new Uint8Array(32)),
    'a critical header': await sign({}, key, { crit: ['b64'], b64: true }),
    'a key that it brings along': await sign({}, brought, { jwk: { kty: 'oct', k: Buffer.from(brought).toString('base64url') } }),
    'role admin, signature kept': `${head}.${Buffer.from(JSON.stringify({ ...claims, role: 'admin' })).toString('base64url')}.${mac}`,
    'another user, signature kept': `${head}.${Buffer.from(JSON.stringify({ ...claims, sub: admin.user.id })).toString('base64url')}.${mac}`,
    'one character changed': user.token.slice(0, -2) + (user.token.at(-2) === 'A' ? 'B' : 'A') + user.token.at(-1),
    'expired': await sign({ exp: Math.floor(Date.now() / 1000) - 5 }),
    'no exp': await sign({ exp: undefined }),
    'exp as text': await sign().then(() => { const t = raw({ alg: 'HS256', typ: 'JWT' }, { ...claims, exp: String(claims.exp) }, '').slice(0, -1); return `${t}.${hmac(t, 'sha256')}`; }),
    'not before tomorrow': await sign({ nbf: Math.floor(Date.now() / 1000) + 86_400 }),
    'issued tomorrow': await sign({ iat: Math.floor(Date.now() / 1000) + 86_400 }),
    'no session': await sign({ sid: undefined }),
    'a session that never was': await sign({ sid: randomUUID() }),
    'another user on this session': await sign({ sub: admin.user.id }),
    'no subject': await sign({ sub: undefined }),
    'a subject that is no id': await sign({ sub: 'admin' }),
    'a list': raw({ alg: 'HS256', typ: 'JWT' }, [claims], mac),
    'nothing at all': '',
    'spaces': ' ',
    'an API token that never was': `adb9_${'A'.repeat(43)}`,
    'half an API token': 'adb9_short',
    'a refresh token': user.refreshToken,
    'very long': 'x'.repeat(20_000),
  };
  for (const [what, token] of Object.entries(forged)) {
    const answer = await server.nobody().get('/api/auth/profile', { headers: { Authorization: `Bearer ${token}` } });
    assert.equal(answer.status, 401, `${what}: ${answer.text}`);
  }
  for (const header of ['Basic YTpi', user.token, `bearer`, `Token ${user.token}`, `Bearer ${user.token} x`]) {
    assert.equal((await server.nobody().get('/api/auth/profile', { headers: { Authorization: header } })).status, 401, header);
  }
  (await server.nobody().get('/api/auth/profile', { headers: { Cookie: `accessToken=${user.token}; agentdb9_refresh=${user.refreshToken}` } })).expect(401, 'authentication_required');
  (await server.nobody().get(`/api/auth/profile?access_token=${user.token}`)).expect(401, 'authentication_required');
  (await user.get('/api/auth/profile')).expect(200);
  assert.equal(decodeProtectedHeader(user.token).alg, 'HS256');
});

test('a client that is no trusted proxy does not say from where it comes', async () => {
  const user = await server.user('remote');
  (await server.nobody().post('/api/auth/login', { email: user.user.email, password: user.password }, { headers: { 'X-Forwarded-For': '10.9.9.9', Forwarded: 'for=10.9.9.9' } })).expect(200);
  const addresses = server.query(`SELECT DISTINCT address FROM agentdb9_sessions WHERE "userId" = '${user.user.id}'`);
  assert.equal(addresses, '127.0.0.1');
});

test('what a token says of the role does not count: the account does', async () => {
  const user = await server.user('climber');
  const token = await new SignJWT({ ...decodeJwt(user.token), role: 'admin' }).setProtectedHeader({ alg: 'HS256', typ: 'JWT' }).sign(key);
  (await server.nobody().with(token).post('/api/workspaces/cleanup')).expect(403, 'admin_required');
  (await (await server.admin()).post('/api/workspaces/cleanup?dryRun=true')).expect(200);
});

test('each refresh token counts once; one that comes back ends its session', async () => {
  const user = await server.user('rotating');
  const refresh = (refreshToken) => server.nobody().post('/api/auth/refresh', { refreshToken });
  const second = (await refresh(user.refreshToken)).expect(200).body;
  assert.notEqual(second.refreshToken, user.refreshToken);
  assert.equal(second.data.token, second.accessToken);
  assert.deepEqual(second.data.user, second.user);
  const third = (await refresh(second.refreshToken)).expect(200).body;
  const untouched = await server.login(user.user.email, user.password);
  (await refresh(user.refreshToken)).expect(401, 'refresh_token_reused');
  (await refresh(third.refreshToken)).expect(401, 'invalid_refresh_token');
  for (const token of [user.token, second.accessToken, third.accessToken]) {
    (await server.nobody().with(token).get('/api/auth/profile')).expect(401, 'token_revoked');
  }
  (await untouched.get('/api/auth/profile')).expect(200);
});

test('of many who refresh with one token at once, one gets the next', async () => {
  const user = await server.user('crowd');
  const answers = await Promise.all(Array.from({ length: 10 }, () => server.nobody().post('/api/auth/refresh', { refreshToken: user.refreshToken })));
  assert.equal(answers.filter((each) => each.status === 200).length, 1);
  assert.ok(answers.every((each) => each.status === 200 || each.status === 401));
});

test('refresh tokens that others made are refused', async () => {
  const user = await server.user('careful');
  const [session, random, mac] = user.refreshToken.split('.');
  for (const refreshToken of ['x', `${session}.${random}.${'A'.repeat(mac.length)}`, `${randomUUID()}.${random}.${mac}`, `${session}.${random}`, `${session}.${'A'.repeat(random.length)}.${mac}`]) {
    (await server.nobody().post('/api/auth/refresh', { refreshToken })).expect(401, 'invalid_refresh_token');
  }
  // A guess that is not signed does not even end the session of which it names the id.
  (await server.nobody().post('/api/auth/refresh', { refreshToken: user.refreshToken, cookie: null })).expect(200);
  (await server.nobody().post('/api/auth/refresh', { refreshToken: null })).expect(400, 'invalid_field');
  (await server.nobody().post('/api/auth/refresh', { refreshToken: user.refreshToken, cookie: true })).expect(400, 'invalid_field');
});

test('the page\'s session lives in a cookie that no script reads and no other page uses', async () => {
  const user = await server.user('page');
  const host = new URL(server.api).host;
  const own = { Origin: server.api, 'Sec-Fetch-Site': 'same-origin' };
  const login = (headers) => server.nobody().post('/api/auth/login', { email: user.user.email, password: user.password, cookie: true }, { headers });
  (await login({ Origin: 'http://evil.example' })).expect(403, 'foreign_origin');
  (await login({ Origin: server.apps })).expect(403, 'foreign_origin');
  (await login({ 'Sec-Fetch-Site': 'same-site' })).expect(403, 'foreign_origin');
  const answer = (await login(own)).expect(200);
  assert.equal(answer.body.refreshToken, undefined);
  const cookie = answer.headers['set-cookie'][0];
  for (const attribute of ['HttpOnly', 'SameSite=Strict', 'Path=/api/auth']) assert.ok(cookie.includes(attribute), cookie);
  const Cookie = cookie.split(';')[0];
  const refresh = (headers) => server.nobody().post('/api/auth/refresh', { cookie: true }, { headers });
  (await refresh({ Cookie, Origin: 'http://evil.example' })).expect(403, 'foreign_origin');
  (await refresh(own)).expect(401, 'no_session');
  const next = (await refresh({ ...own, Cookie, Host: host })).expect(200);
  assert.equal(next.body.refreshToken, undefined);
  // A second page with the same cookie, a moment later, is no thief.
  (await refresh({ ...own, Cookie })).expect(409, 'refresh_in_progress');
  const fresh = next.headers['set-cookie'][0].split(';')[0];
  const out = (await server.nobody().with(next.body.accessToken).post('/api/auth/logout', {}, { headers: { Cookie: fresh } })).expect(200);
  assert.match(out.headers['set-cookie'][0], /Max-Age=0/);
  (await refresh({ ...own, Cookie: fresh })).expect(401);
});

test('a cookie of the same name that an application\'s page has set neither ends the session nor takes its place', async () => {
  const [victim, attacker] = [await server.user('victim'), await server.user('attacker')];
  const own = { Origin: server.api, 'Sec-Fetch-Site': 'same-origin' };
  const cookieOf = (answer) => answer.headers['set-cookie'].at(-1).split(';')[0];
  const login = async ({ user, password }) => cookieOf((await server.nobody().post('/api/auth/login', { email: user.email, password, cookie: true }, { headers: own })).expect(200));
  const refresh = (...cookies) => server.nobody().post('/api/auth/refresh', { cookie: true }, { headers: { ...own, Cookie: cookies.join('; ') } });
  const paths = (answer) => answer.headers['set-cookie'].filter((each) => each.startsWith('agentdb9_refresh=;') && /Max-Age=0/.test(each)).map((each) => each.match(/Path=([^;]*)/)[1]);
  let mine = await login(victim);
  for (const others of [['agentdb9_refresh=bad'], ['agentdb9_refresh=', `agentdb9_refresh=${'x'.repeat(118)}`]]) {
    const answer = (await refresh(...others, mine)).expect(200);
    assert.equal(answer.data.user.id, victim.user.id);
    assert.ok(paths(answer).includes('/api/auth/refresh'), 'what was set besides is removed');
    mine = cookieOf(answer);
    assert.match(mine, /^agentdb9_refresh=./, 'and the genuine one is the last that is set');
  }
  // Two that are good: which is the user's cannot be told.
  const theirs = await login(attacker);
  const refused = (await refresh(theirs, mine)).expect(401, 'several_sessions');
  assert.ok(['/', '/api/auth', '/api/auth/refresh'].every((path) => paths(refused).includes(path)), paths(refused).join(' '));
  assert.ok(!refused.headers['set-cookie'].some((each) => /agentdb9_refresh=[^;]/.test(each)));
  (await refresh('agentdb9_refresh=bad')).expect(401, 'invalid_refresh_token');
  assert.equal((await refresh(mine)).expect(200).data.user.id, victim.user.id, 'neither session has ended');
});

test('a logout ends the session\'s tokens and open sockets at once, and nobody else\'s', async () => {
  const user = await server.user('leaving');
  const other = await server.login(user.user.email, user.password);
  const workspace = await user.createWorkspace();
  await user.start(workspace.id);
  const socket = async (token) => {
    const opened = new WebSocket(`${server.api.replace('http', 'ws')}/api/workspaces/${workspace.id}/proxy/ws`, { headers: { Authorization: `Bearer ${token}` } });
    const closed = new Promise((resolve) => opened.on('close', (code) => resolve({ code, at: Date.now() })));
    await new Promise((resolve, reject) => opened.on('open', resolve).on('error', reject));
    return { opened, closed };
  };
  const project = await user.createProject();
  const events = async (token) => {
    const answer = await fetch(`${server.api}/api/projects/${project.id}/events`, { headers: { Authorization: `Bearer ${token}` } });
    assert.equal(answer.status, 200);
    const reader = answer.body.getReader();
    const ended = (async () => {
      while (!(await reader.read()).done);
      return 'as if it were whole';
    })().catch(() => 'cut off');
    return { ended, cancel: () => reader.cancel() };
  };
  const [myEvents, theirEvents] = [await events(user.token), await events(other.token)];
  const mine = await socket(user.token);
  const theirs = await socket(other.token);
  const began = Date.now();
  (await user.post('/api/auth/logout')).expect(200);
  const { code, at } = await mine.closed;
  assert.ok([1008, 1012].includes(code), `closed with ${code}`);
  assert.ok(at - began < 1000, `closed after ${at - began} ms`);
  assert.equal(await myEvents.ended, 'cut off');
  assert.equal(await Promise.race([theirEvents.ended, 'goes on']), 'goes on');
  await theirEvents.cancel();
  (await user.get('/api/auth/profile')).expect(401, 'token_revoked');
  assert.equal((await user.application('GET', workspace.id, '/')).status, 401);
  (await user.post('/api/auth/refresh', { refreshToken: user.refreshToken })).expect(401);
  const echo = new Promise((resolve) => theirs.opened.on('message', (data) => resolve(data.toString())));
  theirs.opened.send('still here');
  assert.equal(await echo, 'still here');
  theirs.opened.terminate();
  // Another session of the same user ends with its refresh token; somebody else's does not.
  const third = await server.login(user.user.email, user.password);
  const stranger = await server.user('stranger');
  (await other.post('/api/auth/logout', { refreshToken: third.refreshToken })).expect(200);
  (await third.get('/api/auth/profile')).expect(401);
  const again = await server.login(user.user.email, user.password);
  (await again.post('/api/auth/logout', { refreshToken: stranger.refreshToken })).expect(200);
  (await stranger.get('/api/auth/profile')).expect(200);
});

test('API tokens: shown once, good until they are deleted, and for everything but making more', async () => {
  const user = await server.user('agent');
  const made = (await user.post('/api/auth/tokens', { name: 'nightly' })).expect(201).data;
  assert.match(made.token, /^adb9_/);
  assert.ok(made.token.startsWith(made.hint));
  const listed = (await user.get('/api/auth/tokens')).expect(200);
  assert.equal(listed.data.length, 1);
  assert.ok(!listed.text.includes(made.token));
  assert.ok(!server.query('SELECT * FROM agentdb9_api_tokens').includes(made.token), 'only its hash is kept');
  const agent = server.nobody().with(made.token);
  await agent.createWorkspace();
  assert.equal((await agent.get('/api/auth/profile')).data.id, user.user.id);
  (await agent.post('/api/auth/tokens', { name: 'another' })).expect(403, 'session_required');
  (await user.delete(`/api/auth/tokens/${made.id}`)).expect(200);
  (await agent.get('/api/auth/profile')).expect(401);
  (await user.delete(`/api/auth/tokens/${made.id}`)).expect(404, 'token_not_found');
});

test('an API token ends when its time is over', async () => {
  const user = await server.user('soon');
  for (const expiresAt of ['2001-01-01T00:00:00Z', 'tomorrow', '2027-13-01T00:00:00Z', 5]) {
    (await user.post('/api/auth/tokens', { name: 'x', expiresAt })).expect(400, 'invalid_field');
  }
  const made = (await user.post('/api/auth/tokens', { name: 'x', expiresAt: new Date(Date.now() + 60_000).toISOString() })).expect(201).data;
  const agent = server.nobody().with(made.token);
  (await agent.get('/api/auth/profile')).expect(200);
  // As if its minute had passed: the row, seen by a server that has not kept it in mind.
  server.query(`UPDATE agentdb9_api_tokens SET "expiresAt" = '2020-01-01T00:00:00.000Z' WHERE id = '${made.id}'`);
  await server.restart();
  (await agent.get('/api/auth/profile')).expect(401);
});
