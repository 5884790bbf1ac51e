// A container engine that is down, hangs or breaks off: the API stays up, reads work, what is asked for is
// recorded and goes on by itself.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { EngineProxy } from '../../support/engine_proxy.mjs';
import { eventually } from '../../support/eventually.mjs';
import { startServer, testType } from '../../support/server.mjs';

let proxy, server, user, running, resting;
const projectOf = new Map();  // current ones, as they were before the trouble
before(async () => {
  proxy = await new EngineProxy().open();
  server = await startServer({ environment: { DOCKER_HOST: proxy.host }, toml: testType('slow', { START_DELAY: 1000 }) });
  user = await server.user('unlucky');
  running = await user.createWorkspace({ name: 'running' });
  await user.start(running.id);
  await user.writeFile(running.id, 'work', 'hours of it');
  resting = await user.createWorkspace({ name: 'resting' });
});
after(async () => {
  await server.close();
  await proxy.remove();
});

beforeEach(() => proxy.recover());

const phase = async (workspace) => (await user.get(`/api/workspaces/${workspace.id}`)).expect(200).data.phase;
const quickly = async (what, limit, ask) => {
  const began = Date.now();
  const answer = await ask();
  assert.ok(Date.now() - began < limit, `${what} took ${Date.now() - began} ms`);
  return answer;
};

async function readsWork() {
  for (const path of ['/api/workspaces', '/api/workspaces/types', '/api/workspaces/stats', '/api/projects', '/api/trash', '/api/auth/profile', '/healthz', '/metrics', `/api/workspaces/${running.id}`, `/api/workspaces/${running.id}/operations`]) {
    (await quickly(path, 3000, () => user.get(path))).expect(200);
  }
  const status = (await quickly('the status', 5000, () => user.get(`/api/workspaces/${running.id}/status`))).expect(200).data;
  assert.equal(status.health, 'unknown');
  assert.ok(status.containerRunning, 'what was seen last is told');
  assert.equal((await quickly('the volume', 5000, () => user.get(`/api/projects/${projectOf.get(running.id)}/volume`))).expect(200).data.engineAnswers, false);
  assert.equal((await quickly('an application', 3000, () => user.application('GET', running.id, '/files/work'))).expect(200).text, 'hours of it');
  const ready = await quickly('readyz', 5000, () => user.get('/readyz'));
  ready.expect(503);
  assert.equal(ready.body.checks.runtime.status, 'down');
  assert.equal(ready.body.checks.database.status, 'up');
}

for (const [how, harm, limit] of [['down', () => proxy.close(), 5000], ['hung', () => proxy.hang(), 20_000]]) {
  test(`while the engine is ${how}: reads work, lifecycle calls answer 503, and go on by themselves afterwards`, async () => {
    const fresh = await user.createWorkspace();
    const [doomed, hurried, forced] = [await user.createWorkspace(), await user.createWorkspace(), await user.createWorkspace()];
    for (const each of [doomed, hurried, forced]) await user.start(each.id);
    for (const each of (await user.get('/api/workspaces')).data) projectOf.set(each.id, each.currentProjectId);
    await harm();
    await readsWork();
    // What needs no container is made all the same; its volume follows.
    const project = (await quickly('a project', 5000, () => user.post('/api/projects', { name: 'meanwhile' }))).expect(201).data;
    assert.equal(project.volumeName, null);
    const calls = [['POST', `${fresh.id}/start`], ['POST', `${running.id}/restart`], ['DELETE', doomed.id], ['DELETE', `${hurried.id}?force=true`], ['POST', `${forced.id}/stop?force=true`]];
    const answers = await Promise.all(calls.map(([method, path]) => quickly(`${method} ${path}`, limit, () => user.send(method, `/api/workspaces/${path}`))));
    for (const each of answers) {
      each.expect(503, 'runtime_unavailable');
      assert.ok(Number(each.headers['retry-after']) > 0);
    }
    (await user.post(`/api/workspaces/${fresh.id}/start`, undefined, { headers: { Prefer: 'respond-async' } })).expect(202);
    await proxy.recover();
    await eventually('what was asked for to come about', async () => (await phase(fresh)) === 'running' && (await phase(running)) === 'running' && (await user.get(`/api/workspaces/${doomed.id}`)).status === 404 &&
      (await user.get(`/api/workspaces/${hurried.id}`)).status === 404 && (await phase(forced)) === 'stopped', { within: 20_000 });
    for (const each of [doomed, hurried]) assert.deepEqual(await server.engine.containers(each.id), []);
    assert.deepEqual(await server.engine.running(forced.id), []);
    (await user.delete(`/api/workspaces/${forced.id}`)).expect(200);
    assert.equal((await user.get(`/api/workspaces/${fresh.id}/operations`)).data.length, 1, 'the request that was recorded, not another');
    assert.equal(await user.readFile(running.id, 'work'), 'hours of it');
    (await user.get('/readyz')).expect(200);
    await user.switchProject(running.id, project.id);
    assert.ok((await user.get(`/api/projects/${project.id}`)).data.volumeName);
    await user.switchProject(running.id, projectOf.get(running.id));
    (await user.delete(`/api/workspaces/${fresh.id}?force=true`)).expect(200);
  });
}

