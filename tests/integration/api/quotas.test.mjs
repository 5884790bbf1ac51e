// How much a user may have: what is over it is refused with its numbers, and what runs goes on.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';

import { ApiClient } from '../../support/api_client.mjs';
import { on } from '../../support/command.mjs';
import { eventually } from '../../support/eventually.mjs';
import { Person } from '../../support/person.mjs';
import { startPostgres } from '../../support/postgres_server.mjs';
import { startServer } from '../../support/server.mjs';

const path = '/api/workspaces/quota';
const start = (user, workspace) => user.post(`/api/workspaces/${workspace.id}/start`);
const refusal = (answer, status) => {
  assert.equal(answer.expect(status).body.code, 'quota_exceeded');
  return Object.fromEntries(answer.body.details.map(({ field, limit, used, asked }) => [field, [limit, used, asked]]));
};

let server, admin, user;
before(async () => {
  server = await startServer({ toml: '[quotas]\nworkspaces = 4\nrunning = 2\n' });
  admin = await server.admin();
});
after(() => server.close());
beforeEach(async () => (user = await server.user('ada')));

const allow = async (quota, of = user) => (await admin.put(`/api/admin/users/${of.user.id}/quota`, quota)).expect(200).data;
const several = async (count) => Promise.all(Array.from({ length: count }, () => user.createWorkspace()));

test('what all may have is the configuration\'s, and everybody sees their own', async () => {
  const [one] = await several(2);
  await user.start(one.id);
  assert.deepEqual((await user.get(path)).expect(200).data, {
    limits: { workspaces: 4, running: 2, cpus: null, memory: null, volumeBytes: null },
    used: { workspaces: 2, running: 1, cpus: 1, memory: 1024, volumeBytes: null },
  });
  (await server.nobody().get(path)).expect(401);
});

test('no more are created, and of them no more started, than one may have', async () => {
  const all = await several(4);
  assert.deepEqual(refusal(await user.post('/api/workspaces', { type: 'spreadsheet' }), 403), { workspaces: [4, 4, 1] });
  await user.start(all[0].id);
  await user.start(all[1].id);
  const refused = await start(user, all[2]);
  assert.deepEqual(refusal(refused, 409), { running: [2, 2, 1] });
  assert.match(refused.body.error, /at most 2 running workspaces, 2 in use, 1 asked for\. Stop another workspace/);
  assert.equal((await user.get(`/api/workspaces/${all[2].id}`)).data.status, 'active', 'nothing of it stays');
  (await start(user, all[0])).expect(200);
  (await user.post(`/api/workspaces/${all[0].id}/restart`)).expect(200);
  await user.switchProject(all[0].id, (await user.createProject()).id);
  refusal(await user.post(`/api/workspaces/${all[2].id}/restart`), 409);
  await user.stop(all[0].id);
  await user.start(all[2].id);
  (await user.delete(`/api/workspaces/${all[3].id}`)).expect(200);
  await user.createWorkspace();
});

test('limits add up to processors and memory, those of a running one too when they are raised', async () => {
  await allow({ cpus: 1.5, memory: 1536 });
  const [one, two] = await several(2);
  await user.start(one.id);
  assert.deepEqual(refusal(await start(user, two), 409), { cpus: [1.5, 1, 1], memory: [1536, 1024, 1024] });
  const set = (workspace, resourceLimits) => user.put(`/api/workspaces/${workspace.id}`, { resourceLimits });
  (await set(two, { cpus: 0.5, memory: 512 })).expect(200);
  (await start(user, two)).expect(200);
  assert.deepEqual(refusal(await set(two, { cpus: 0.6 }), 409), { cpus: [1.5, 1.5, 0.1] });
  (await set(one, { cpus: 0.9 })).expect(200);
  (await set(two, { cpus: 0.6 })).expect(200);
});

test('two at once do not both get the last one', async () => {
  await allow({ workspaces: 3, running: 1 });
  const [one, two] = await several(2);
  const created = await Promise.all(Array.from({ length: 6 }, () => user.post('/api/workspaces', { type: 'spreadsheet' })));
  assert.deepEqual(created.map((each) => each.status).sort(), [201, 403, 403, 403, 403, 403]);
  const begun = await Promise.all([one, two, one, two].map((each) => user.post(`/api/workspaces/${each.id}/start`, undefined, { headers: { Prefer: 'respond-async' } })));
  assert.deepEqual(begun.map((each) => each.status).sort(), [202, 202, 409, 409], 'the same one twice is one');
  assert.equal((await user.get(path)).data.used.running, 1);
});

