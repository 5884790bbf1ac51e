// Two servers on one database: use that one of them sees keeps a workspace on, whichever stops the others; an
// unhealthy application is restarted by one of them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';

import { ApiClient } from '../../support/api_client.mjs';
import { eventually } from '../../support/eventually.mjs';
import { startPostgres } from '../../support/postgres_server.mjs';
import { startServer, testType } from '../../support/server.mjs';

const toml = testType('idle', {}, 'idleStopMinutes = 0.15') + 'interval = 1\ntimeout = 1\nretries = 2\n[idle]\ncheckSeconds = 1\nwarningSeconds = 3\n';
const long = { within: 120_000, every: 100 };

let postgres, a, b, user, byB;
before(async () => {
  postgres = await startPostgres();
  a = await startServer({ toml, postgres });
  b = await startServer({ toml, beside: a });
  user = await a.user();
  byB = new ApiClient(b, user);
});
after(async () => {
  await Promise.all([a?.close(), b?.close()]);
  await postgres?.close();
});

const running = async () => {
  const workspace = await user.createWorkspace({ type: 'idle' });
  await user.start(workspace.id);
  return workspace;
};
const history = async (workspace) => (await user.get(`/api/workspaces/${workspace.id}/history`)).expect(200).data.reverse();
const kinds = async (workspace) => (await history(workspace)).map((each) => each.kind);
const count = (all, kind) => all.filter((each) => each === kind).length;

test('a workspace that is used by way of one server only is not stopped by the other', async () => {
  const used = await running();
  // What one server started the other follows within moments.
  await eventually('the other server to reach it', async () => (await byB.application('GET', used.id, '/healthz')).status === 200, long);
  const socket = new WebSocket(`${b.api.replace('http', 'ws')}/api/workspaces/${used.id}/proxy/ws`, { headers: { Authorization: `Bearer ${user.token}` } });
  await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
  const chat = setInterval(() => socket.send('still here'), 300);
  try {
    const idle = await running();
    await eventually('the idle one to be stopped', async () => (await kinds(idle)).includes('stopped'), long);
    assert.equal(count(await kinds(idle), 'idle_warning'), 1, 'by one of them');
    assert.equal(count(await kinds(idle), 'idle_stopped'), 1);
    assert.equal((await user.get(`/api/workspaces/${used.id}`)).expect(200).data.status, 'running');
    for (const caller of [user, byB]) {
      const seen = (await caller.get(`/api/workspaces/${used.id}/activity`)).expect(200).data;
      assert.ok(seen.keptOnBy.some((each) => each.source === 'sockets'), JSON.stringify(seen));
    }
  } finally {
    clearInterval(chat);
    socket.terminate();
  }
});

test('an application that answers no more is restarted by one of them, and its end is told once', async () => {
  const workspace = await running();
  (await user.post(`/api/workspaces/${workspace.id}/keep-alive`, { seconds: 600 })).expect(200);
  const inside = (name) => execFileSync('docker', ['exec', `agentdb9-workspace-${workspace.id}`, 'sh', '-c',
    `for each in /proc/[0-9]*; do read -r line < $each/comm; if [ "$line" = testapp ]; then kill -${name} \${each#/proc/}; fi; done`]);
  inside('STOP');
  await eventually('the restart', async () => (await kinds(workspace)).includes('recovered'), long);
  await eventually('it to be well', async () => (await kinds(workspace)).includes('healthy'), long);
  const all = await kinds(workspace);
  assert.equal(count(all, 'unhealthy'), 1, all.join());
  assert.equal(count(all, 'restarted_by_server'), 1, all.join());
  for (const caller of [user, byB]) await eventually('both to see it well', async () => (await caller.get(`/api/workspaces/${workspace.id}/health`)).expect(200).data.status === 'healthy', long);
  try {
    inside('KILL');
  } catch {
    // The container, and this command with it, has ended before the command could tell.
  }
  await eventually('its end to be told', async () => (await kinds(workspace)).includes('crashed'), long);
  await eventually('it to be up again', async () => (await byB.get(`/api/workspaces/${workspace.id}/health`)).expect(200).data.status === 'healthy', long);
  assert.equal(count(await kinds(workspace), 'crashed'), 1);
});
