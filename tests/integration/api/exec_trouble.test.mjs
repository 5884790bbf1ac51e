// Commands whose workspace, permission, engine or server goes from under them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';

import { begins, ends, exec, execStream, longSleep, running as runs } from '../../support/commands.mjs';
import { EngineProxy } from '../../support/engine_proxy.mjs';
import { eventually } from '../../support/eventually.mjs';
import { startServer } from '../../support/server.mjs';
import { Terminal } from '../../support/terminal.mjs';

const shellless = `agentdb9-test-no-shell:${process.pid}`;
let proxy, server, user;
before(async () => {
  // An application that lives, in an image where nothing else can be run.
  execFileSync('docker', ['build', '-q', '-t', shellless, '-'], { input: 'FROM agentdb9/testapp:local\nUSER 0\nRUN rm /bin/sh\nUSER 1000\n', env: { ...process.env, DOCKER_BUILDKIT: '0' } });
  proxy = await new EngineProxy().open();
  server = await startServer({
    environment: { DOCKER_HOST: proxy.host },
    toml: `[workspaceTypes.shellless]\ncontainerImage = "${shellless}"\ndefaultPort = 8080\n[workspaceTypes.shellless.healthCheck]\npath = "/healthz"\n`,
  });
  user = await server.user('runner');
});
after(async () => {
  await server.close();
  await proxy.remove();
  execFileSync('docker', ['rmi', '-f', shellless], { stdio: 'ignore' });
});

async function running() {
  const workspace = await user.createWorkspace();
  await user.start(workspace.id);
  return { workspace, container: (await server.engine.running(workspace.id))[0].Id };
}
const path = (workspace) => `/api/workspaces/${workspace.id}/exec`;
const stream = async (workspace, command) => {
  const opened = await execStream(user, workspace, { command: `echo on; ${command}`, timeoutSeconds: 3600 });
  await eventually('its first words', () => opened.text() === 'on\n');
  return opened;
};

test('a stop, a restart and a switch end it, and say so, collected and streamed', async () => {
  const { workspace } = await running();
  const other = await user.createProject();
  for (const change of [
    () => user.post(`/api/workspaces/${workspace.id}/restart`),
    () => user.switchProject(workspace.id, other.id),
    () => user.stop(workspace.id),
  ]) {
    const container = (await server.engine.running(workspace.id))[0].Id;
    const sleep = longSleep();
    const streamed = await stream(workspace, sleep);
    const collected = user.post(path(workspace), { command: `echo some; ${sleep}`, timeoutSeconds: 3600 });
    await eventually('both to run', () => execFileSync('docker', ['exec', container, 'ps', '-o', 'args'], { encoding: 'utf8' }).split('\n').filter((line) => line === sleep).length === 2);
    await change();
    const { data } = (await collected).expect(200);
    assert.deepEqual([data.exitCode === 0, data.stdout, data.endedBy], [false, 'some\n', 'workspace_stopped']);
    await eventually('the stream to end', () => streamed.ended);
    assert.equal(streamed.of('exit')[0].endedBy, 'workspace_stopped');
  }
  (await user.post(path(workspace), { command: 'true' })).expect(409, 'workspace_not_running');
});

test('a container that dies or is removed behind the server\'s back', async () => {
  const { workspace, container } = await running();
  const first = await stream(workspace, longSleep());
  await server.engine.kill(container);
  await eventually('the stream to end', () => first.ended);
  assert.equal(first.of('exit')[0].endedBy, 'workspace_stopped');
  const again = await eventually('it to be made again', async () => (await exec(user, workspace, 'echo back')).stdout === 'back\n' && (await server.engine.running(workspace.id))[0].Id, { within: 30_000 });
  const second = await stream(workspace, longSleep());
  await server.engine.remove(again);
  await eventually('the stream to end', () => second.ended);
  assert.equal(second.of('exit')[0].endedBy, 'workspace_stopped');
});

