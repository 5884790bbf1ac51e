// The end of the process, asked for: what is under way is finished, and nothing else is broken.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

import { exchange } from '../../support/api_client.mjs';
import { eventually } from '../../support/eventually.mjs';
import { startServer, testType, userPassword } from '../../support/server.mjs';

let server;
beforeEach(async () => (server = await startServer({ toml: testType('slow', { START_DELAY: 2000 }) })));
afterEach(() => server.close());

for (const signal of ['SIGTERM', 'SIGINT']) {
  test(`${signal} lets requests under way finish, takes no new ones, and exits 0`, async () => {
    const user = await server.user();
    const workspace = await user.createWorkspace();
    await user.start(workspace.id);
    const slow = user.application('GET', workspace.id, '/slow?ms=1500', { agent: false });
    await eventually('it to be under way', async () => /relays_in_flight 1/.test((await user.get('/metrics')).text));
    const began = Date.now();
    server.process.kill(signal);
    await eventually('new connections to be refused', () => exchange(server.api, 'GET', '/healthz', { agent: false }).then(() => false, () => true));
    assert.equal((await slow).status, 200);
    assert.deepEqual(await server.exited, { code: 0, signal: null });
    assert.ok(Date.now() - began < 10_000);
    assert.equal((await server.engine.running(workspace.id)).length, 1, 'workspaces keep running');
    await server.restart();
    (await user.application('GET', workspace.id, '/env')).expect(200);
  });
}

test('a request that would not end does not keep it', async () => {
  await server.close();
  server = await startServer({ toml: '[server]\ndrainSeconds = 1\n' });
  const user = await server.user();
  const workspace = await user.createWorkspace();
  await user.start(workspace.id);
  const endless = user.application('GET', workspace.id, '/slow?ms=60000', { agent: false }).catch((error) => error);
  await eventually('it to be under way', async () => /relays_in_flight 1/.test((await user.get('/metrics')).text));
  const began = Date.now();
  assert.deepEqual(await server.terminate(), { code: 0, signal: null });
  assert.ok(Date.now() - began < 5000, `${Date.now() - began} ms`);
  await endless;
});

for (const [first, second] of [['SIGTERM', 'SIGTERM'], ['SIGTERM', 'SIGINT'], ['SIGINT', 'SIGTERM']]) {
  test(`${second} after ${first} ends it at once, with 1, and the next start finds all as it was`, async () => {
    const user = await server.user();
    const workspace = await user.createWorkspace();
    await user.start(workspace.id);
    const endless = user.application('GET', workspace.id, '/slow?ms=60000', { agent: false }).catch((error) => error);
    await eventually('it to be under way', async () => /relays_in_flight 1/.test((await user.get('/metrics')).text));
    server.process.kill(first);
    await eventually('it to be ending', () => server.events('shutting down').length === 1);
    assert.equal(server.process.exitCode, null, 'it waits for the request');
    server.process.kill(second);
    assert.deepEqual(await server.exited, { code: 1, signal: null });
    assert.equal(server.events('ending at once, without draining').length, 1);
    assert.equal(server.events('ended').length, 0);
    assert.ok((await endless) instanceof Error, 'its client hears that it broke off');
    assert.equal((await server.engine.running(workspace.id)).length, 1, 'workspaces keep running');
    await server.restart();
    (await user.application('GET', workspace.id, '/env')).expect(200);
  });
}

test('a second signal is heard also while it waits for what cannot be broken off', async () => {
  await server.terminate();
  const holder = spawn('sqlite3', [join(server.dataDir, 'agentdb9.db')], { stdio: ['pipe', 'pipe', 'inherit'] });
  // An engine that is silent: while the server waits for it, two seconds, the database that it has opened is taken.
  const held = new Promise((resolve) => holder.stdout.once('data', resolve));
  const engine = createServer(() => holder.stdin.write("BEGIN IMMEDIATE;\nSELECT 'held';\n"));
  await new Promise((resolve) => engine.listen(join(server.directory, 'engine.sock'), resolve));
  try {
    server.environment = { ...server.environment, DOCKER_HOST: `unix://${engine.address()}` };
    const started = server.start().catch((error) => error);
    await held;
    // What it writes at its start waits from then on, for seconds.
    await eventually('the data plane to serve', () => exchange(server.api, 'GET', '/healthz', { agent: false }).then(() => true, () => false));
    const threads = () => readdirSync(`/proc/${server.process.pid}/task`).length;
    const before = threads();
    const mark = server.log.length;
    server.process.kill('SIGTERM');
    await eventually('the data plane to have ended', () => threads() < before);
    // Nothing tells from outside that all else has. Too early, this would see less; it would not fail.
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(server.process.exitCode, null, 'it waits for the database');
    server.process.kill('SIGTERM');
    assert.deepEqual(await server.exited, { code: 1, signal: null });
    assert.deepEqual(server.log.slice(mark).map((each) => each.event), ['shutting down', 'ending at once, without draining']);
    await started;
  } finally {
    holder.kill('SIGKILL');
    engine.close();
    server.environment = {};
  }
});

test('an operation that it interrupts goes on with the next start', async () => {
  const user = await server.user();
  const workspace = await user.createWorkspace({ type: 'slow' });
  const starting = user.post(`/api/workspaces/${workspace.id}/start`, undefined, { agent: false }).catch((error) => error);
  await eventually('it to be starting', async () => (await server.engine.running(workspace.id)).length === 1);
  const began = Date.now();
  assert.deepEqual(await server.terminate(), { code: 0, signal: null });
  assert.ok(Date.now() - began < 11_000, `${Date.now() - began} ms`);
  await starting;
  await server.restart();
  await eventually('it to run', async () => (await user.get(`/api/workspaces/${workspace.id}`)).data.phase === 'running');
  assert.equal((await user.get(`/api/workspaces/${workspace.id}/operations`)).data.length, 1);
});

test('SIGHUP reads the configuration again; one with mistakes changes nothing', async () => {
  const account = (name) => ({ email: `${name}@example.test`, username: name, password: userPassword });
  const register = (name) => server.nobody().post('/api/auth/register', account(name));
  (await register('one')).expect(201);
  const before = server.toml;
  server.configure(before.replace('registration = "open"', 'registration = "closed"'));
  server.process.kill('SIGHUP');
  await eventually('it to be read', () => server.log.some((each) => each.event.startsWith('configuration reloaded')));
  (await register('two')).expect(403, 'registration_closed');
  server.configure(`${before}\nnonsense = 1\n`);
  server.process.kill('SIGHUP');
  await eventually('it to be refused', () => server.log.some((each) => each.event.startsWith('the configuration is not reloaded')));
  (await register('three')).expect(403, 'registration_closed');
});
