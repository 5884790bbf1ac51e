// Workspaces that start because their application is asked for: by whom and by what, and by what not.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';

import { exchange } from '../../support/api_client.mjs';
import { eventually } from '../../support/eventually.mjs';
import { startServer, testType } from '../../support/server.mjs';

let server;
before(async () => {
  server = await startServer({ toml: testType('slow', { START_DELAY: 2500 }) + testType('failing', { FAIL_START: 1 }) });
});
after(() => server.close());

// The machine may be busy with other tests.
const patience = 60_000;
const html = { Accept: 'text/html,*/*;q=0.8' };
const navigation = { ...html, 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' };
const bearer = (user) => ({ Authorization: `Bearer ${user.token}` });
const operations = async (user, workspace) => (await user.get(`/api/workspaces/${workspace.id}/operations`)).expect(200).data;
const starts = async (user, workspace) => (await operations(user, workspace)).filter((each) => each.kind === 'start');
const state = async (user, workspace) => (await user.get(`/api/workspaces/${workspace.id}`)).expect(200).data.status;

/** A user with a workspace that may be woken, and the cookie of its application. */
async function sleeper(fields = {}) {
  const user = await server.user();
  const workspace = await user.createWorkspace({ wakeOnRequest: true, ...fields });
  const { url } = (await user.post(`/api/workspaces/${workspace.id}/proxy-ticket`, {})).expect(201).data;
  const opened = (await exchange(server.apps, 'GET', new URL(url).pathname + new URL(url).search)).expect(303);
  const cookie = { Cookie: opened.headers['set-cookie'][0].split(';')[0] };
  const path = `/${workspace.id}/8080/`;
  const go = (headers = navigation, rest = '') => exchange(server.apps, 'GET', path + rest, { headers: { ...cookie, ...headers } });
  return { user, workspace, cookie, path, go };
}
const lookOf = (page) => page.text.match(/data-look="([^"]+)"/)[1].replaceAll('&amp;', '&');
const follow = (s, page, headers = {}) => exchange(server.apps, 'GET', lookOf(page), { headers: { ...s.cookie, Accept: 'application/json', ...headers } });
const upgrade = (origin, path, headers) => new Promise((resolve, reject) => {
  const socket = new WebSocket(origin.replace('http', 'ws') + path, { headers });
  socket.on('open', () => resolve(101) || socket.terminate()).on('unexpected-response', (_, response) => resolve(response.statusCode)).on('error', reject);
});

test('the setting is the workspace\'s, off unless it is asked for, and strict', async () => {
  const user = await server.user();
  const plain = await user.createWorkspace();
  assert.equal(plain.wakeOnRequest, false);
  assert.equal((await user.createWorkspace({ wakeOnRequest: null })).wakeOnRequest, false);
  const woken = await user.createWorkspace({ wakeOnRequest: true });
  assert.equal(woken.wakeOnRequest, true);
  const change = (id, fields) => user.put(`/api/workspaces/${id}`, fields);
  assert.equal((await change(woken.id, { name: 'other' })).expect(200).data.wakeOnRequest, true, 'a change of something else leaves it');
  assert.equal((await change(woken.id, { wakeOnRequest: null })).expect(200).data.wakeOnRequest, true);
  assert.equal((await change(woken.id, { wakeOnRequest: false })).expect(200).data.wakeOnRequest, false);
  assert.equal((await change(plain.id, { wakeOnRequest: true })).expect(200).data.wakeOnRequest, true);
  assert.equal((await user.get(`/api/workspaces/${plain.id}`)).expect(200).data.wakeOnRequest, true);
  for (const odd of ['yes', 1, {}, [], 'true']) {
    assert.equal((await change(plain.id, { wakeOnRequest: odd })).expect(400).body.details[0].field, 'wakeOnRequest');
    (await user.post('/api/workspaces', { type: 'spreadsheet', wakeOnRequest: odd })).expect(400);
  }
  assert.equal((await user.get('/api/workspaces')).expect(200).data.find((each) => each.id === plain.id).wakeOnRequest, true);
  const stranger = await server.user();
  (await stranger.put(`/api/workspaces/${plain.id}`, { wakeOnRequest: false })).expect(404);
});

