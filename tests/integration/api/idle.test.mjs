// A workspace that nobody uses is stopped; one that works is not; each says why.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';
import WebSocket from 'ws';

import { exchange } from '../../support/api_client.mjs';
import { EventStream } from '../../support/event_stream.mjs';
import { eventually } from '../../support/eventually.mjs';
import { Person } from '../../support/person.mjs';
import { startServer, testType } from '../../support/server.mjs';

let server, user;
before(async () => {
  server = await startServer({
    toml: testType('idle', {}, 'idleStopMinutes = 0.15') + '[idle]\ncheckSeconds = 1\nwarningSeconds = 3\nleastMinutes = 2\nmostMinutes = 600\nkeepAliveSeconds = 3600\n',
  });
});
beforeEach(async () => (user = await server.user()));
after(() => server.close());

const long = { within: 90_000 };
const running = async (type = 'idle') => {
  const workspace = await user.createWorkspace({ type });
  await user.start(workspace.id);
  return workspace;
};
const activity = async (workspace, caller = user) => (await caller.get(`/api/workspaces/${workspace.id}/activity`)).expect(200).data;
const history = async (workspace) => (await user.get(`/api/workspaces/${workspace.id}/history`)).expect(200).data.reverse();
const kinds = (events) => events.map((each) => each.kind);
const status = async (workspace) => (await user.get(`/api/workspaces/${workspace.id}`)).expect(200).data.status;
const keepAlive = (workspace, body, caller = user) => caller.post(`/api/workspaces/${workspace.id}/keep-alive`, body);

test('an idle one is warned of and stopped; one that is used in any way is not', async () => {
  const [talking, busy, asked, kept, commanded] = [await running(), await running(), await running(), await running(), await running()];
  // It waits, uses nothing and says nothing; it ends with its client.
  const gone = new AbortController();
  const command = fetch(`${server.api}/api/workspaces/${commanded.id}/exec`, { method: 'POST', signal: gone.signal, headers: { Authorization: `Bearer ${user.token}`, 'Content-Type': 'application/json' }, body: JSON.stringify({ command: ['sleep', '600'], timeoutSeconds: 600 }) }).catch(() => {});
  const socket = new WebSocket(`${server.api.replace('http', 'ws')}/api/workspaces/${talking.id}/proxy/ws`, { headers: { Authorization: `Bearer ${user.token}` } });
  await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
  const chat = setInterval(() => socket.send('still here'), 500);
  execFileSync('docker', ['exec', '-d', `agentdb9-workspace-${busy.id}`, 'sh', '-c', 'while true; do :; done']);
  const requests = setInterval(() => exchange(server.api, 'GET', `/api/workspaces/${asked.id}/proxy/`, { headers: { Authorization: `Bearer ${user.token}` } }).catch(() => {}), 1000);
  (await keepAlive(kept, { seconds: 600 })).expect(200);
  try {
    // The last to start: whoever is idle with it would have been stopped before it.
    const idle = await running();
    const stream = await EventStream.open(user, `/api/workspaces/${idle.id}/events`);
    const fresh = await activity(idle);
    assert.equal(fresh.idleStopMinutes, 0.15);
    assert.equal(fresh.setBy, 'type');
    assert.deepEqual(fresh.keptOnBy.map((each) => each.source), ['start']);
    assert.ok(fresh.willStopAt > fresh.lastActivityAt);
    await eventually('the warning', () => kinds(stream.of('history')).includes('idle_warning'), long);
    await eventually('the stop', async () => (await status(idle)) === 'stopped', long);
    stream.close();
    const told = await history(idle);
    assert.deepEqual(kinds(told), ['created', 'start_requested', 'started', 'idle_warning', 'idle_stopped', 'stopped']);
    const stopped = await activity(idle);
    assert.equal(stopped.running, false);
    assert.equal(stopped.lastStop.kind, 'idle_stopped');
    assert.deepEqual(stopped.lastStop.by, { kind: 'server', id: null });
    assert.match(stopped.lastStop.why, /Nobody has used it since .* idle time of 9 seconds/);
    assert.deepEqual(stopped.keptOnBy, []);
    const operation = (await user.get(`/api/workspaces/${idle.id}/operations`)).expect(200).data[0];
    assert.equal(operation.requestedBy, null, 'the server itself');

    for (const [workspace, source] of [[talking, 'sockets'], [busy, 'processor'], [asked, 'requests'], [kept, 'keep-alive'], [commanded, 'execution']]) {
      assert.equal(await status(workspace), 'running', source);
      const seen = await activity(workspace);
      assert.ok(seen.keptOnBy.some((each) => each.source === source), `${source}: ${JSON.stringify(seen)}`);
      assert.ok(!kinds(await history(workspace)).includes('idle_stopped'), source);
    }
  } finally {
    clearInterval(chat);
    clearInterval(requests);
    gone.abort();
    await command;
    socket.terminate();
  }
  // Nobody talks to it any more.
  await eventually('the stop of what was used', async () => (await status(talking)) === 'stopped', long);
  (await keepAlive(kept, { seconds: 0 })).expect(200);
  await eventually('the stop of what was kept', async () => (await status(kept)) === 'stopped', long);
});

