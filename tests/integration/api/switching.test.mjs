// Switching the project of a running workspace: nobody who uses it meanwhile sees a failure, and every file is
// where it was.
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';

import { exchange } from '../../support/api_client.mjs';
import { eventually } from '../../support/eventually.mjs';
import { startServer, testType } from '../../support/server.mjs';

let server;
before(async () => (server = await startServer({ toml: testType('slow', { START_DELAY: 1500 }) })));
after(() => server.close());

// A workspace that runs on the first of two projects, each with a file that says which it is.
async function withTwoProjects(type) {
  const user = await server.user();
  const workspace = await user.createWorkspace({ type });
  const [a, b] = [await user.createProject({ name: 'A' }), await user.createProject({ name: 'B' })];
  await user.switchProject(workspace.id, b.id);
  await user.start(workspace.id);
  await user.writeFile(workspace.id, 'which', 'B');
  await user.switchProject(workspace.id, a.id);
  await user.writeFile(workspace.id, 'which', 'A');
  return { user, workspace, a, b };
}

async function onlyInstance(user, workspace, project) {
  const container = await eventually('one instance to be left, with the plain name', async () => {
    const all = await server.engine.containers(workspace.id);
    return all.length === 1 && all[0].Names.includes(`/agentdb9-workspace-${workspace.id}`) && all[0];
  }, { within: 15_000 });
  assert.equal(container.State, 'running');
  assert.ok(container.Mounts.some((each) => each.Name === project.volumeName && each.Destination === '/workspace'));
  assert.equal((await user.get(`/api/workspaces/${workspace.id}`)).data.currentProjectId, project.id);
}

// Uses the application in many ways at once until told to stop; `reads` are what the file said, with the time.
function useMeanwhile(user, workspace) {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const failures = [];
  const reads = [];
  let requests = 0;
  let going = true;
  const loop = async (what, ask) => {
    while (going) {
      const began = Date.now();
      ++requests;
      try {
        const answer = await ask(began);
        if (answer.status !== 200) failures.push(`${what}, from ${began} to ${Date.now()}: ${answer.status} ${answer.text.slice(0, 400)}`);
      } catch (error) {
        failures.push(`${what}: ${error.message}`);
      }
    }
  };
  const path = (rest) => `/api/workspaces/${workspace.id}/proxy${rest}`;
  const headers = { Authorization: `Bearer ${user.token}` };
  const read = async (began, options) => {
    const answer = await exchange(server.api, 'GET', path('/files/which'), { headers, ...options });
    reads.push({ began, text: answer.text });
    return answer;
  };
  const post = async (options) => {
    const answer = await exchange(server.api, 'POST', path('/echo'), { headers, body: 'x'.repeat(5000), ...options });
    if (answer.status === 200 && answer.body.bodyLength !== 5000) failures.push(`a body of ${answer.body.bodyLength} bytes arrived`);
    return answer;
  };
  const loops = [
    ...[1, 2, 3].map(() => loop('GET, kept connection', (began) => read(began, { agent }))),
    ...[1, 2].map(() => loop('GET, fresh connection', (began) => read(began, { agent: false }))),
    loop('POST, kept connection', () => post({ agent })),
    loop('POST, fresh connection', () => post({ agent: false })),
    loop('a slow GET', () => exchange(server.api, 'GET', path('/slow?ms=150'), { headers, agent })),
  ];
  return {
    async end() {
      going = false;
      await Promise.all(loops);
      agent.destroy();
      return { failures, reads, requests };
    },
  };
}

for (const [type, how, switches] of [['spreadsheet', 'beside one another', 6], ['vscode', 'one after the other', 4]]) {
  test(`under load not one request fails, where instances run ${how}`, async () => {
    const { user, workspace, a, b } = await withTwoProjects(type);
    const load = useMeanwhile(user, workspace);
    const switched = [];
    for (let count = 0; count < switches; ++count) {
      const project = count % 2 === 0 ? b : a;
      const asked = Date.now();
      await user.switchProject(workspace.id, project.id);
      switched.push({ asked, done: Date.now(), name: project.name });
    }
    const { failures, reads, requests } = await load.end();
    const told = () => `of ${requests} requests; ${JSON.stringify(switched)}\n${server.log.slice(-60).map((each) => JSON.stringify(each)).join('\n')}`;
    assert.deepEqual(failures, [], failures.length ? told() : undefined);
    assert.ok(requests > 200, `only ${requests} requests`);
    // Who asks after the switch was answered, and before the next one is asked for, reads the new project.
    for (const [index, { done, name }] of switched.entries()) {
      const until = switched[index + 1]?.asked ?? Infinity;
      for (const each of reads) if (each.began > done && each.began < until && each.text !== name) {
        // It may have been held over the beginning of the next switch.
        assert.ok(index + 1 < switched.length && until - each.began < 50, `${each.text} after the switch to ${name}`);
      }
    }
    await onlyInstance(user, workspace, a);
    assert.equal(await user.readFile(workspace.id, 'which'), 'A');
  });
}

test('who is still being answered is, also when the switch is taken back at once', async () => {
  const { user, workspace, a, b } = await withTwoProjects('spreadsheet');
  // One that may not be asked again.
  const slow = user.application('POST', workspace.id, '/slow?ms=3000', { body: 'x' });
  await eventually('the application to be at it', async () => / 1$/m.test((await server.nobody().get('/metrics')).text.match(/^agentdb9_relays_in_flight.*$/m)?.[0] ?? ''));
  await user.switchProject(workspace.id, b.id);
  await user.switchProject(workspace.id, a.id);
  assert.equal((await slow).status, 200);
  await onlyInstance(user, workspace, a);
  assert.equal(await user.readFile(workspace.id, 'which'), 'A');
});