test('it ends with the logout and the revoked token of whoever began it', async () => {
  const { workspace, container } = await running();
  const [one, two] = [longSleep(), longSleep()];
  const session = await server.login(user.user.email, user.password);
  const collected = session.post(path(workspace), { command: one, timeoutSeconds: 3600 });
  const token = (await user.post('/api/auth/tokens', { name: 'robot' })).expect(201).data;
  const streamed = await execStream(user.with(token.token), workspace, { command: two, timeoutSeconds: 3600 });
  await begins(container, one);
  await begins(container, two);
  (await session.post('/api/auth/logout', {})).expect(200);
  assert.equal((await collected).expect(200).data.endedBy, 'signed_out');
  (await user.delete(`/api/auth/tokens/${token.id}`)).expect(200);
  await ends(container, one);
  await ends(container, two);
  streamed.close();
});

test('who logs out before it has begun has nothing begun', async () => {
  const { workspace, container } = await running();
  const [sleep, session] = [longSleep(), await server.login(user.user.email, user.password)];
  // Where it is to run is looked for.
  const looks = /^GET \/v[\d.]+\/containers\/json/;
  proxy.hold(looks);
  const asked = proxy.requests.length;
  const command = session.post(path(workspace), { command: sleep, timeoutSeconds: 3600 });
  const terminal = Terminal.open(session, workspace).catch((error) => error);
  await eventually('both to be looked for', () => proxy.requests.slice(asked).filter((each) => looks.test(each)).length >= 2);
  (await session.post('/api/auth/logout', {})).expect(200);
  proxy.release();
  (await command).expect(401, 'token_revoked');
  assert.equal((await terminal).status, 401);
  assert.ok(!runs(container, sleep));
  assert.deepEqual((await user.get(`/api/workspaces/${workspace.id}/terminals`)).data, []);
});

test('an image without a shell is told so, and runs nothing', async () => {
  const workspace = await user.createWorkspace({ type: 'shellless' });
  await user.start(workspace.id);
  (await user.post(path(workspace), { command: ['/bin/testapp'] })).expect(409, 'no_shell');
  await assert.rejects(Terminal.open(user, workspace), (error) => error.status === 409 && error.body.code === 'no_shell');
  assert.deepEqual((await user.get(`/api/workspaces/${workspace.id}/terminals`)).data, []);
});

test('an engine that goes away is told at once; what ran is ended when it is back', async () => {
  const { workspace, container } = await running();
  const sleep = longSleep();
  const streamed = await stream(workspace, sleep);
  const terminal = await Terminal.open(user, workspace);
  await proxy.close();
  await eventually('the stream to end', () => streamed.ended);
  assert.equal(streamed.of('failed')[0].code, 'runtime_unavailable');
  assert.equal((await terminal.ends()).code, 1000);
  assert.equal(terminal.words.at(-1).endedBy, 'engine_lost');
  (await user.post(path(workspace), { command: 'true' })).expect(503, 'runtime_unavailable');
  await proxy.open();
  await ends(container, sleep);
  await eventually('commands to run again', async () => (await user.post(path(workspace), { command: 'true' })).status === 200);
});

test('an engine that hangs does not hold a caller for ever', async () => {
  const { workspace } = await running();
  proxy.hang();
  const answer = await user.post(path(workspace), { command: 'true' });
  assert.ok([503, 504].includes(answer.status), answer.text);
  await proxy.recover();
});

test('the end of the server ends commands first, and answers those who wait', async () => {
  const { workspace, container } = await running();
  const sleep = longSleep();
  const collected = user.post(path(workspace), { command: `echo some; ${sleep}`, timeoutSeconds: 3600 }, { agent: false });
  await begins(container, sleep);
  const ended = server.terminate();
  const { data } = (await collected).expect(200);
  assert.deepEqual([data.endedBy, data.stdout], ['shutting_down', 'some\n']);
  assert.deepEqual(await ended, { code: 0, signal: null });
  await ends(container, sleep);
});