test('what is wanted to run stays so, though there is no room for it any more', async () => {
  const [one] = await several(1);
  await user.start(one.id);
  const limits = await allow({ workspaces: 1, running: 1, cpus: 0.5, memory: 10 });
  assert.deepEqual(limits.limits, { workspaces: 1, running: 1, cpus: 0.5, memory: 10, volumeBytes: null });
  const [container] = await server.engine.running(one.id);
  await server.engine.remove(container.Id);
  await eventually('another one in its place', async () => (await server.engine.running(one.id)).length === 1, { within: 60_000 });
  await eventually('it to be at rest', async () => (await user.get(`/api/workspaces/${one.id}`)).data.phase === 'running', { within: 60_000 });
  await user.stop(one.id);
  assert.deepEqual(Object.keys(refusal(await start(user, one), 409)).sort(), ['cpus', 'memory']);
});

test('a request that would wake a workspace is told, too', async () => {
  await allow({ running: 1 });
  const one = await user.createWorkspace();
  const asleep = await user.createWorkspace({ wakeOnRequest: true });
  await user.start(one.id);
  const answer = await user.application('GET', asleep.id, '/');
  assert.equal(answer.status, 409);
  assert.equal(answer.body.code, 'quota_exceeded');
  await user.stop(one.id);
  assert.equal((await user.application('GET', asleep.id, '/')).body.code, 'workspace_starting');
});

test('a workspace that comes back from the trash counts', async () => {
  await allow({ workspaces: 1 });
  const gone = await user.createWorkspace({ type: 'vscode' });
  await user.start(gone.id);
  (await user.delete(`/api/workspaces/${gone.id}`)).expect(200);
  const other = await user.createWorkspace();
  const [lying] = (await user.get('/api/trash')).expect(200).data.filter((each) => each.ownerId === gone.id);
  assert.deepEqual(refusal(await user.post(`/api/trash/${lying.id}/restore`), 403), { workspaces: [1, 1, 1] });
  (await user.delete(`/api/workspaces/${other.id}`)).expect(200);
  (await user.post(`/api/trash/${lying.id}/restore`)).expect(200);
});

test('volumes are measured, and over their limit nothing new begins', async () => {
  const one = await user.createWorkspace();
  await user.start(one.id);
  await user.writeFile(one.id, 'large', Buffer.alloc(3 * 1024 * 1024, 'x'));
  await allow({ volumeBytes: 2 * 1024 * 1024 });
  await server.restart();  // it measures when it starts, then every hour
  const used = await eventually('it to be measured', async () => (await user.get(path)).data?.used.volumeBytes, { within: 60_000 });
  assert.ok(used >= 3 * 1024 * 1024 && used < 4 * 1024 * 1024, String(used));
  assert.deepEqual(refusal(await user.post('/api/workspaces', { type: 'spreadsheet' }), 403), { volumeBytes: [2 * 1024 * 1024, used, 0] });
  // Nor is anything copied; what is there may be backed up and brought back.
  const project = (await user.get('/api/projects')).data.find((each) => each.workspaceId === one.id || each.name === one.name);
  assert.deepEqual(refusal(await user.post(`/api/projects/${project.id}/clone`, {}), 403), { volumeBytes: [2 * 1024 * 1024, used, 0] });
  refusal(await user.send('POST', '/api/projects/import?name=more', { body: Buffer.from('x'), headers: { 'Content-Type': 'application/octet-stream' } }), 403);
  const backup = (await user.post(`/api/projects/${project.id}/backups`, {})).expect(201).data;
  refusal(await user.post(`/api/projects/${project.id}/restore`, { backupId: backup.id, newProject: {} }), 403);
  assert.equal((await user.get('/api/projects')).data.length, 1);
  assert.equal(await user.readFile(one.id, 'large').then((text) => text.length), 3 * 1024 * 1024, 'what runs goes on');
  await user.stop(one.id);
  (await user.post(`/api/projects/${project.id}/restore`, { backupId: backup.id })).expect(200);
  assert.deepEqual(Object.keys(refusal(await start(user, one), 409)), ['volumeBytes']);
  await allow({ volumeBytes: null });
  await user.start(one.id);
});