test('while the engine is down no request wakes a workspace: that is said at once, and nothing is recorded', async () => {
  const asleep = await user.createWorkspace({ wakeOnRequest: true });
  await proxy.close();
  await eventually('the server to notice', async () => /^agentdb9_runtime_connected 0$/m.test((await user.get('/metrics')).text));
  const refused = (await quickly('the request', 3000, () => user.application('GET', asleep.id, '/'))).expect(503, 'runtime_unavailable');
  assert.ok(Number(refused.headers['retry-after']) > 0);
  assert.deepEqual((await user.get(`/api/workspaces/${asleep.id}/operations`)).data, []);
  await proxy.recover();
  await eventually('the engine to be heard', async () => /^agentdb9_runtime_connected 1$/m.test((await user.get('/metrics')).text));
  assert.equal(await phase(asleep), 'stopped');
  (await user.application('GET', asleep.id, '/')).expect(503, 'workspace_starting');
  await eventually('it to run', async () => (await phase(asleep)) === 'running');
  (await user.delete(`/api/workspaces/${asleep.id}?force=true`)).expect(200);
});

test('connections that break off in the middle of a start do not stop it', async () => {
  const workspace = await user.createWorkspace({ type: 'slow' });
  const starting = user.post(`/api/workspaces/${workspace.id}/start`);
  let cuts = 0;
  const done = starting.then(() => true);
  while (!(await Promise.race([done, new Promise((resolve) => setTimeout(resolve, 60, false))]))) {
    if (cuts++ < 12) proxy.cut();
  }
  const answer = await starting;
  assert.ok([200, 503].includes(answer.status), answer.text);
  await eventually('it to run', async () => (await phase(workspace)) === 'running');
  assert.equal((await server.engine.containers(workspace.id)).length, 1);
  (await user.delete(`/api/workspaces/${workspace.id}?force=true`)).expect(200);
});

test('what happened while the engine could not be heard is noticed afterwards', async () => {
  const [container] = await server.engine.running(running.id);
  await proxy.close();
  await server.engine.remove(container.Id);
  await proxy.open();
  await eventually('it to be made again', async () => {
    const answer = await user.application('GET', running.id, '/files/work');
    return answer.status === 200 && answer.text === 'hours of it';
  });
});

test('a stop that is asked for meanwhile wins over a start that waits', async () => {
  await proxy.close();
  (await user.post(`/api/workspaces/${resting.id}/start`)).expect(503, 'runtime_unavailable');
  (await user.post(`/api/workspaces/${resting.id}/stop`)).expect(503, 'runtime_unavailable');
  await proxy.open();
  await eventually('it to rest', async () => (await user.get(`/api/workspaces/${resting.id}/operations`)).data.every((each) => ['succeeded', 'superseded'].includes(each.state)));
  assert.equal(await phase(resting), 'stopped');
  assert.deepEqual(await server.engine.running(resting.id), []);
});

test('the server starts without an engine, and with it when it comes', async () => {
  await proxy.close();
  await server.restart();
  (await user.get('/api/workspaces')).expect(200);
  (await user.get('/readyz')).expect(503);
  (await user.post(`/api/workspaces/${resting.id}/start`)).expect(503, 'runtime_unavailable');
  await proxy.open();
  await eventually('all to run', async () => (await phase(resting)) === 'running' && (await user.application('GET', running.id, '/files/work')).status === 200);
});
