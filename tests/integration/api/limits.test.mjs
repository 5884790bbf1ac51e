// What a workspace may use: set within the operator's bounds, and seen in its container, with which nothing else
// happens.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';

import { EngineProxy } from '../../support/engine_proxy.mjs';
import { engineCall } from '../../support/engine.mjs';
import { eventually } from '../../support/eventually.mjs';
import { Person } from '../../support/person.mjs';
import { startServer, testType } from '../../support/server.mjs';

const MB = 1024 * 1024;
const bounded = `resourceLimits = { cpus = 1.0, memory = 256, memoryReservation = 64, pids = 100, shmSize = 128, ulimits = { nofile = 2048 } }
maximumLimits = { cpus = 2.0, memory = 512, pids = 200, shmSize = 256, ulimits = { nofile = 4096, nproc = 500 } }`;

let proxy, server, user;
before(async () => {
  proxy = await new EngineProxy().open();
  server = await startServer({ toml: testType('bounded', {}, bounded), environment: { DOCKER_HOST: proxy.host } });
  user = await server.user('ada');
});
after(async () => {
  await server.close();
  await proxy.remove();
});

const set = (workspace, resourceLimits) => user.put(`/api/workspaces/${workspace.id}`, { resourceLimits });
const limits = async (workspace) => (await user.get(`/api/workspaces/${workspace.id}/limits`)).expect(200).data;
const container = (workspace) => server.engine.inspect(`agentdb9-workspace-${workspace.id}`);
const within = (workspace, ...words) => execFileSync('docker', ['exec', `agentdb9-workspace-${workspace.id}`, ...words], { encoding: 'utf8' }).trim();
const memoryMax = (workspace) => within(workspace, 'sh', '-c', 'cat /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/memory/memory.limit_in_bytes');

async function started(fields = {}) {
  const workspace = await user.createWorkspace({ type: 'bounded', ...fields });
  await user.start(workspace.id);
  return workspace;
}

test('a type tells its limits and the most that can be set', async () => {
  const types = (await user.get('/api/workspaces/types')).expect(200).data;
  const type = types.find((each) => each.type === 'bounded');
  assert.deepEqual(type.resourceLimits, { cpus: 1, memory: 256, memoryReservation: 64, pids: 100, shmSize: 128, ulimits: { nofile: 2048 } });
  assert.deepEqual(type.maximumLimits, { cpus: 2, memory: 512, memoryReservation: 512, pids: 200, shmSize: 256, ulimits: { nofile: 4096, nproc: 500 } });
  // One without bounds: its own are the most.
  const plain = types.find((each) => each.type === 'spreadsheet');
  assert.deepEqual({ ...plain.maximumLimits, memoryReservation: 0 }, { ...plain.resourceLimits, memoryReservation: 0 });
});

test('a container has what was set before it was made, as its processes see it', async () => {
  const workspace = await started({ resourceLimits: { cpus: 1.5, memory: 300, pids: 150, shmSize: 64, ulimits: { nofile: 1024, nproc: 400 } } });
  assert.deepEqual(workspace.resourceLimits, { cpus: 1.5, memory: 300, pids: 150, shmSize: 64, ulimits: { nofile: 1024, nproc: 400 } });
  const { HostConfig: made } = await container(workspace);
  assert.equal(made.NanoCpus, 1_500_000_000);
  assert.equal(made.Memory, 300 * MB);
  assert.equal(made.MemorySwap, 300 * MB);
  assert.equal(made.MemoryReservation, 64 * MB);
  assert.equal(made.PidsLimit, 150);
  assert.equal(made.ShmSize, 64 * MB);
  assert.equal(memoryMax(workspace), String(300 * MB));
  assert.equal(within(workspace, 'sh', '-c', 'ulimit -n'), '1024');
  assert.match(within(workspace, 'cat', '/proc/mounts'), /\/dev\/shm tmpfs \S*size=65536k/);
  assert.deepEqual((await limits(workspace)).inForce, { cpus: 1.5, memory: 300, memoryReservation: 64, pids: 150, shmSize: 64, ulimits: { nofile: 1024, nproc: 400 } });
});