test('a workspace has its own idle time within the operator\'s bounds', async () => {
  const workspace = await running('spreadsheet');
  const before_ = await activity(workspace);
  assert.equal(before_.idleStopMinutes, null, 'never, by default');
  assert.equal(before_.willStopAt, null);
  assert.deepEqual(before_.keptOnBy.map((each) => each.source), ['setting']);
  const put = (idleStopMinutes) => user.put(`/api/workspaces/${workspace.id}`, { idleStopMinutes });
  assert.equal((await put(30)).expect(200).data.idleStopMinutes, 30);
  const now = await activity(workspace);
  assert.equal(now.idleStopMinutes, 30);
  assert.equal(now.setBy, 'workspace');
  for (const wrong of [1, 601, 0, -1, 2.5, '30', 600_000, {}]) {
    const answer = (await put(wrong)).expect(400, 'invalid_field');
    assert.equal(answer.body.details[0].field, 'idleStopMinutes', JSON.stringify(wrong));
  }
  assert.equal((await put(null)).expect(200).data.idleStopMinutes, null);
  assert.equal((await activity(workspace)).setBy, 'type');
  const told = await history(workspace);
  assert.deepEqual(told.filter((each) => each.kind === 'settings_changed').map((each) => each.details), [{ idleStopMinutes: 30 }, { idleStopMinutes: null }]);
});

test('a lease is bounded, its owner\'s alone, and of a running workspace only', async () => {
  const workspace = await running('spreadsheet');
  const stranger = await server.user();
  (await keepAlive(workspace, { seconds: 60 }, stranger)).expect(404);
  (await stranger.get(`/api/workspaces/${workspace.id}/activity`)).expect(404);
  (await keepAlive({ id: randomUUID() }, { seconds: 60 })).expect(404);
  for (const wrong of [{}, { seconds: -1 }, { seconds: 3601 }, { seconds: 1.5 }, { seconds: '60' }, { seconds: null }, { seconds: 60, more: 1 }]) (await keepAlive(workspace, wrong)).expect(400, 'invalid_field');
  const answers = await Promise.all([keepAlive(workspace, { seconds: 600 }), keepAlive(workspace, { seconds: 1200 }), keepAlive(workspace, { seconds: 60 })]);
  for (const answer of answers) answer.expect(200);
  const until = (await activity(workspace)).keepAliveUntil;
  assert.equal(until, answers.map((each) => each.data.keepAliveUntil).sort().at(-1), 'the longest of those at once');
  assert.equal((await history(workspace)).filter((each) => each.kind === 'kept_alive').length, 1);
  assert.equal((await keepAlive(workspace, { seconds: 0 })).expect(200).data.keepAliveUntil, null);
  await user.stop(workspace.id);
  (await keepAlive(workspace, { seconds: 60 })).expect(409, 'workspace_not_running');
  assert.equal((await activity(workspace)).lastStop.kind, 'stop_requested');
});

test('the command line keeps it on and says why it is on', async () => {
  const workspace = await user.createWorkspace({ name: 'mine' });
  await user.start(workspace.id);
  const person = new Person();
  await person.login(server, user);
  assert.match((await person.run('workspaces', 'keep-alive', 'mine', '--seconds', '900')).expect(0).stdout, /'mine' is kept on until .* \(UTC\) at least\./);
  const shown = (await person.run('workspaces', 'activity', 'mine')).expect(0).stdout;
  assert.match(shown, /kept on by +setting: It has no idle time/);
  assert.equal(JSON.parse((await person.run('workspaces', 'activity', 'mine', '--json')).expect(0).stdout).running, true);
  assert.match((await person.run('workspaces', 'keep-alive', 'mine', '--seconds', '0')).expect(0).stdout, /not kept on any more/);
});
