// Starting, stopping, restarting and deleting, with a look at the engine behind it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { eventually } from '../../support/eventually.mjs';
import { startServer, testType } from '../../support/server.mjs';

let server;
before(async () => {
  server = await startServer({
    toml: testType('slow', { START_DELAY: 1500 }) + testType('stubborn', { IGNORE_TERM: 1 }) + testType('failing', { FAIL_START: 1 }) +
      '[workspaceTypes.absent]\ncontainerImage = "agentdb9/no-such-image:never"\ndefaultPort = 8080\n',
  });
});
after(() => server.close());

const status = async (user, workspace) => (await user.get(`/api/workspaces/${workspace.id}/status`)).expect(200).data;
const operations = async (user, workspace) => (await user.get(`/api/workspaces/${workspace.id}/operations`)).expect(200).data;
const act = (user, workspace, verb, options) => user.post(`/api/workspaces/${workspace.id}/${verb}`, undefined, options);
const later = { headers: { Prefer: 'respond-async' } };

test('a started workspace is one hardened container with its project\'s volume', async () => {
  const user = await server.user();
  const workspace = await user.createWorkspace({ name: 'numbers' });
  const answer = (await act(user, workspace, 'start')).expect(200);
  assert.equal(answer.body.message, 'Workspace started');
  assert.equal(answer.data.status, 'running');
  assert.equal(answer.data.containerName, `agentdb9-workspace-${workspace.id}`);
  const project = (await user.get(`/api/projects/${answer.data.currentProjectId}`)).expect(200).data;
  assert.equal(project.name, 'numbers', 'a workspace without a project gets one, named after it');
  assert.equal(project.workspaceId, workspace.id);

  const container = await server.engine.inspect(answer.data.containerName);
  assert.ok(container.State.Running);
  const { HostConfig: host, Config: config } = container;
  assert.equal(host.Privileged, false);
  assert.ok(host.Init);
  assert.deepEqual(host.CapDrop, ['ALL']);
  assert.ok(!host.CapAdd?.length);
  assert.deepEqual(host.SecurityOpt, ['no-new-privileges']);
  assert.ok(!host.Binds?.length, 'no binds of the host');
  assert.equal(host.RestartPolicy.Name, 'unless-stopped');
  assert.equal(host.PidsLimit, 512);
  assert.ok(host.Memory > 0 && host.NanoCpus > 0);
  assert.deepEqual(host.PortBindings ?? {}, {}, 'no port of the host');
  assert.equal(host.NetworkMode, server.network);
  assert.deepEqual(container.Mounts.map((each) => [each.Type, each.Name, each.Destination]), [['volume', project.volumeName, '/workspace']]);
  const labels = { managed: 'true', instance: server.installation, 'workspace.id': workspace.id, 'workspace.type': 'spreadsheet', 'user.id': user.user.id, 'project.id': project.id, generation: '1' };
  for (const [name, value] of Object.entries(labels)) assert.equal(config.Labels[`agentdb9.${name}`], value, name);
  assert.ok(config.Labels['agentdb9.spec']);
  for (const each of ['WORKSPACE_TYPE=spreadsheet', `WORKSPACE_ID=${workspace.id}`, `PROJECT_ID=${project.id}`]) assert.ok(config.Env.includes(each), each);

  const now = await status(user, workspace);
  assert.equal(now.health, 'healthy');
  assert.equal(now.containerInfo.id, container.Id);
  assert.equal(now.operation.kind, 'start');
  assert.equal(now.operation.state, 'succeeded');
  assert.equal(now.operation.progress, 100);
});

test('starting what runs and stopping what rests change nothing', async () => {
  const user = await server.user();
  const workspace = await user.createWorkspace();
  await user.stop(workspace.id);
  await user.start(workspace.id);
  const [before] = await server.engine.containers(workspace.id);
  await user.start(workspace.id);
  const [after_] = await server.engine.containers(workspace.id);
  assert.equal(after_.Id, before.Id);
  const stopped = (await act(user, workspace, 'stop')).expect(200);
  assert.equal(stopped.body.message, 'Workspace stopped');
  assert.equal(stopped.data.status, 'stopped');
  assert.deepEqual(await server.engine.running(workspace.id), []);
  await user.stop(workspace.id);
  const now = await status(user, workspace);
  assert.equal(now.health, 'stopped');
  assert.ok(!now.containerRunning);
});

