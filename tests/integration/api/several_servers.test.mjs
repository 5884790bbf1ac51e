// Two servers on one PostgreSQL and one engine: what one does, the other knows; what one is in the middle of when
// it dies, the other finishes; and a database that is away for a while loses nothing.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { ApiClient } from '../../support/api_client.mjs';
import { eventually } from '../../support/eventually.mjs';
import { startPostgres } from '../../support/postgres_server.mjs';
import { startServer } from '../../support/server.mjs';

const toml = '[logs]\nlevel = "debug"\n';
const soon = { within: 1000, every: 10 };
// From the death of the one that led to the end of its operation: within five seconds where the machine is not busy
// with other things (docs/decisions/0008), which is what the diagnostics tell. Much later it would never come.
const takeOver = 20_000;

let postgres, a, b;
before(async () => {
  postgres = await startPostgres();
  a = await startServer({ toml, postgres });
  b = await startServer({ toml, beside: a });
});
after(async () => {
  await Promise.all([a?.close(), b?.close()]);
  await postgres?.close();
});

// The same account by way of each server.
async function userOfBoth(name) {
  const byA = await a.user(name);
  return { byA, byB: new ApiClient(b, byA) };
}

// A workspace with two projects, at work with the first; each has a file that says which it is.
async function made(user, type) {
  const workspace = await user.createWorkspace({ type });
  const [first, second] = [await user.createProject({ name: 'first' }), await user.createProject({ name: 'second' })];
  await user.switchProject(workspace.id, second.id);
  await user.start(workspace.id);
  await user.writeFile(workspace.id, 'which', 'second');
  await user.switchProject(workspace.id, first.id);
  await user.writeFile(workspace.id, 'which', 'first');
  return { workspace, first, second };
}

const status = (user, workspace) => user.application('GET', workspace.id, '/healthz').then((answer) => answer.status);

// Asks for the file without a pause, until told to end; what was not answered as it should be.
function readMeanwhile(context, ...users) {
  const failures = [];
  let requests = 0;
  let going = true;
  const loops = users.flatMap(({ user, workspace }) => [1, 2].map(async () => {
    while (going) {
      ++requests;
      try {
        const answer = await user.application('GET', workspace.id, '/files/which');
        if (answer.status !== 200) failures.push(`${answer.status} ${answer.text.slice(0, 200)}`);
      } catch (error) {
        failures.push(error.message);
      }
    }
  }));
  const load = {
    async end() {
      going = false;
      await Promise.all(loops);
      return { failures, requests };
    },
  };
  context.after(() => load.end());
  return load;
}

test('what one changes, the other serves within a second', async () => {
  const { byA, byB } = await userOfBoth('neighbour');
  const workspace = await byA.createWorkspace();
  assert.equal((await byB.get(`/api/workspaces/${workspace.id}`)).expect(200).data.name, workspace.name);
  await byA.start(workspace.id);
  await eventually('the other to relay', async () => (await status(byB, workspace)) === 200, soon);
  await byB.stop(workspace.id);
  await eventually('the other to refuse', async () => (await status(byA, workspace)) === 503, soon);
  await byB.start(workspace.id);
  await eventually('the other to relay again', async () => (await status(byA, workspace)) === 200, soon);
  (await byA.delete(`/api/workspaces/${workspace.id}`)).expect(200);
  await eventually('the other to have forgotten it', async () => (await status(byB, workspace)) === 404, soon);
});

test('what one revokes is no longer good at the other', async () => {
  const { byA, byB } = await userOfBoth('leaver');
  const workspace = await byA.createWorkspace();
  await byA.start(workspace.id);
  const { token, id } = (await byA.post('/api/auth/tokens', { name: 'a token' })).expect(201).data;
  const byToken = byB.with(token);
  await eventually('the other to relay', async () => (await status(byB, workspace)) === 200 && (await status(byToken, workspace)) === 200, soon);
  (await byA.delete(`/api/auth/tokens/${id}`)).expect(200);
  await eventually('the API token to end', async () => (await status(byToken, workspace)) === 401, soon);
  (await byToken.get('/api/auth/profile')).expect(401);
  assert.equal(await status(byB, workspace), 200);
  (await byA.post('/api/auth/logout')).expect(200);
  await eventually('the session to end', async () => (await status(byB, workspace)) === 401, soon);
  (await byB.get('/api/auth/profile')).expect(401);
});

for (const type of ['spreadsheet', 'vscode']) {
  test(`switches of a ${type} by one fail no request by way of the other`, async (context) => {
    const { byA, byB } = await userOfBoth('worker');
    const { workspace, first, second } = await made(byA, type);
    await eventually('the other to relay', async () => (await status(byB, workspace)) === 200, soon);
    const load = readMeanwhile(context, { user: byB, workspace });
    for (const project of [second, first, second, first]) {
      const asks = project === first ? byB : byA;
      await asks.switchProject(workspace.id, project.id);
      assert.equal(await asks.readFile(workspace.id, 'which'), project.name);
    }
    const { failures, requests } = await load.end();
    assert.deepEqual(failures, [], `of ${requests} requests`);
    assert.ok(requests > 100, `only ${requests} requests`);
  });
}