test('files of every project stay where they are, through many switches', async () => {
  const { user, workspace, a, b } = await withTwoProjects('spreadsheet');
  for (let count = 0; count < 4; ++count) {
    const [project, name] = count % 2 === 0 ? [b, 'B'] : [a, 'A'];
    await user.switchProject(workspace.id, project.id);
    assert.equal(await user.readFile(workspace.id, 'which'), name);
    await user.writeFile(workspace.id, `note-${count}`, `${count}`);
  }
  assert.deepEqual(await user.files(workspace.id), ['note-1', 'note-3', 'which']);
  await user.switchProject(workspace.id, b.id);
  assert.deepEqual(await user.files(workspace.id), ['note-0', 'note-2', 'which']);
  await onlyInstance(user, workspace, b);
});

test('the home goes along from project to project', async () => {
  const { user, workspace, b } = await withTwoProjects('vscode');
  (await user.application('PUT', workspace.id, '/home-files/settings', { body: 'dark' })).expect(201);
  await user.switchProject(workspace.id, b.id);
  assert.equal((await user.application('GET', workspace.id, '/home-files/settings')).expect(200).text, 'dark');
});

test('one that rests only points to the other project', async () => {
  const user = await server.user();
  const workspace = await user.createWorkspace();
  const project = await user.createProject();
  const answer = await user.switchProject(workspace.id, project.id);
  assert.equal(answer.currentProjectId, project.id);
  assert.equal(answer.status, 'active');
  assert.deepEqual(await server.engine.containers(workspace.id), []);
  assert.equal((await user.get(`/api/projects/${project.id}`)).data.workspaceId, null, 'a switch assigns nothing');
});

test('open sockets are told, and a new one reaches the new project', async () => {
  const { user, workspace, b } = await withTwoProjects('spreadsheet');
  const open = () => new Promise((resolve, reject) => {
    const socket = new WebSocket(`${server.api.replace('http', 'ws')}/api/workspaces/${workspace.id}/proxy/ws`, { headers: { Authorization: `Bearer ${user.token}` } });
    socket.on('open', () => resolve(socket)).on('error', reject);
  });
  const socket = await open();
  const closed = new Promise((resolve) => socket.on('close', (code) => resolve(code)));
  await user.switchProject(workspace.id, b.id);
  assert.equal(await closed, 1012);
  (await open()).terminate();
});

test('a switch to what is current changes nothing; the newest of many wins', async () => {
  const { user, workspace, a, b } = await withTwoProjects('spreadsheet');
  await onlyInstance(user, workspace, a);
  const [before] = await server.engine.containers(workspace.id);
  await user.switchProject(workspace.id, a.id);
  assert.equal((await server.engine.running(workspace.id))[0].Id, before.Id);
  const c = await user.createProject({ name: 'C' });
  const later = { headers: { Prefer: 'respond-async' } };
  for (const project of [b, a, c, b]) (await user.post(`/api/workspaces/${workspace.id}/switch-project`, { projectId: project.id }, later));
  await user.switchProject(workspace.id, c.id);
  assert.deepEqual(await user.files(workspace.id), []);
  await onlyInstance(user, workspace, c);
});

test('a replacement that does not come up leaves the old one at work', async () => {
  const { user, workspace, a, b } = await withTwoProjects('spreadsheet');
  await onlyInstance(user, workspace, a);
  // The engine has lost the other project's volume.
  await server.engine.removeVolume(b.volumeName);
  const left = (await server.engine.containers()).filter((each) => each.Mounts.some((mount) => mount.Name === b.volumeName));
  for (const each of left) await server.engine.remove(each.Id);
  await eventually('the volume to go', async () => {
    await server.engine.removeVolume(b.volumeName);
    return !(await server.engine.volumeExists(b.volumeName));
  });
  const load = useMeanwhile(user, workspace);
  const answer = await user.post(`/api/workspaces/${workspace.id}/switch-project`, { projectId: b.id });
  answer.expect(409, 'volume_missing');
  const { failures } = await load.end();
  assert.deepEqual(failures, []);
  assert.equal(await user.readFile(workspace.id, 'which'), 'A');
  const status = (await user.get(`/api/workspaces/${workspace.id}/status`)).expect(200).data;
  assert.equal(status.phase, 'running');
  assert.equal(status.operation.state, 'failed');
  assert.match(status.operation.error, /gone from the engine/);
  await onlyInstance(user, workspace, a);
  assert.ok(!(await server.engine.volumeExists(b.volumeName)), 'no empty volume in the place of a lost one');
});

test('a stop during a switch stops it, and it rests on the old project', async () => {
  const user = await server.user();
  const workspace = await user.createWorkspace({ type: 'slow' });
  const project = await user.createProject();
  const { currentProjectId } = await user.start(workspace.id);
  const switching = user.post(`/api/workspaces/${workspace.id}/switch-project`, { projectId: project.id });
  await eventually('the replacement to run', async () => (await server.engine.running(workspace.id)).length === 2);
  await user.stop(workspace.id);
  (await switching).expect(409, 'operation_superseded');
  assert.deepEqual(await server.engine.running(workspace.id), []);
  assert.equal((await user.get(`/api/workspaces/${workspace.id}`)).data.currentProjectId, currentProjectId);
});
