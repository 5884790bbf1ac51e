// An engine that is restarted, or whose host loses its power, with workspaces at work: within five seconds after it
// answers again the status is right, and a start always works. On an engine of the test's own.
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';

import { eventually } from '../../support/eventually.mjs';
import { inOwnNetwork, OwnEngine, whyNoOwnEngine } from '../../support/own_engine.mjs';

const within = 5000;

if (!process.env.AGENTDB9_TEST_IN_OWN_NETWORK) {
  test('an engine that is restarted, and a host that is', { skip: whyNoOwnEngine() ?? false }, async () => {
    const { code, output } = await inOwnNetwork(fileURLToPath(import.meta.url), { AGENTDB9_TEST_IN_OWN_NETWORK: '1' });
    assert.equal(code, 0, output);
  });
} else {
  let engine, server, user, working, resting;
  before(async () => {
    engine = await new OwnEngine().start();
    engine.load('agentdb9/testapp:local');
    // The engine's address is read when the module is loaded.
    process.env.DOCKER_HOST = engine.host;
    const { startServer } = await import('../../support/server.mjs');
    server = await startServer();
    user = await server.user('patient');
    working = await user.createWorkspace({ type: 'vscode' });
    await user.start(working.id);
    await user.writeFile(working.id, 'work', 'hours of it');
    resting = await user.createWorkspace({ type: 'spreadsheet' });
    await user.start(resting.id);
    await user.writeFile(resting.id, 'work', 'other work');
    await user.stop(resting.id);
  });
  after(async () => {
    await server?.close();
    await engine?.remove();
  });

  const status = async (workspace) => (await user.get(`/api/workspaces/${workspace.id}/status`)).expect(200).data;
  async function allIsWell() {
    await eventually('the one that worked to work', async () => {
      const { status: is, containerRunning, health } = await status(working);
      const all = await server.engine.containers(working.id);
      const answer = await user.application('GET', working.id, '/files/work');
      if (is !== 'running' || !containerRunning || health !== 'healthy' || all.length !== 1 || answer.status !== 200)
        throw new Error(JSON.stringify({ is, containerRunning, health, states: all.map((each) => each.State), answer: answer.status }));
      assert.equal(answer.text, 'hours of it');
      return true;
    }, { within });
    assert.equal((await status(resting)).status, 'stopped');
    assert.deepEqual(await server.engine.running(resting.id), []);
    await user.start(resting.id);
    assert.equal(await user.readFile(resting.id, 'work'), 'other work');
    await user.stop(resting.id);
    (await user.post(`/api/workspaces/${working.id}/restart`)).expect(200);
    assert.equal(await user.readFile(working.id, 'work'), 'hours of it');
  }

  test('the engine is restarted while the server runs', async () => {
    await engine.stop();
    await eventually('the server to see it', async () => (await user.get('/readyz')).status === 503, { within });
    assert.equal((await user.get(`/api/workspaces/${working.id}/status`)).expect(200).data.health, 'unknown');
    await engine.start();
    await allIsWell();
  });

  test('a start that is asked for while the engine is away comes about when it is back', async () => {
    await engine.stop();
    (await user.post(`/api/workspaces/${resting.id}/start`)).expect(503, 'runtime_unavailable');
    await engine.start();
    await eventually('it to work', async () => (await user.application('GET', resting.id, '/files/work')).text === 'other work', { within });
    await user.stop(resting.id);
    await allIsWell();
  });

  test('the engine loses its power while the server runs', async () => {
    await engine.powerOff();
    await engine.start();
    await allIsWell();
  });

  test('the host loses its power: engine, containers and server at once', async () => {
    await Promise.all([engine.powerOff(), server.kill()]);
    await engine.start();
    await server.restart();
    await allIsWell();
  });

  test('the server is back before its engine', async () => {
    await Promise.all([engine.powerOff(), server.kill()]);
    await server.restart();
    assert.equal((await user.get(`/api/workspaces/${working.id}/status`)).expect(200).data.health, 'unknown');
    await engine.start();
    await allIsWell();
  });
}
