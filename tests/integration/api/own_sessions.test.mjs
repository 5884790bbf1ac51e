// Where somebody is signed in, as they see it, and how they end it.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';

import { EventStream } from '../../support/event_stream.mjs';
import { startServer } from '../../support/server.mjs';

let server;
before(async () => (server = await startServer()));
after(() => server.close());

async function signIn(user, agent) {
  const headers = { 'User-Agent': agent };
  const { body } = (await server.nobody().post('/api/auth/login', { email: user.user.email, password: user.password }, { headers })).expect(200);
  return Object.assign(server.nobody().with(body.accessToken), { refreshToken: body.refreshToken });
}
const listed = async (caller) => (await caller.get('/api/auth/sessions')).expect(200).data;

test('they are listed with where they come from, the one that asks first', async () => {
  const user = await server.user('ada');
  const phone = await signIn(user, 'Phone/1.0');
  const seen = await listed(phone);
  assert.equal(seen.length, 2);
  assert.deepEqual(seen.map((each) => each.current), [true, false]);
  assert.equal(seen[0].userAgent, 'Phone/1.0');
  assert.equal(seen[0].address, '127.0.0.1');
  assert.ok(Date.parse(seen[0].createdAt) <= Date.parse(seen[0].lastUsedAt) && Date.parse(seen[0].lastUsedAt) < Date.parse(seen[0].expiresAt));
  assert.ok(!JSON.stringify(seen).includes(phone.refreshToken));
  // A browser says what it likes of itself.
  await signIn(user, `<script>${'x'.repeat(2000)}`);
  assert.ok((await listed(user)).every((each) => each.userAgent.length <= 300));
  // A program sees them, and is none.
  const token = (await user.post('/api/auth/tokens', { name: 'robot' })).expect(201).data.token;
  assert.ok((await listed(server.nobody().with(token))).every((each) => !each.current));
  (await user.post('/api/auth/logout')).expect(200);
  assert.equal((await listed(phone)).length, 2, 'one that is over is not there');
});

test('one ends at once, with what is open under it, and no other does', async () => {
  const user = await server.user('grace');
  const other = await signIn(user, 'Other/1.0');
  const workspace = await user.createWorkspace();
  await user.start(workspace.id);
  const open = async (caller) => {
    const socket = new WebSocket(`${server.api.replace('http', 'ws')}/api/workspaces/${workspace.id}/proxy/ws`, { headers: { Authorization: `Bearer ${caller.token}` } });
    const closed = new Promise((resolve) => socket.on('close', resolve));
    await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
    return { socket, closed };
  };
  const [mine, theirs] = [await open(user), await open(other)];
  const events = await EventStream.open(other, '/api/workspaces/events');
  assert.equal(events.status, 200);
  const id = (await listed(other))[0].id;
  (await user.delete(`/api/auth/sessions/${id}`)).expect(200);
  assert.ok([1008, 1012].includes(await theirs.closed));
  (await other.get('/api/auth/profile')).expect(401, 'token_revoked');
  assert.equal((await other.application('GET', workspace.id, '/env')).status, 401);
  (await server.nobody().post('/api/auth/refresh', { refreshToken: other.refreshToken })).expect(401, 'invalid_refresh_token');
  const echo = new Promise((resolve) => mine.socket.on('message', (data) => resolve(data.toString())));
  mine.socket.send('still here');
  assert.equal(await echo, 'still here');
  mine.socket.terminate();
  (await user.delete(`/api/auth/sessions/${id}`)).expect(404, 'session_not_found');
  (await user.delete(`/api/auth/sessions/${randomUUID()}`)).expect(404, 'session_not_found');
  (await user.delete('/api/auth/sessions/mine')).expect(400, 'invalid_id');
  // Its own, like a logout.
  (await user.delete(`/api/auth/sessions/${(await listed(user))[0].id}`)).expect(200);
  (await user.get('/api/auth/profile')).expect(401, 'token_revoked');
});

test('all others end; API tokens and the one that asks stay', async () => {
  const user = await server.user('alan');
  const others = await Promise.all(['A/1', 'B/1', 'C/1'].map((agent) => signIn(user, agent)));
  const stranger = await server.user('stranger');
  const robot = server.nobody().with((await user.post('/api/auth/tokens', { name: 'robot' })).expect(201).data.token);
  assert.deepEqual((await user.delete('/api/auth/sessions')).expect(200).data, { ended: 3 });
  for (const each of others) (await each.get('/api/auth/profile')).expect(401, 'token_revoked');
  for (const each of [user, robot, stranger]) (await each.get('/api/auth/profile')).expect(200);
  assert.equal((await listed(user)).length, 1);
  assert.deepEqual((await user.delete('/api/auth/sessions')).expect(200).data, { ended: 0 });
  (await user.delete('/api/auth/sessions', { json: { all: true } })).expect(400, 'invalid_field');
});

test('a browser that ends its own session loses its cookie', async () => {
  const user = await server.user('page');
  const headers = { Origin: server.api };
  const answer = (await server.nobody().post('/api/auth/login', { email: user.user.email, password: user.password, cookie: true }, { headers })).expect(200);
  const cookie = answer.headers['set-cookie'][0].split(';')[0];
  const page = server.nobody().with(answer.body.accessToken);
  const [own, first] = await listed(page);
  const kept = (await page.delete(`/api/auth/sessions/${first.id}`, { headers: { Cookie: cookie } })).expect(200);
  assert.equal(kept.headers['set-cookie'], undefined);
  const gone = (await page.delete(`/api/auth/sessions/${own.id}`, { headers: { Cookie: cookie } })).expect(200);
  assert.match(gone.headers['set-cookie'].join('\n'), /agentdb9_refresh=;/);
});
