// What happens to containers without the server: it sees it, and puts right what the user still wants.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';

import { engineCall } from '../../support/engine.mjs';
import { eventually } from '../../support/eventually.mjs';
import { startServer } from '../../support/server.mjs';

let server;
before(async () => (server = await startServer()));
after(() => server.close());

async function started() {
  const user = await server.user();
  const workspace = await user.createWorkspace();
  await user.start(workspace.id);
  await user.writeFile(workspace.id, 'work', 'hours of it');
  const [container] = await server.engine.containers(workspace.id);
  return { user, workspace, container };
}

// It answers again within five seconds, with its files, from exactly one container of its name.
async function isWell({ user, workspace }) {
  await eventually('the workspace to answer again', async () => {
    const answer = await user.application('GET', workspace.id, '/files/work');
    return answer.status === 200 && answer.text === 'hours of it';
  }, { within: 5000 });
  return eventually('one container, and a status that says so', async () => {
    const all = await server.engine.containers(workspace.id);
    const { status, containerRunning, health } = { ...(await user.get(`/api/workspaces/${workspace.id}/status`)).expect(200).data };
    return all.length === 1 && all[0].State === 'running' && all[0].Names.includes(`/agentdb9-workspace-${workspace.id}`) && status === 'running' && containerRunning && health === 'healthy' && all[0];
  }, { within: 5000 });
}

for (const [what, harm, same] of [
  ['removed', (engine, id) => engine.remove(id), false],
  ['stopped', (engine, id) => engine.stop(id), undefined],
  ['killed', (engine, id) => engine.kill(id), undefined],
  ['paused', (engine, id) => engine.pause(id), true],
  ['renamed', (engine, id) => engine.rename(id, `somebody-was-here-${randomUUID()}`), true],
]) {
  test(`a container that is ${what} behind the server's back comes back by itself`, async () => {
    const it = await started();
    await harm(server.engine, it.container.Id);
    const now = await isWell(it);
    if (same !== undefined) assert.equal(now.Id === it.container.Id, same);
  });
}

test('requests that come meanwhile wait instead of failing', async () => {
  const it = await started();
  await server.engine.remove(it.container.Id);
  const answers = await Promise.all(Array.from({ length: 10 }, () => it.user.application('GET', it.workspace.id, '/files/work')));
  for (const each of answers) assert.equal(each.text, 'hours of it', `${each.status}`);
  await isWell(it);
});

test('one that crashes is brought back, and what was it is told', async () => {
  const it = await started();
  await it.user.application('GET', it.workspace.id, '/crash').catch(() => {});
  await isWell(it);
});

test('one that rests and is removed, or started, stays at rest', async () => {
  const it = await started();
  await it.user.stop(it.workspace.id);
  const [resting] = await server.engine.containers(it.workspace.id);
  if (resting) {
    await engineCall('POST', `/containers/${resting.Id}/start`);
    await eventually('it to be stopped again', async () => (await server.engine.running(it.workspace.id)).length === 0);
    for (const each of await server.engine.containers(it.workspace.id)) await server.engine.remove(each.Id);
  }
  assert.equal((await it.user.get(`/api/workspaces/${it.workspace.id}`)).data.status, 'stopped');
  await it.user.start(it.workspace.id);
  await isWell(it);
});

test('a second container with a workspace\'s labels goes', async () => {
  const it = await started();
  const { Config } = await server.engine.inspect(it.container.Id);
  const twin = await server.engine.createContainer(`twin-${randomUUID()}`, { Image: Config.Image, Labels: Config.Labels, HostConfig: { NetworkMode: server.network } });
  await engineCall('POST', `/containers/${twin}/start`);
  await isWell(it);
});

test('the network may vanish: it is made anew with the next start', async () => {
  const alone = await startServer();
  try {
    const user = await alone.user();
    const workspace = await user.createWorkspace();
    await user.start(workspace.id);
    await user.stop(workspace.id);
    for (const each of await alone.engine.containers()) await alone.engine.remove(each.Id);
    assert.ok((await engineCall('DELETE', `/networks/${alone.network}`)).status < 300);
    await user.start(workspace.id);
    (await user.application('GET', workspace.id, '/env')).expect(200);
  } finally {
    await alone.close();
  }
});

test('a lost volume is said to be lost, not replaced by an empty one', async () => {
  const it = await started();
  await it.user.stop(it.workspace.id);
  for (const each of await server.engine.containers(it.workspace.id)) await server.engine.remove(each.Id);
  const { currentProjectId } = (await it.user.get(`/api/workspaces/${it.workspace.id}`)).data;
  const project = (await it.user.get(`/api/projects/${currentProjectId}`)).data;
  await server.engine.removeVolume(project.volumeName);
  (await it.user.post(`/api/workspaces/${it.workspace.id}/start`)).expect(409, 'volume_missing');
  assert.ok(!(await server.engine.volumeExists(project.volumeName)));
  assert.equal((await it.user.get(`/api/projects/${currentProjectId}/volume`)).expect(200).data.exists, false);
});

test('what another installation made is never touched, whatever it is called', async () => {
  const it = await started();
  const other = randomUUID();
  const labels = (workspace) => ({ 'agentdb9.managed': 'true', 'agentdb9.instance': other, 'agentdb9.workspace.id': workspace, 'agentdb9.generation': '1' });
  const theirs = await server.engine.createContainer(`foreign-${randomUUID()}`, { Image: 'agentdb9/testapp:local', Labels: labels(it.workspace.id) });
  const volume = `agentdb9-project-${randomUUID()}`;
  await server.engine.createVolume({ Name: volume, Labels: { 'agentdb9.managed': 'true', 'agentdb9.instance': other } });
  // One that sits on the name that a workspace of ours would take.
  const second = await it.user.createWorkspace();
  const squatter = await server.engine.createContainer(`agentdb9-workspace-${second.id}`, { Image: 'agentdb9/testapp:local', Labels: labels(second.id) });
  try {
    await engineCall('POST', `/containers/${theirs}/start`);
    (await it.user.post(`/api/workspaces/${second.id}/start`)).expect(409, 'instance_name_taken');
    (await it.user.post(`/api/workspaces/${it.workspace.id}/restart`)).expect(200);
    (await it.user.delete(`/api/workspaces/${it.workspace.id}`)).expect(200);
    (await it.user.delete(`/api/workspaces/${second.id}`)).expect(200);
    (await (await server.admin()).post('/api/workspaces/cleanup')).expect(200);
    await server.restart();
    assert.ok((await server.engine.inspect(theirs))?.State.Running);
    assert.ok(await server.engine.inspect(squatter));
    assert.ok(await server.engine.volumeExists(volume));
  } finally {
    for (const each of [theirs, squatter]) await engineCall('DELETE', `/containers/${each}?force=true`);
    await server.engine.removeVolume(volume);
  }
});
