// kill -9 in the middle of each operation: at the next start the server goes on from there, and every file is
// where it was. The log tells which action has just begun; that is the moment.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { eventually } from '../../support/eventually.mjs';
import { startServer } from '../../support/server.mjs';

let server, user;
before(async () => {
  server = await startServer({ toml: '[logs]\nlevel = "debug"\n' });
  user = await server.user('patient');
});
after(() => server.close());

// Sends a request and kills the server as soon as its log has this action for the workspace.
async function killAt(action, workspace, request) {
  const mark = server.log.length;
  const sent = request().then((answer) => answer.status, () => 'cut off');
  await eventually(`the action ${action}`, () => server.log.slice(mark).some((each) => each.action === action && each.workspaceId === workspace.id), { every: 1 });
  await server.kill();
  await sent;
  await server.restart();
}

async function made(type) {
  const workspace = await user.createWorkspace({ type });
  const project = await user.createProject({ name: 'other' });
  await user.switchProject(workspace.id, project.id);
  await user.start(workspace.id);
  await user.writeFile(workspace.id, 'work', 'other');
  const first = await user.createProject({ name: 'first' });
  await user.switchProject(workspace.id, first.id);
  await user.writeFile(workspace.id, 'work', 'first');
  return { workspace, first, other: project };
}

const show = async (workspace) => (await user.get(`/api/workspaces/${workspace.id}`)).expect(200).data;

async function isAtWork(workspace, project, content) {
  await eventually('one instance, at work with the right project', async () => {
    const row = await show(workspace);
    const all = await server.engine.containers(workspace.id);
    const right = row.phase === 'running' && row.currentProjectId === project.id && all.length === 1 && all[0].State === 'running' &&
      all[0].Names.includes(`/agentdb9-workspace-${workspace.id}`) && all[0].Mounts.some((each) => each.Name === project.volumeName);
    if (!right) throw new Error(JSON.stringify({ row, all: all.map(({ Names, State, Mounts, Labels }) => ({ Names, State, Mounts: Mounts.map((each) => each.Name), Labels })) }));
    return right;
  });
  assert.equal(await user.readFile(workspace.id, 'work'), content);
  const [operation] = (await user.get(`/api/workspaces/${workspace.id}/operations`)).data;
  assert.equal(operation.state, 'succeeded');
}

test('in a start', async () => {
  const { workspace, first } = await made('spreadsheet');
  for (const action of ['create', 'start', 'probe', 'publish_route', 'complete']) {
    await user.stop(workspace.id);
    for (const each of await server.engine.containers(workspace.id)) await server.engine.remove(each.Id);
    await killAt(action, workspace, () => user.post(`/api/workspaces/${workspace.id}/start`));
    await isAtWork(workspace, first, 'first');
  }
});

test('in a stop', async () => {
  const { workspace, first } = await made('spreadsheet');
  for (const action of ['drop_route', 'stop', 'complete']) {
    await killAt(action, workspace, () => user.post(`/api/workspaces/${workspace.id}/stop`));
    await eventually('it to rest', async () => (await show(workspace)).status === 'stopped' && (await server.engine.running(workspace.id)).length === 0);
    await user.start(workspace.id);
    await isAtWork(workspace, first, 'first');
  }
});

test('in a restart', async () => {
  const { workspace, first } = await made('spreadsheet');
  for (const action of ['start', 'commit_next', 'rename']) {
    await killAt(action, workspace, () => user.post(`/api/workspaces/${workspace.id}/restart`));
    await isAtWork(workspace, first, 'first');
  }
});

for (const [type, actions] of [['spreadsheet', ['create', 'start', 'probe', 'commit_next', 'rename', 'publish_route', 'drain_and_remove']], ['vscode', ['create', 'stop', 'start', 'commit_next', 'remove']]]) {
  test(`in a switch of a ${type}`, async () => {
    const { workspace, first, other } = await made(type);
    let [from, to] = [first, other];
    for (const action of actions) {
      await killAt(action, workspace, () => user.post(`/api/workspaces/${workspace.id}/switch-project`, { projectId: to.id }));
      await isAtWork(workspace, to, to.name);
      [from, to] = [to, from];
    }
  });
}

test('in a deletion', async () => {
  for (const action of ['stop', 'remove', 'forget_workspace']) {
    const { workspace, first } = await made('vscode');
    await killAt(action, workspace, () => user.delete(`/api/workspaces/${workspace.id}`));
    await eventually('it to be gone', async () => (await user.get(`/api/workspaces/${workspace.id}`)).status === 404);
    assert.deepEqual(await server.engine.containers(workspace.id), []);
    assert.ok(await server.engine.volumeExists(first.volumeName));
    assert.ok(await server.engine.volumeExists(`agentdb9-workspace-${workspace.id}`));
    assert.ok((await user.get('/api/trash')).data.some((each) => each.ownerId === workspace.id), 'its home is in the trash');
  }
});

test('at any other moment: what the database says is what runs', async () => {
  const { workspace, first } = await made('spreadsheet');
  for (const verb of ['stop', 'start', 'restart']) {
    const sent = user.post(`/api/workspaces/${workspace.id}/${verb}`).catch(() => {});
    await server.kill();
    await sent;
    await server.restart();
    await eventually('both to agree', async () => {
      const { phase } = await show(workspace);
      const running = (await server.engine.running(workspace.id)).length;
      return (phase === 'running' && running === 1) || (phase === 'stopped' && running === 0);
    });
  }
  await user.start(workspace.id);
  await isAtWork(workspace, first, 'first');
});

test('while the server is down, the workspaces go on, and what happened to them meanwhile is put right', async () => {
  const { workspace, first } = await made('spreadsheet');
  const { workspace: second, first: its } = await made('spreadsheet');
  await server.kill();
  const [container] = await server.engine.running(workspace.id);
  assert.equal(container.State, 'running');
  const [other] = await server.engine.containers(second.id);
  await server.engine.remove(other.Id);
  await server.restart();
  await isAtWork(workspace, first, 'first');
  assert.equal((await server.engine.running(workspace.id))[0].Id, container.Id, 'the one that ran was left alone');
  await isAtWork(second, its, 'first');
});