test('files and a home outlive stops, restarts and the container itself', async () => {
  const user = await server.user();
  const workspace = await user.createWorkspace({ type: 'vscode' });
  await user.start(workspace.id);
  await user.writeFile(workspace.id, 'work.txt', 'of a morning');
  (await user.application('PUT', workspace.id, '/home-files/settings', { body: 'dark' })).expect(201);
  const [first] = await server.engine.containers(workspace.id);
  const again = (await act(user, workspace, 'restart')).expect(200);
  assert.equal(again.body.message, 'Workspace restarted');
  const [second] = await server.engine.containers(workspace.id);
  assert.notEqual(second.Id, first.Id);
  await user.stop(workspace.id);
  for (const each of await server.engine.containers(workspace.id)) await server.engine.remove(each.Id);
  await user.start(workspace.id);
  assert.equal(await user.readFile(workspace.id, 'work.txt'), 'of a morning');
  assert.equal((await user.application('GET', workspace.id, '/home-files/settings')).expect(200).text, 'dark');
  assert.equal((await user.get(`/api/workspaces/${workspace.id}`)).data.volumeName, `agentdb9-workspace-${workspace.id}`);
});

test('restarting what rests starts it', async () => {
  const user = await server.user();
  const workspace = await user.createWorkspace();
  assert.equal((await act(user, workspace, 'restart')).expect(200).data.status, 'running');
});

test('respond-async answers at once with an operation that can be followed', async () => {
  const user = await server.user();
  const workspace = await user.createWorkspace({ type: 'slow' });
  const began = Date.now();
  const answer = (await act(user, workspace, 'start', later)).expect(202);
  assert.ok(Date.now() - began < 1000);
  assert.equal(answer.data.kind, 'start');
  assert.equal(answer.data.workspaceId, workspace.id);
  assert.equal(answer.data.requestedBy, user.user.id);
  const seen = new Set();
  await eventually('the start to end', async () => {
    const [operation] = await operations(user, workspace);
    assert.equal(operation.id, answer.data.id);
    const { phase, containerRunning } = await status(user, workspace);
    seen.add(phase);
    if (phase === 'running') assert.ok(containerRunning);
    return operation.state === 'succeeded';
  });
  assert.ok(seen.has('probing'), `phases seen: ${[...seen]}`);
});

test('a stop during a start takes its place', async () => {
  const user = await server.user();
  const workspace = await user.createWorkspace({ type: 'slow' });
  const starting = act(user, workspace, 'start');
  await eventually('the container to run', async () => (await server.engine.running(workspace.id)).length === 1);
  assert.equal((await act(user, workspace, 'stop')).expect(200).data.status, 'stopped');
  (await starting).expect(409, 'operation_superseded');
  assert.deepEqual(await server.engine.running(workspace.id), []);
  const [stop, start] = await operations(user, workspace);
  assert.deepEqual([stop.kind, stop.state], ['stop', 'succeeded']);
  assert.deepEqual([start.kind, start.state], ['start', 'superseded']);
});

test('a deletion during a start takes its place, too', async () => {
  const user = await server.user();
  const workspace = await user.createWorkspace({ type: 'slow' });
  const starting = act(user, workspace, 'start');
  await eventually('the container to run', async () => (await server.engine.running(workspace.id)).length === 1);
  (await user.delete(`/api/workspaces/${workspace.id}`)).expect(200);
  (await starting).expect(409, 'operation_superseded');
  assert.deepEqual(await server.engine.containers(workspace.id), []);
});

test('force ends what does not want to end', async () => {
  const user = await server.user();
  const workspace = await user.createWorkspace({ type: 'stubborn' });
  await user.start(workspace.id);
  const began = Date.now();
  (await user.post(`/api/workspaces/${workspace.id}/stop?force=true`)).expect(200);
  assert.ok(Date.now() - began < 3000, `forced within ${Date.now() - began} ms`);
  // Also when it is already being asked politely.
  await user.start(workspace.id);
  const polite = act(user, workspace, 'stop');
  await eventually('the stop to be under way', async () => (await status(user, workspace)).phase === 'stopping');
  const again = Date.now();
  (await user.delete(`/api/workspaces/${workspace.id}?force=true`)).expect(200);
  assert.ok(Date.now() - again < 5000, `forced within ${Date.now() - again} ms`);
  (await polite).expect(409);
  assert.deepEqual(await server.engine.containers(workspace.id), []);
});