test('a navigation starts it, shows how far it is, and ends at the application', async () => {
  const s = await sleeper({ type: 'slow', name: 'night & day' });
  const page = (await s.go()).expect(503);
  assert.match(page.headers['content-type'], /^text\/html/);
  assert.match(page.text, /Starting night &amp; day/);
  assert.ok(page.headers['retry-after']);
  const policy = page.headers['content-security-policy'];
  assert.match(policy, /^default-src 'none'/);
  assert.doesNotMatch(policy, /unsafe|https?:/);
  assert.doesNotMatch(page.text, /(src|href)="https?:/);
  const seen = new Set();
  await eventually('the start to be over', async () => {
    const { data } = (await follow(s, page)).expect(200);
    seen.add(data.state);
    if (data.state === 'starting') assert.ok(data.goesOn && data.text, JSON.stringify(data));
    return data.state === 'ready';
  }, { within: patience });
  assert.deepEqual([...seen], ['starting', 'ready']);
  const there = (await exchange(server.apps, 'GET', lookOf(page), { headers: { ...s.cookie, ...navigation } })).expect(303);
  assert.equal(there.headers.location, s.path);
  assert.match((await s.go()).expect(200).text, /testapp/);
  // Requests reach the application a moment before the operation ends.
  const [start, ...more] = await eventually('the operation to end', async () => {
    const all = await operations(s.user, s.workspace);
    return all[0].state === 'running' ? undefined : all;
  }, { within: patience });
  assert.deepEqual(more, []);
  assert.equal(start.kind, 'start');
  assert.equal(start.state, 'succeeded');
  assert.equal(start.requestedBy, s.user.user.id);
});

test('a program with a token starts it, and comes again', async () => {
  const s = await sleeper();
  const asked = (await s.user.application('POST', s.workspace.id, '/files/x', { body: 'x' })).expect(503, 'workspace_starting');
  assert.ok(Number(asked.headers['retry-after']) > 0);
  await eventually('the application to answer', async () => (await s.user.application('GET', s.workspace.id, '/healthz')).status === 200, { within: patience });
  assert.equal((await starts(s.user, s.workspace)).length, 1);
  await s.user.stop(s.workspace.id);
  // By the ways that lead to a default workspace, too.
  (await exchange(server.api, 'GET', '/spreadsheet/', { headers: bearer(s.user) })).expect(503, 'workspace_starting');
  assert.equal((await starts(s.user, s.workspace)).length, 2);
});

test('nothing else does: sockets, what pages fetch, strangers, and where the setting is off', async () => {
  const s = await sleeper();
  const stranger = await server.user();
  const proxied = `/api/workspaces/${s.workspace.id}/proxy/`;
  assert.equal(await upgrade(server.api, `${proxied}ws`, bearer(s.user)), 503);
  assert.equal(await upgrade(server.apps, `${s.path}ws`, { ...s.cookie, ...navigation, Origin: server.apps }), 503);
  for (const headers of [{}, { Accept: '*/*' }, { Accept: 'image/webp,*/*' }, { ...html, 'Sec-Fetch-Mode': 'cors' }, { ...html, 'Sec-Fetch-Mode': 'no-cors' },
    { ...navigation, 'Sec-Purpose': 'prefetch' }, { ...navigation, 'Sec-Fetch-Dest': 'iframe', 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-User': '?1' }]) {
    const answer = (await s.go(headers)).expect(503);
    assert.match(answer.text, /workspace_not_running/, JSON.stringify(headers));
  }
  const posted = (await exchange(server.apps, 'POST', s.path, { headers: { ...s.cookie, ...navigation }, body: 'x' })).expect(503);
  assert.match(posted.text, /workspace_not_running/);
  (await exchange(server.apps, 'GET', s.path, { headers: navigation })).expect(401);
  (await exchange(server.apps, 'GET', s.path, { headers: { ...navigation, Cookie: 'agentdb9_app=nonsense' } })).expect(401);
  (await exchange(server.apps, 'GET', s.path, { headers: { ...navigation, ...bearer(stranger) } })).expect(404);
  (await exchange(server.apps, 'GET', `${s.path}?agentdb9_starting=1`, { headers: bearer(stranger) })).expect(404, 'workspace_not_found');
  (await exchange(server.api, 'GET', proxied, { headers: bearer(stranger) })).expect(404, 'workspace_not_found');
  (await exchange(server.api, 'GET', proxied, { headers: { ...navigation, ...s.cookie } })).expect(401);
  (await s.user.put(`/api/workspaces/${s.workspace.id}`, { wakeOnRequest: false })).expect(200);
  assert.match((await s.go()).expect(503).text, /workspace_not_running/);
  (await exchange(server.api, 'GET', proxied, { headers: bearer(s.user) })).expect(503, 'workspace_not_running');
  assert.deepEqual(await operations(s.user, s.workspace), []);
  assert.deepEqual(await server.engine.containers(s.workspace.id), []);
});

test('a start that fails says why, does not go on by itself, and can be tried again', async () => {
  const s = await sleeper({ type: 'failing' });
  const page = (await s.go()).expect(503);
  const data = await eventually('the start to fail', async () => {
    const { data: now } = (await follow(s, page)).expect(200);
    return now.goesOn ? undefined : now;
  }, { within: patience });
  assert.equal(data.state, 'failed');
  assert.ok(data.note);
  const told = (await follow(s, page, navigation)).expect(503);
  const [failed] = await operations(s.user, s.workspace);
  assert.equal(failed.state, 'failed');
  assert.equal(data.note, failed.error);
  assert.ok(told.text.includes(failed.errorCode), told.text);
  assert.match(told.text, new RegExp(`<a href="${s.path}\\?agentdb9_starting=again">Try again</a>`));
  assert.doesNotMatch(told.text, /http-equiv|<script/);
  await follow(s, page, navigation);
  assert.equal((await starts(s.user, s.workspace)).length, 1, 'looking starts nothing');
  // Nor, for a while, does what comes by itself: programs hear why, and when to come again.
  for (let i = 0; i < 3; i += 1) {
    const asked = (await s.user.application('GET', s.workspace.id, '/')).expect(503, 'workspace_start_failed');
    assert.ok(asked.body.message.includes(failed.error), asked.body.message);
    assert.ok(Number(asked.headers['retry-after']) > 0, asked.headers['retry-after']);
  }
  assert.match((await s.go()).expect(503).text, /did not start.*Try again/s);
  assert.equal((await starts(s.user, s.workspace)).length, 1);
  (await s.go(navigation, '?agentdb9_starting=again')).expect(503);
  assert.equal((await starts(s.user, s.workspace)).length, 2);
});

test('a start that is refused says so on the page and to programs', async () => {
  const user = await server.user();
  const project = await user.createProject();
  const busy = await user.createWorkspace({ projectId: project.id });
  const s = await user.createWorkspace({ projectId: project.id, wakeOnRequest: true });
  await user.start(busy.id);
  const page = await exchange(server.apps, 'GET', `/${s.id}/8080/`, { headers: { ...navigation, ...bearer(user) } });
  page.expect(409);
  assert.match(page.text, /project_in_use/);
  assert.match(page.text, /Try again/);
  (await user.application('GET', s.id, '/')).expect(409, 'project_in_use');
  assert.deepEqual(await operations(user, s), []);
});

test('many at once are one start', async () => {
  const s = await sleeper({ type: 'slow' });
  const answers = await Promise.all(Array.from({ length: 6 }, (_, i) => (i % 2 ? s.go() : s.user.application('GET', s.workspace.id, '/healthz'))));
  assert.ok(answers.some((each) => each.status === 503));
  await eventually('it to run', async () => (await state(s.user, s.workspace)) === 'running', { within: patience });
  assert.equal((await operations(s.user, s.workspace)).length, 1);
  assert.equal((await server.engine.containers(s.workspace.id)).length, 1);
});

test('stopped while the page follows the start, it stays stopped', async () => {
  const s = await sleeper({ type: 'slow' });
  const page = (await s.go()).expect(503);
  assert.equal((await follow(s, page)).expect(200).data.state, 'starting');
  await s.user.stop(s.workspace.id);
  const { data } = (await follow(s, page)).expect(200);
  assert.equal(data.state, 'stopped');
  assert.equal(data.goesOn, false);
  const told = (await follow(s, page, navigation)).expect(503);
  assert.match(told.text, /Start it/);
  assert.doesNotMatch(told.text, /http-equiv|<script/);
  (await s.go({ Accept: '*/*', 'Sec-Fetch-Mode': 'cors' })).expect(503, 'workspace_not_running');
  assert.equal(await state(s.user, s.workspace), 'stopped');
  assert.deepEqual((await operations(s.user, s.workspace)).map((each) => each.kind), ['stop', 'start']);
  assert.deepEqual(await server.engine.running(s.workspace.id), []);
});