test('what runs is given others at once: it is the same container, which goes on', async () => {
  const workspace = await started();
  await user.writeFile(workspace.id, 'kept', 'here');
  const before = await container(workspace);
  const answer = (await set(workspace, { cpus: 0.5, memory: 200, memoryReservation: 32, pids: 90 })).expect(200);
  assert.deepEqual(answer.body.appliesAt, { cpus: 'now', memory: 'now', memoryReservation: 'now', pids: 'now' });
  assert.equal(answer.body.limitsProblem, undefined);
  assert.deepEqual(answer.data.resourceLimits, { cpus: 0.5, memory: 200, memoryReservation: 32, pids: 90 });
  const now = await container(workspace);
  assert.equal(now.Id, before.Id);
  assert.equal(now.State.StartedAt, before.State.StartedAt);
  assert.equal(now.HostConfig.Memory, 200 * MB);
  assert.equal(now.HostConfig.MemorySwap, 200 * MB);
  assert.equal(now.HostConfig.NanoCpus, 500_000_000);
  assert.equal(now.HostConfig.PidsLimit, 90);
  assert.equal(memoryMax(workspace), String(200 * MB));
  assert.equal(await user.readFile(workspace.id, 'kept'), 'here');
  // More again, and then the type's.
  assert.deepEqual((await set(workspace, { memory: 512 })).expect(200).body.appliesAt, { memory: 'now' });
  assert.equal(memoryMax(workspace), String(512 * MB));
  const reset = (await set(workspace, null)).expect(200);
  assert.equal(reset.data.resourceLimits, null);
  assert.equal(memoryMax(workspace), String(256 * MB));
  const last = await container(workspace);
  assert.equal(last.Id, before.Id);
  assert.deepEqual((await user.get(`/api/workspaces/${workspace.id}/operations`)).data.map((each) => each.kind), ['start'], 'it is no operation');
  // The same container is started again: nothing about it is out of date.
  await user.stop(workspace.id);
  await user.start(workspace.id);
  assert.equal((await container(workspace)).Id, before.Id);
});

test('what a container is made with comes with the next start, and the answer says so', async () => {
  const workspace = await started();
  const before = await container(workspace);
  const answer = (await set(workspace, { memory: 300, shmSize: 256, ulimits: { nofile: 512 } })).expect(200);
  assert.deepEqual(answer.body.appliesAt, { memory: 'now', shmSize: 'next_start', ulimits: 'next_start' });
  assert.equal((await container(workspace)).Id, before.Id);
  assert.deepEqual((await limits(workspace)).pending, ['shmSize', 'ulimits']);
  await user.stop(workspace.id);
  assert.deepEqual((await limits(workspace)).pending, []);
  assert.deepEqual((await set(workspace, { cpus: 2 })).expect(200).body.appliesAt, { cpus: 'next_start' });
  await user.start(workspace.id);
  const now = await container(workspace);
  assert.notEqual(now.Id, before.Id);
  assert.equal(now.HostConfig.ShmSize, 256 * MB);
  assert.equal(now.HostConfig.Memory, 300 * MB);
  assert.equal(now.HostConfig.NanoCpus, 2_000_000_000);
  assert.deepEqual(now.HostConfig.Ulimits, [{ Name: 'nofile', Soft: 512, Hard: 512 }]);
  assert.deepEqual((await limits(workspace)).pending, []);
});