test('an application that fails at its start is told with its last words, and can be tried again', async () => {
  const user = await server.user();
  const workspace = await user.createWorkspace({ type: 'failing' });
  for (let tries = 0; tries < 2; ++tries) {
    const answer = await act(user, workspace, 'start');
    assert.equal(answer.code, 'application_ended', answer.text);
    assert.match(answer.body.message, /told to fail at its start/);
    // What is left of it is stopped first.
    const row = await eventually('it to rest as failed', async () => {
      const { data } = (await user.get(`/api/workspaces/${workspace.id}`)).expect(200);
      assert.equal(data.status, 'error');
      return data.phase === 'failed' && data;
    });
    assert.match(row.lastError, /told to fail/);
    // An engine that was about to start it again when it was told to stop it does so once more; it ends by itself.
    await eventually('nothing of it to run', async () => (await server.engine.running(workspace.id)).length === 0);
  }
  (await user.delete(`/api/workspaces/${workspace.id}`)).expect(200);
});

test('an image that is not to be had is a clear error', async () => {
  const user = await server.user();
  const workspace = await user.createWorkspace({ type: 'absent' });
  const answer = (await act(user, workspace, 'start')).expect(409, 'image_unavailable');
  assert.match(answer.body.message, /agentdb9\/no-such-image:never/);
});

test('deleting removes the container, keeps the project, and puts the home into the trash', async () => {
  const user = await server.user();
  const workspace = await user.createWorkspace({ type: 'vscode' });
  const { currentProjectId } = await user.start(workspace.id);
  await user.writeFile(workspace.id, 'work.txt', 'kept');
  const home = (await user.get(`/api/workspaces/${workspace.id}`)).data.volumeName;
  const answer = (await user.delete(`/api/workspaces/${workspace.id}`)).expect(200);
  assert.equal(answer.data, null);
  (await user.get(`/api/workspaces/${workspace.id}`)).expect(404);
  assert.deepEqual(await server.engine.containers(workspace.id), []);
  const project = (await user.get(`/api/projects/${currentProjectId}`)).expect(200).data;
  assert.equal(project.workspaceId, null);
  assert.ok(await server.engine.volumeExists(project.volumeName));
  assert.ok(await server.engine.volumeExists(home));
  const [trashed] = (await user.get('/api/trash')).data;
  assert.deepEqual([trashed.kind, trashed.volumeName], ['home', home]);
  assert.equal((await user.post(`/api/trash/${trashed.id}/restore`)).expect(200).body.message, 'Workspace restored');
  const back = (await user.get(`/api/workspaces/${workspace.id}`)).expect(200).data;
  assert.equal(back.volumeName, home);
  await user.switchProject(workspace.id, project.id);
  await user.start(workspace.id);
  assert.equal(await user.readFile(workspace.id, 'work.txt'), 'kept');
});

test('eight who start one workspace at once get one container', async () => {
  const user = await server.user();
  const workspace = await user.createWorkspace();
  const answers = await Promise.all(Array.from({ length: 8 }, () => act(user, workspace, 'start')));
  for (const each of answers) each.expect(200);
  assert.equal((await server.engine.containers(workspace.id)).length, 1);
  assert.equal((await operations(user, workspace)).length, 1, 'they share one operation');
});

test('sixteen workspaces start at once', async () => {
  const user = await server.user();
  const workspaces = await Promise.all(Array.from({ length: 16 }, () => user.createWorkspace()));
  const answers = await Promise.all(workspaces.map((each) => act(user, each, 'start')));
  for (const each of answers) each.expect(200);
  const running = await Promise.all(workspaces.map((each) => server.engine.running(each.id)));
  assert.ok(running.every((each) => each.length === 1));
  const addresses = running.map(([each]) => each.NetworkSettings.Networks[server.network].IPAddress);
  assert.equal(new Set(addresses).size, 16, 'each has an address of its own');
  const answered = await Promise.all(workspaces.map((each) => user.application('GET', each.id, '/env')));
  answered.forEach((each, index) => assert.equal(each.expect(200).body.WORKSPACE_ID, workspaces[index].id));
  const gone = await Promise.all(workspaces.map((each) => user.delete(`/api/workspaces/${each.id}?force=true`)));
  for (const each of gone) each.expect(200);
  assert.equal((await user.get('/api/workspaces')).data.length, 0);
});

test('a storm of contradicting requests ends in what was asked for last', async () => {
  const user = await server.user();
  const workspace = await user.createWorkspace();
  const verbs = ['start', 'stop', 'restart', 'start', 'stop', 'restart', 'start', 'stop', 'start'];
  const answers = [];
  for (const verb of verbs) answers.push(await act(user, workspace, verb, later));
  for (const each of answers) assert.ok([200, 202, 409].includes(each.status), each.text);
  await user.start(workspace.id);
  assert.equal((await server.engine.running(workspace.id)).length, 1);
  const states = (await operations(user, workspace)).map((each) => each.state);
  assert.ok(states.every((each) => ['succeeded', 'superseded'].includes(each)), states.join());
});
