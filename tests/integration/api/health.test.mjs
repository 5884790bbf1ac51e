// What the server does about an application that stops answering, or ends again and again, on the real engine.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, beforeEach, test } from 'node:test';

import { eventually } from '../../support/eventually.mjs';
import { startServer, testType } from '../../support/server.mjs';

const image = `agentdb9/test-health-${process.pid}:local`;
const check = (more = '') => `interval = 1\ntimeout = 1\nretries = 2\n${more}`;
let server, user;

before(async () => {
  // The test application with a check of its own, which fails where the volume holds a file "ill".
  execFileSync('docker', ['build', '-q', '-t', image, '-'], {
    input: 'FROM agentdb9/testapp:local\nHEALTHCHECK --interval=1s --timeout=2s --retries=1 CMD ["/bin/sh", "-c", "if ls /workspace/ill 2>/dev/null; then false; fi"]\n',
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  server = await startServer({
    toml: testType('watched', {}) + check() + testType('alone', {}) + check('restart = false\n') +
      testType('checked', {}).replace('agentdb9/testapp:local', image) + 'interval = 3600\n',
  });
});
beforeEach(async () => (user = await server.user()));
after(async () => {
  await server.close();
  execFileSync('docker', ['rmi', '-f', image], { stdio: 'ignore' });
});

const container = (workspace) => `agentdb9-workspace-${workspace.id}`;
const inside = (workspace, script) => execFileSync('docker', ['exec', container(workspace), 'sh', '-c', script], { encoding: 'utf8' });
// The application itself, which is the child of the init process.
const signal = (workspace, name) => inside(workspace, `for each in /proc/[0-9]*; do read -r line < $each/comm; if [ "$line" = testapp ]; then kill -${name} \${each#/proc/}; fi; done`);
const history = async (workspace) => (await user.get(`/api/workspaces/${workspace.id}/history?limit=200`)).expect(200).data.reverse();
const kinds = async (workspace) => (await history(workspace)).map((each) => each.kind);
const health = async (workspace) => (await user.get(`/api/workspaces/${workspace.id}/health`)).expect(200).data;
const status = async (workspace) => (await user.get(`/api/workspaces/${workspace.id}/status`)).expect(200).data;
const running = async (type) => {
  const workspace = await user.createWorkspace({ type });
  await user.start(workspace.id);
  return workspace;
};
const long = { within: 60_000 };

test('an application that answers no more is restarted, on its own files', async () => {
  const workspace = await running('watched');
  inside(workspace, 'echo kept > /workspace/note');
  const before_ = await server.engine.inspect(container(workspace));
  signal(workspace, 'STOP');
  await eventually('the restart', async () => (await kinds(workspace)).includes('healthy'), long);
  const now = await server.engine.inspect(container(workspace));
  assert.equal(now.Id, before_.Id);
  assert.notEqual(now.State.StartedAt, before_.State.StartedAt);
  assert.equal(inside(workspace, 'cat /workspace/note'), 'kept\n');
  const told = await history(workspace);
  assert.deepEqual(told.map((each) => each.kind), ['created', 'start_requested', 'started', 'unhealthy', 'restarted_by_server', 'recovered', 'healthy']);
  assert.deepEqual(told[4].by, { kind: 'server', id: null });
  const seen = await health(workspace);
  assert.equal(seen.status, 'healthy');
  assert.equal(seen.restarts, 1);
  assert.equal(seen.unhealthySince, null);
  assert.equal(seen.lastExit, null, 'what the server ended did not crash');
});

test('one whose type says so is left to itself, and told', async () => {
  const workspace = await running('alone');
  const before_ = await server.engine.inspect(container(workspace));
  signal(workspace, 'STOP');
  await eventually('to be seen', async () => (await health(workspace)).unhealthySince !== null, long);
  const seen = await health(workspace);
  assert.equal(seen.status, 'unhealthy');
  assert.equal(seen.checks.find((each) => each.name === 'application').passed, false);
  assert.equal((await status(workspace)).health, 'unhealthy');
  signal(workspace, 'CONT');
  await eventually('to answer again', async () => (await health(workspace)).status === 'healthy', long);
  await eventually('to be told', async () => (await kinds(workspace)).at(-1) === 'healthy', long);
  assert.equal((await server.engine.inspect(container(workspace))).State.StartedAt, before_.State.StartedAt);
});

test('the image\'s own check counts', async () => {
  const workspace = await running('checked');
  await eventually('the first check', async () => (await health(workspace)).checks.some((each) => each.name === 'image' && each.passed), long);
  inside(workspace, 'touch /workspace/ill');
  await eventually('the restart', async () => (await kinds(workspace)).includes('restarted_by_server'), long);
  const event = (await history(workspace)).find((each) => each.kind === 'restarted_by_server');
  assert.match(event.why, /health check of its image/);
  await eventually('it to be up again', async () => (await kinds(workspace)).includes('recovered'), long);
  inside(workspace, 'rm -f /workspace/ill');
  await user.stop(workspace.id);
});

test('an application that ends by itself is told with its exit code, and given up when it does so again and again', async () => {
  const workspace = await running('watched');
  const told = async () => (await history(workspace)).filter((each) => each.kind === 'crashed');
  for (let i = 1; i <= 5; ++i) {
    await eventually('it to run', async () => (await server.engine.inspect(container(workspace))).State.Running, long);
    await eventually('its end', async () => {
      try {
        signal(workspace, 'KILL');
      } catch {}
      return (await told()).length >= i;
    }, long);
    if (i !== 1) continue;
    const [first] = await told();
    assert.equal(first.details.exitCode, 137);
    assert.equal(first.details.outOfMemory, false);
    assert.deepEqual(first.by, { kind: 'server', id: null });
    const seen = await status(workspace);
    assert.equal(seen.lastExit.exitCode, 137);
    assert.ok(seen.recentCrashes >= 1);
  }
  await eventually('it to be given up', async () => (await status(workspace)).status === 'error', long);
  const row = (await user.get(`/api/workspaces/${workspace.id}`)).expect(200).data;
  assert.match(row.lastError, /ended by itself \d+ times within 10 minutes; the last time it ended with exit code 137/);
  await eventually('it to be stopped', async () => (await server.engine.running(workspace.id)).length === 0, long);
  await user.start(workspace.id);
  assert.equal((await status(workspace)).status, 'running');
  assert.equal((await status(workspace)).recentCrashes, 0);
  assert.equal((await told()).length, 5, 'they are told still');
});

test('a stop, a restart and a stop by somebody at the engine are no crashes', async () => {
  const workspace = await running('watched');
  (await user.post(`/api/workspaces/${workspace.id}/restart`)).expect(200);
  execFileSync('docker', ['restart', '-t', '1', container(workspace)], { stdio: 'ignore' });
  await eventually('it to be up again', async () => (await health(workspace)).status === 'healthy', long);
  await user.stop(workspace.id);
  assert.ok(!(await kinds(workspace)).includes('crashed'), (await kinds(workspace)).join());
});