test('less memory than it uses is not given while it runs, and nothing in it ends', async () => {
  const workspace = await started();
  const before = await container(workspace);
  within(workspace, 'sh', '-c', 'head -c 104857600 /dev/zero > /dev/shm/held');
  const answer = (await set(workspace, { memory: 64, pids: 80 })).expect(200);
  assert.deepEqual(answer.body.appliesAt, { memory: 'next_start', pids: 'now' });
  assert.match(answer.body.limitsProblem, /^It uses 1\d\d MB of memory now and would be ended with 64 MB/);
  const now = await container(workspace);
  assert.equal(now.Id, before.Id);
  assert.equal(now.State.OOMKilled, false);
  assert.equal(now.HostConfig.Memory, 256 * MB);
  assert.equal(now.HostConfig.PidsLimit, 80);
  assert.match((await limits(workspace)).problem, /would be ended/);
  (await user.post(`/api/workspaces/${workspace.id}/restart`)).expect(200);
  assert.equal((await container(workspace)).HostConfig.Memory, 64 * MB);
  assert.equal((await limits(workspace)).problem, null);
});

test('what somebody changed behind the server is put right', async () => {
  const workspace = await started();
  const { Id: id } = await container(workspace);
  assert.equal((await engineCall('POST', `/containers/${id}/update`, { Memory: 400 * MB, MemorySwap: 400 * MB })).status, 200);
  (await user.put(`/api/workspaces/${workspace.id}`, { resourceLimits: { pids: 99 } })).expect(200);
  assert.equal((await container(workspace)).HostConfig.Memory, 256 * MB);
});

describe('what is wrong is refused by field', () => {
  const refused = async (body, field, problem) => {
    for (const answer of [await user.post('/api/workspaces', { type: 'bounded', ...body }), await user.put(`/api/workspaces/${(await workspace()).id}`, body)]) {
      answer.expect(400);
      const detail = answer.body.details.find((each) => each.field === field);
      assert.ok(detail, JSON.stringify(answer.body));
      assert.match(detail.problem, problem);
    }
  };
  let one;
  const workspace = async () => (one ??= await user.createWorkspace({ type: 'bounded' }));

  test('beyond the bounds, and below what can be', async () => {
    await refused({ resourceLimits: { cpus: 2.5 } }, 'resourceLimits.cpus', /must be 0\.01 to 2 processors/);
    await refused({ resourceLimits: { memory: 513 } }, 'resourceLimits.memory', /must be 6 to 512 MB/);
    await refused({ resourceLimits: { memory: 5 } }, 'resourceLimits.memory', /must be 6 to 512 MB/);
    await refused({ resourceLimits: { pids: 201 } }, 'resourceLimits.pids', /must be 1 to 200/);
    await refused({ resourceLimits: { shmSize: 0 } }, 'resourceLimits.shmSize', /must be 1 to 256 MB/);
    await refused({ resourceLimits: { memory: 100, memoryReservation: 101 } }, 'resourceLimits.memoryReservation', /not be more than the workspace's memory, 100 MB/);
    await refused({ resourceLimits: { ulimits: { nofile: 4097 } } }, 'resourceLimits.ulimits.nofile', /must be 0 to 4096/);
    await refused({ resourceLimits: { ulimits: { core: 1 } } }, 'resourceLimits.ulimits.core', /cannot be set for this type/);
    await refused({ resourceLimits: { ulimits: { rtprio: 1 } } }, 'resourceLimits.ulimits.rtprio', /not the name of a limit/);
    assert.equal((await user.get(`/api/workspaces/${one.id}`)).data.resourceLimits, null, 'nothing of it is kept');
  });

  test('the wrong kind, and what there is not', async () => {
    for (const odd of [1, 'x', [], true]) await refused({ resourceLimits: odd }, 'resourceLimits', /must be an object/);
    for (const odd of ['2', [], {}, true]) {
      await refused({ resourceLimits: { cpus: odd } }, 'resourceLimits.cpus', /must be a number/);
      await refused({ resourceLimits: { memory: odd } }, 'resourceLimits.memory', /must be a whole number/);
    }
    await refused({ resourceLimits: { memory: 100.5 } }, 'resourceLimits.memory', /must be a whole number/);
    await refused({ resourceLimits: { memory: 1e300 } }, 'resourceLimits.memory', /must be a whole number/);
    await refused({ resourceLimits: { ulimits: [] } }, 'resourceLimits.ulimits', /must be an object/);
    await refused({ resourceLimits: { ulimits: { nofile: 'many' } } }, 'resourceLimits.ulimits.nofile', /must be a whole number/);
    await refused({ resourceLimits: { memmory: 100 } }, 'resourceLimits.memmory', /is not a field/);
    await refused({ resourceLimits: { memory: 100, x: 'y'.repeat(5000) } }, 'resourceLimits', /must not be larger/);
  });

  test("another user's", async () => {
    const stranger = await server.user('eve');
    const { id } = await workspace();
    assert.equal((await stranger.get(`/api/workspaces/${id}/limits`)).expect(404).body.code, 'workspace_not_found');
    (await stranger.put(`/api/workspaces/${id}`, { resourceLimits: { memory: 100 } })).expect(404);
    (await server.nobody().get(`/api/workspaces/${id}/limits`)).expect(401);
    (await user.get('/api/workspaces/nonsense/limits')).expect(400);
  });
});

test('while the engine is away it is recorded, and comes when that is back', async () => {
  const workspace = await started();
  const { Id: id } = await container(workspace);
  await proxy.close();
  await eventually('the server to notice', async () => (await user.get('/readyz')).status === 503, { within: 20_000 });
  const answer = (await set(workspace, { memory: 111 })).expect(200);
  assert.deepEqual(answer.data.resourceLimits, { memory: 111 });
  assert.equal((await limits(workspace)).inForce.memory, 111);
  await proxy.open();
  await eventually('it to be given it', async () => (await container(workspace)).HostConfig.Memory === 111 * MB, { within: 60_000 });
  assert.equal((await container(workspace)).Id, id);
});

test('many changes at once end with one of them, whole', async () => {
  const workspace = await started();
  const { Id: id } = await container(workspace);
  const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => set(workspace, { memory: 100 + i, pids: 100 + i })));
  for (const each of answers) each.expect(200);
  const { memory, pids } = (await user.get(`/api/workspaces/${workspace.id}`)).data.resourceLimits;
  assert.equal(memory, pids);
  await eventually('the container to have them', async () => {
    const { Id, HostConfig: now } = await container(workspace);
    assert.equal(Id, id);
    return now.Memory === memory * MB && now.PidsLimit === pids;
  }, { within: 30_000 });
});