describe('who may set it, and what', () => {
  test('admins alone', async () => {
    const of = `/api/admin/users/${user.user.id}/quota`;
    for (const ask of [() => user.get(of), () => user.put(of, { running: 9 })]) assert.equal((await ask()).expect(403).body.code, 'admin_required');
    (await server.nobody().get(of)).expect(401);
    const other = await server.user('eve');
    (await other.get(of)).expect(403);
    for (const id of ['nonsense', '00000000-0000-4000-8000-000000000000']) {
      const status = id === 'nonsense' ? 400 : 404;
      (await admin.get(`/api/admin/users/${id}/quota`)).expect(status);
      (await admin.put(`/api/admin/users/${id}/quota`, { running: 'x' })).expect(status);
    }
  });

  test('numbers, null for what holds for all, 0 for no limit', async () => {
    const of = `/api/admin/users/${user.user.id}/quota`;
    assert.deepEqual((await allow({ running: 0, cpus: 2.5 })).overrides, { workspaces: null, running: 0, cpus: 2.5, memory: null, volumeBytes: null });
    assert.deepEqual((await allow({ cpus: null })).limits, { workspaces: 4, running: null, cpus: null, memory: null, volumeBytes: null });
    assert.deepEqual((await admin.get(of)).expect(200).data.overrides, { workspaces: null, running: 0, cpus: null, memory: null, volumeBytes: null });
    for (const odd of [-1, 1.5, '3', true, [], {}, 1e300]) assert.equal((await admin.put(of, { running: odd })).expect(400).body.details[0].field, 'running');
    for (const odd of [-0.1, '3', true, [], {}, 1e300]) assert.equal((await admin.put(of, { cpus: odd })).expect(400).body.details[0].field, 'cpus');
    assert.equal((await admin.put(of, { cpu: 1 })).expect(400).body.details[0].field, 'cpu');
    await allow({ running: null });
  });

  test('the operator by a command, in force at once, and the user sees it', async () => {
    const told = (await on(server, 'user', 'quota', user.user.email, '--workspaces', '1', '--cpus', '1.5')).expect(0);
    assert.match(told.stdout, /^workspaces +0 +1 +1$/m);
    await user.createWorkspace();
    refusal(await user.post('/api/workspaces', { type: 'spreadsheet' }), 403);
    const person = new Person();
    await person.login(server, user);
    assert.match((await person.run('quota')).expect(0).stdout, /^WHAT +IN USE +AT MOST\nworkspaces +1 +1\nrunning +0 +2\ncpus of running +0 +1\.5\nmemory of running \(MB\) +0 +no limit\nvolumes \(bytes\) +not measured +no limit\n$/);
    assert.equal((await person.run('quota', '--json')).expect(0).json.limits.cpus, 1.5);
    const refused = await person.run('workspaces', 'create', '--type', 'spreadsheet');
    assert.notEqual(refused.code, 0);
    assert.match(refused.stderr, /at most 1 workspaces, 1 in use, 1 asked for/);
    const shown = (await on(server, 'user', 'quota', user.user.email, '--workspaces', 'default', '--running', '0', '--json')).expect(0).json;
    assert.deepEqual(shown.overrides, { workspaces: null, running: 0, cpus: 1.5, memory: null, volumeBytes: null });
    assert.match((await on(server, 'user', 'quota', user.user.email)).expect(0).stdout, /^running +0 +no limit +no limit$/m);
    for (const odd of ['-1', 'many', '1.2.3', '']) assert.notEqual((await on(server, 'user', 'quota', user.user.email, '--running', odd)).code, 0, odd);
    assert.notEqual((await on(server, 'user', 'quota', 'nobody@example.test')).code, 0);
  });
});

test('two servers count together', async () => {
  const postgres = await startPostgres();
  const a = await startServer({ postgres, toml: '[quotas]\nworkspaces = 3\nrunning = 1\n' });
  const b = await startServer({ beside: a, toml: '[quotas]\nworkspaces = 3\nrunning = 1\n' });
  try {
    const byA = await a.user('both');
    const byB = new ApiClient(b, byA);
    const created = await Promise.all(Array.from({ length: 10 }, (_, i) => (i % 2 ? byA : byB).post('/api/workspaces', { type: 'spreadsheet' })));
    assert.deepEqual(created.map((each) => each.status).sort(), [201, 201, 201, ...Array(7).fill(403)]);
    const made = created.filter((each) => each.status === 201).map((each) => each.data);
    const begun = await Promise.all(made.map((each, i) => (i % 2 ? byA : byB).post(`/api/workspaces/${each.id}/start`, undefined, { headers: { Prefer: 'respond-async' } })));
    assert.deepEqual(begun.map((each) => each.status).sort(), [202, 409, 409]);
  } finally {
    await Promise.all([a.close(), b.close()]);
    await postgres.close();
  }
});