// Asks one server, kills -9 whichever of the two has come to this action, and waits for the other to finish.
async function killAt(action, workspace, request, finished) {
  const marks = new Map([a, b].map((server) => [server, server.log.length]));
  const has = (server) => server.log.slice(marks.get(server)).some((each) => each.action === action && each.workspaceId === workspace.id);
  const sent = request().then(() => {}, () => {});
  const leader = await eventually(`the action ${action}`, () => [a, b].find(has), { every: 1 });
  const killed = Date.now();
  await leader.kill();
  await sent;
  const survivor = leader === a ? b : a;
  await eventually(`the other to finish what was at ${action}`, () => finished(survivor), { within: takeOver - (Date.now() - killed), every: 20 });
  const took = Date.now() - killed;
  await leader.start();
  return took;
}

for (const [type, kind, actions] of [
  ['spreadsheet', 'start', ['create', 'start']],
  ['spreadsheet', 'switch', ['start', 'commit_next', 'drain_and_remove']],
  ['vscode', 'switch', ['stop', 'start']],
  ['spreadsheet', 'stop', ['stop']],
]) {
  test(`a server that dies in the ${kind} of a ${type} is followed by the other within seconds`, async (context) => {
    const { byA } = await userOfBoth('patient');
    const { workspace, first, second } = await made(byA, type);
    let [current, other] = [first, second];
    for (const action of actions) {
      if (kind === 'start') await byA.stop(workspace.id);
      // Nothing is left of what went before.
      await eventually('the last one to be done with', async () => (await a.engine.containers(workspace.id)).length === 1);
      if (kind === 'start') for (const each of await a.engine.containers(workspace.id)) await a.engine.remove(each.Id);
      const asked = { start: ['/start'], switch: ['/switch-project', { projectId: other.id }], stop: ['/stop'] }[kind];
      if (kind === 'switch') [current, other] = [other, current];
      const took = await killAt(action, workspace, () => byA.post(`/api/workspaces/${workspace.id}${asked[0]}`, asked[1]), async (survivor) => {
        const user = new ApiClient(survivor, byA);
        const row = (await user.get(`/api/workspaces/${workspace.id}`)).data;
        const [operation] = (await user.get(`/api/workspaces/${workspace.id}/operations`)).data;
        const running = await survivor.engine.running(workspace.id);
        if (operation.state !== 'succeeded') throw new Error(`the operation is ${operation.state}`);
        if (kind === 'stop') return row.phase === 'stopped' && running.length === 0;
        const right = row.phase === 'running' && row.currentProjectId === current.id &&
          running.some((each) => each.Mounts.some((mount) => mount.Name === current.volumeName));
        return right && (await user.readFile(workspace.id, 'which')) === current.name;
      });
      context.diagnostic(`killed at ${action}: finished after ${took} ms`);
    }
  });
}

test('a database that stops for a while loses no operation, and everything that runs is relayed', async (context) => {
  const { byA, byB } = await userOfBoth('steady');
  const { workspace } = await made(byA, 'spreadsheet');
  const others = await made(byA, 'vscode');
  const third = await byA.createWorkspace();
  await eventually('the other to relay', async () => (await status(byB, workspace)) === 200, soon);
  const load = readMeanwhile(context, { user: byA, workspace }, { user: byB, workspace });
  const later = { headers: { Prefer: 'respond-async' } };
  const operations = [
    [others.workspace, (await byA.post(`/api/workspaces/${others.workspace.id}/switch-project`, { projectId: others.second.id }, later)).expect(202).data.id],
    [third, (await byB.post(`/api/workspaces/${third.id}/start`, undefined, later)).expect(202).data.id],
  ];
  await postgres.stop();
  const stopped = Date.now();
  for (const server of [a, b]) await eventually('it to say so', async () => (await server.nobody().get('/readyz')).status === 503);
  (await byA.get('/api/workspaces')).expect(503);
  await eventually('a few seconds to go by', () => Date.now() - stopped > 4000);
  await postgres.start();
  for (const server of [a, b]) await eventually('it to be ready', async () => (await server.nobody().get('/readyz')).status === 200);
  for (const [which, id] of operations) {
    await eventually('the operation to succeed', async () => {
      const found = (await byB.get(`/api/workspaces/${which.id}/operations`)).data.find((each) => each.id === id);
      return found.state === 'succeeded';
    });
  }
  const { failures, requests } = await load.end();
  assert.deepEqual(failures, [], `of ${requests} requests`);
  assert.equal(await byB.readFile(others.workspace.id, 'which'), 'second');
});