test('the command line shows and changes them', async () => {
  const person = new Person();
  await person.login(server, user);
  (await person.run('workspaces', 'create', 'small', '--type', 'bounded', '--cpus', '0.5', '--memory', '128', '--ulimit', 'nofile=99')).expect(0);
  assert.match((await person.run('ws', 'limits', 'small')).expect(0).stdout, /^memory \(MB\) +128 +128 +512 +now$/m);
  (await person.run('ws', 'start', 'small')).expect(0);
  assert.equal((await person.run('ws', 'limits', 'small', '--memory', '130', '--shm-size', '32')).expect(0).stdout, "'small' has other limits: memory now, shmSize at the next start.\n");
  assert.match((await person.run('ws', 'limits', 'small')).expect(0).stdout, /^shm size \(MB\) +32 +32 +256 +the next start$/m);
  const shown = (await person.run('ws', 'limits', 'small', '--json')).expect(0).json;
  assert.deepEqual(shown.pending, ['shmSize']);
  assert.deepEqual((await person.run('ws', 'limits', 'small', '--reset', '--pids', '50', '--json')).expect(0).json.workspace.resourceLimits, { pids: 50 });
  const refused = await person.run('ws', 'limits', 'small', '--memory', '9999');
  assert.notEqual(refused.code, 0);
  assert.match(refused.stderr, /must be 6 to 512 MB/);
  assert.notEqual((await person.run('ws', 'limits', 'small', '--memory', 'much')).code, 0);
  assert.match((await person.run('ws', 'limits', 'small', '--ulimit', 'nofile')).stderr, /must be NAME=NUMBER/);
});
