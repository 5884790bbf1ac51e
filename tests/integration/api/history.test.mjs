// What happened in a workspace's life: who asked, what came of it, and what happened by itself.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';

import { ApiClient, exchange } from '../../support/api_client.mjs';
import { EventStream } from '../../support/event_stream.mjs';
import { eventually } from '../../support/eventually.mjs';
import { Person } from '../../support/person.mjs';
import { startServer, testType } from '../../support/server.mjs';

let server, user;
before(async () => {
  server = await startServer({ toml: testType('failing', { FAIL_START: 1 }) });
});
beforeEach(async () => (user = await server.user()));
after(() => server.close());

const history = async (workspace, caller = user, query = '') => (await caller.get(`/api/workspaces/${workspace.id}/history${query}`)).expect(200).data;
const kinds = (events) => events.map((each) => each.kind);

test('each request and what came of it is told, with who asked and the operation', async () => {
  const workspace = await user.createWorkspace();
  const project = await user.createProject();
  await user.start(workspace.id);
  (await user.post(`/api/workspaces/${workspace.id}/restart`)).expect(200);
  (await user.post(`/api/workspaces/${workspace.id}/switch-project`, { projectId: project.id })).expect(200);
  (await user.put(`/api/workspaces/${workspace.id}`, { name: 'another name' })).expect(200);
  await user.stop(workspace.id);
  const events = (await history(workspace)).reverse();
  assert.deepEqual(kinds(events), ['created', 'start_requested', 'started', 'restart_requested', 'restarted', 'switch_requested', 'switched',
    'settings_changed', 'stop_requested', 'stopped']);
  for (const event of events) {
    assert.deepEqual(event.by, { kind: 'user', id: user.user.id }, event.kind);
    assert.ok(event.why.endsWith('.'), event.why);
  }
  const operations = (await user.get(`/api/workspaces/${workspace.id}/operations`)).expect(200).data;
  const of = (kind) => operations.find((each) => each.kind === kind).id;
  assert.deepEqual(events.filter((each) => each.operationId).map((each) => each.operationId),
    ['start', 'start', 'restart', 'restart', 'switch', 'switch', 'stop', 'stop'].map(of));
  assert.equal(events[5].details.projectId, project.id);
  assert.deepEqual(events[7].details, { name: 'another name' });
});

test('an API token is told apart from its user, and a request that changes nothing is none', async () => {
  const workspace = await user.createWorkspace();
  const made = (await user.post('/api/auth/tokens', { name: 'robot' })).expect(201).data;
  const robot = new ApiClient(server, { token: made.token, user: user.user });
  (await robot.post(`/api/workspaces/${workspace.id}/start`)).expect(200);
  const events = await history(workspace);
  assert.deepEqual(kinds(events), ['started', 'start_requested', 'created']);
  for (const event of events.slice(0, 2)) assert.deepEqual(event.by, { kind: 'token', id: made.id });
  await Promise.all([1, 2, 3].map(() => user.stop(workspace.id)));
  const asked = kinds(await history(workspace)).filter((each) => each === 'stop_requested');
  assert.ok(asked.length >= 1 && asked.length <= 3, 'those who join an operation under way are not told');
});

test('a failure is told with its reason and code', async () => {
  const workspace = await user.createWorkspace({ type: 'failing' });
  (await user.post(`/api/workspaces/${workspace.id}/start`)).expect(502);
  const failed = (await history(workspace)).find((each) => each.kind === 'failed');
  assert.equal(failed.details.operation, 'start');
  assert.equal(failed.details.code, 'application_ended');
  assert.match(failed.why, /ended while it was being started/);
});

test('what a start of an application\'s request was is told as such', async () => {
  const workspace = await user.createWorkspace({ wakeOnRequest: true });
  await exchange(server.api, 'GET', `/api/workspaces/${workspace.id}/proxy/`, { headers: { Authorization: `Bearer ${user.token}` } });
  await eventually('the start', async () => kinds(await history(workspace))[0] === 'started');
  assert.deepEqual(kinds(await history(workspace)), ['started', 'woken', 'created']);
});

test('it comes in pages, is its owner\'s alone, and wrong questions are told so', async () => {
  const workspace = await user.createWorkspace();
  for (let i = 0; i < 5; ++i) (await user.put(`/api/workspaces/${workspace.id}`, { name: `name ${i}` })).expect(200);
  const seen = [];
  for (let cursor; ;) {
    const page = (await user.get(`/api/workspaces/${workspace.id}/history?limit=2${cursor ? `&cursor=${cursor}` : ''}`)).expect(200);
    seen.push(...page.data);
    cursor = page.body.nextCursor;
    if (!cursor) break;
    assert.equal(page.data.length, 2);
  }
  assert.deepEqual(seen, await history(workspace));
  assert.deepEqual(seen.map((each) => each.details.name ?? each.kind), ['name 4', 'name 3', 'name 2', 'name 1', 'name 0', 'created']);
  const stranger = await server.user();
  (await stranger.get(`/api/workspaces/${workspace.id}/history`)).expect(404);
  (await user.get(`/api/workspaces/${randomUUID()}/history`)).expect(404);
  (await user.get('/api/workspaces/none/history')).expect(400);
  (await user.get(`/api/workspaces/${workspace.id}/history?limit=0`)).expect(400);
  (await user.get(`/api/workspaces/${workspace.id}/history?cursor=wrong`)).expect(400);
});

test('a deleted workspace that comes back from the trash knows its life still', async () => {
  const workspace = await user.createWorkspace({ type: 'vscode' });
  await user.start(workspace.id);
  (await user.delete(`/api/workspaces/${workspace.id}`)).expect(200);
  (await user.get(`/api/workspaces/${workspace.id}/history`)).expect(404);
  const [home] = (await user.get('/api/trash')).expect(200).data.filter((each) => each.kind === 'home');
  (await user.post(`/api/trash/${home.id}/restore`)).expect(200);
  assert.deepEqual(kinds(await history(workspace)), ['restored', 'deleted', 'delete_requested', 'started', 'start_requested', 'created']);
});

test('who follows events hears of it', async () => {
  const workspace = await user.createWorkspace();
  const stream = await EventStream.open(user, `/api/workspaces/${workspace.id}/events`);
  await eventually('the beginning', () => stream.of('snapshot').length === 1);
  assert.deepEqual(stream.of('history'), [], 'what happened before is no news');
  await user.start(workspace.id);
  await eventually('the start', () => kinds(stream.of('history')).includes('started'));
  assert.deepEqual(new Set(kinds(stream.of('history'))), new Set(['start_requested', 'started']));
  server.contract.fits('LifeEvent', stream.of('history')[0]);
  stream.close();
});

test('the command line shows it', async () => {
  const workspace = await user.createWorkspace({ name: 'mine' });
  await user.start(workspace.id);
  const person = new Person();
  await person.login(server, user);
  const shown = (await person.run('workspaces', 'history', 'mine')).expect(0).stdout;
  assert.match(shown, /WHAT +BY +WHY/);
  assert.match(shown, /started +user +Its application answers\./);
  const rows = JSON.parse((await person.run('workspaces', 'history', 'mine', '--json', '--limit', '1')).expect(0).stdout);
  assert.deepEqual(kinds(rows), ['started']);
});
