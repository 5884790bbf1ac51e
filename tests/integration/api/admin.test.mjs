// What administrators see and do by the API, and what they cannot.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';

import { EngineProxy } from '../../support/engine_proxy.mjs';
import { eventually } from '../../support/eventually.mjs';
import { adminEmail, startServer, testType } from '../../support/server.mjs';

let server, admin, ada, workspace, engine;
before(async () => {
  engine = await new EngineProxy().open();
  server = await startServer({ environment: { DOCKER_HOST: engine.host }, toml: testType('broken', { FAIL_START: 1 }) });
  [admin, ada] = [await server.admin(), await server.user('ada')];
  workspace = await ada.createWorkspace({ name: 'hers', description: 'what she plans' });
  await ada.start(workspace.id);
});
after(async () => {
  await server.close();
  await engine.remove();
});

const users = async (query = '') => (await admin.get(`/api/admin/users${query}`)).expect(200);
const row = async (user) => (await admin.get(`/api/admin/users/${user.user.id}`)).expect(200).data;

test('nobody else may', async () => {
  for (const { method, template } of server.contract.calls()) {
    if (!template.startsWith('/api/admin/')) continue;
    (await ada.send(method, template.replace('{id}', ada.user.id))).expect(403, 'admin_required');
    (await server.nobody().send(method, template.replace('{id}', ada.user.id))).expect(401, 'authentication_required');
  }
});

test('users are listed with what they have, and found', async () => {
  const seen = (await users(`?search=${encodeURIComponent(ada.user.email.toUpperCase())}`)).data;
  assert.equal(seen.length, 1);
  const [hers] = seen;
  assert.equal(hers.id, ada.user.id);
  assert.deepEqual([hers.workspaces, hers.running, hers.projects], [1, 1, 1]);
  assert.ok(hers.lastSeenAt);
  assert.equal(hers.quota.running, null);
  (await admin.put(`/api/admin/users/${ada.user.id}/quota`, { running: 4 })).expect(200);
  assert.equal((await row(ada)).quota.running, 4);
  for (const [query, found] of [['?role=admin', [adminEmail]], ['?search=no-such-name', []], [`?search=${ada.user.id}`, [ada.user.email]], ['?active=false', []], ['?search=%25', []]]) {
    assert.deepEqual((await users(query)).data.map((each) => each.email), found, query);
  }
  const { body } = await users('?limit=1');
  assert.equal(body.data.length, 1);
  assert.equal((await users(`?limit=1&cursor=${encodeURIComponent(body.nextCursor)}`)).data[0].email === body.data[0].email, false);
  for (const query of ['?role=king', '?active=yes', '?search=', '?search=%00', `?search=${'x'.repeat(400)}`, '?limit=0', '?cursor=x', '?limit=1&cursor=bm8']) {
    (await admin.get(`/api/admin/users${query}`)).expect(400, 'invalid_field');
  }
});

test('an account is made, with a password of its own or a one-time one', async () => {
  const email = `made-${randomUUID()}@example.test`;
  const made = (await admin.post('/api/admin/users', { email })).expect(201).data;
  assert.equal(made.username, email.split('@')[0]);
  assert.equal(made.role, 'user');
  const person = await server.login(email, made.oneTimePassword);
  assert.equal(person.user.id, made.id);
  (await admin.post('/api/admin/users', { email: email.toUpperCase() })).expect(409, 'email_taken');
  const second = (await admin.post('/api/admin/users', { email: `b-${email}`, username: 'B', password: 'a good password', role: 'admin' })).expect(201).data;
  assert.equal(second.oneTimePassword, undefined);
  assert.equal((await server.login(`b-${email}`, 'a good password')).user.role, 'admin');
  for (const wrong of [{}, { email: 'no address' }, { email, role: 'king' }, { email: `c-${email}`, password: 'short' }, { email: `c-${email}`, username: '' }]) {
    (await admin.post('/api/admin/users', wrong)).expect(400, 'invalid_field');
  }
});

test('an account is changed at once, all of it or nothing', async () => {
  const user = await server.user('changed');
  const change = (json, caller = admin) => caller.patch(`/api/admin/users/${user.user.id}`, json);
  const robot = server.nobody().with((await user.post('/api/auth/tokens', { name: 'robot' })).expect(201).data.token);
  (await change({ role: 'admin' })).expect(200);
  (await user.get('/api/admin/overview')).expect(200);
  (await change({ role: 'user' })).expect(200);
  (await user.get('/api/admin/overview')).expect(403, 'admin_required');
  // A new password ends the sessions, and no token.
  const reset = (await change({ resetPassword: true })).expect(200).data;
  (await user.get('/api/auth/profile')).expect(401, 'token_revoked');
  (await robot.get('/api/auth/profile')).expect(200);
  const again = await server.login(user.user.email, reset.oneTimePassword);
  (await change({ password: 'chosen by the admin' })).expect(200);
  (await again.get('/api/auth/profile')).expect(401);
  // Disabled: neither.
  const third = await server.login(user.user.email, 'chosen by the admin');
  assert.equal((await change({ isActive: false })).expect(200).data.isActive, false);
  for (const each of [third, robot]) (await each.get('/api/auth/profile')).expect(401);
  (await server.nobody().post('/api/auth/login', { email: user.user.email, password: 'chosen by the admin' })).expect(401, 'invalid_credentials');
  assert.deepEqual((await users('?active=false')).data.map((each) => each.id), [user.user.id]);
  (await change({ isActive: true })).expect(200);
  await server.login(user.user.email, 'chosen by the admin');
  for (const wrong of [{ role: 'king' }, { isActive: 'no' }, { password: 'short' }, { password: 'long enough', resetPassword: true }, { email: 'x@example.test' }, { role: 'admin', password: 'short' }]) {
    (await change(wrong)).expect(400, 'invalid_field');
  }
  assert.equal((await row(user)).role, 'user');
  (await change({})).expect(200);
  (await admin.patch(`/api/admin/users/${randomUUID()}`, { role: 'user' })).expect(404, 'user_not_found');
});

test('administrators do not lock themselves out, and the last one stays', async () => {
  const own = `/api/admin/users/${admin.user.id}`;
  for (const json of [{ role: 'user' }, { isActive: false }, { password: 'a new password' }, { resetPassword: true }]) {
    const refused = (await admin.patch(own, json)).expect(409, 'own_account');
    assert.match(refused.body.error, /administrator|change-password/);
  }
  (await admin.patch(own, { role: 'admin', isActive: true })).expect(200);
  // Two who disable one another at once: one of them stays.
  const second = await server.user('second');
  (await admin.patch(`/api/admin/users/${second.user.id}`, { role: 'admin' })).expect(200);
  for (const other of (await users('?role=admin&active=true')).data) {
    if (![admin.user.id, second.user.id].includes(other.id)) (await admin.patch(`/api/admin/users/${other.id}`, { role: 'user' })).expect(200);
  }
  const answers = await Promise.all([admin.patch(`/api/admin/users/${second.user.id}`, { role: 'user' }), second.patch(own, { role: 'user' })]);
  assert.equal(answers.filter((each) => each.status === 200).length, 1, answers.map((each) => each.text).join('\n'));
  const left = answers[0].status === 200 ? admin : second;
  assert.deepEqual((await left.get('/api/admin/users?role=admin&active=true')).expect(200).data.map((each) => each.id), [left.user.id]);
  (await left.patch(own, { role: 'admin' })).expect(200);
});

test('what administrators do is in the audit log, and their passwords are not', async () => {
  const user = await server.user('audited');
  const path = `/api/admin/users/${user.user.id}`;
  (await admin.patch(path, { password: 'never in a log' })).expect(200);
  const entries = (await admin.get(`/api/admin/audit?target=${user.user.id}`)).expect(200);
  const entry = entries.data.find((each) => each.action === 'PATCH /api/admin/users/:id');
  assert.equal(entry.userId, admin.user.id);
  assert.ok(!entries.text.includes('never in a log'));
});

test('everybody\'s workspaces are listed, without what is in them', async () => {
  const list = async (query = '') => (await admin.get(`/api/admin/workspaces${query}`)).expect(200);
  const { data, text } = await list(`?user=${ada.user.id}`);
  assert.deepEqual(data.map((each) => [each.id, each.userEmail, each.status, each.phase]), [[workspace.id, ada.user.email, 'running', 'running']]);
  assert.ok(!text.includes('what she plans'));
  assert.deepEqual((await list(`?user=${ada.user.id}&status=stopped`)).data, []);
  assert.deepEqual((await list(`?user=${randomUUID()}`)).data, []);
  assert.equal((await list('?type=spreadsheet&status=running')).data.length, 1);
  for (const query of ['?user=ada', '?status=gone', '?type=', '?cursor=x']) (await admin.get(`/api/admin/workspaces${query}`)).expect(400, 'invalid_field');
  // And no door into them.
  (await admin.get(`/api/workspaces/${workspace.id}`)).expect(404);
  assert.equal((await admin.application('GET', workspace.id, '/env')).status, 404);
});

test('anybody\'s workspace is stopped, and its owner finds who asked', async () => {
  const stop = (id) => admin.post(`/api/admin/workspaces/${id}/stop`);
  const stopped = (await stop(workspace.id)).expect(200).data;
  assert.deepEqual([stopped.id, stopped.status], [workspace.id, 'stopped']);
  assert.equal((await ada.get(`/api/workspaces/${workspace.id}/status`)).data.containerRunning, false);
  const asked = (await ada.get(`/api/workspaces/${workspace.id}/history`)).expect(200).data.find((each) => each.kind === 'stop_requested');
  assert.match(asked.why, /administrator/);
  assert.deepEqual(asked.by, { kind: 'user', id: admin.user.id });
  const [operation] = (await ada.get(`/api/workspaces/${workspace.id}/operations`)).expect(200).data;
  assert.equal(operation.requestedBy, admin.user.id);
  (await stop(workspace.id)).expect(200);
  (await stop(randomUUID())).expect(404, 'workspace_not_found');
  (await admin.post(`/api/admin/workspaces/${workspace.id}/stop`, { force: true })).expect(400, 'invalid_field');
  await ada.start(workspace.id);
});

test('the overview counts', async () => {
  const broken = await ada.createWorkspace({ type: 'broken', name: 'sick' });
  await ada.post(`/api/workspaces/${broken.id}/start`);
  const overview = await eventually('the failure to be counted', async () => {
    const { data } = (await admin.get('/api/admin/overview')).expect(200);
    return data.operations.failed.some((each) => each.workspaceId === broken.id) && data;
  }, { within: 90_000 });
  const failed = overview.operations.failed.find((each) => each.workspaceId === broken.id);
  assert.deepEqual([failed.workspaceName, failed.userEmail, failed.kind], ['sick', ada.user.email, 'start']);
  assert.ok(failed.error.length > 10);
  assert.ok(overview.operations.byKind.start.succeeded >= 2 && overview.operations.byKind.start.failed >= 1);
  assert.ok(overview.operations.byKind.stop.succeeded >= 1);
  assert.equal(overview.workspaces.total, 2);
  assert.deepEqual(overview.workspaces.byType, { broken: 1, spreadsheet: 1 });
  assert.equal(overview.workspaces.byStatus.running, 1);
  const types = (await ada.get('/api/workspaces/types')).data;
  const limits = types.find((each) => each.type === 'spreadsheet').resourceLimits;
  assert.ok(overview.running.workspaces >= 1 && overview.running.cpus >= limits.cpus && overview.running.memory >= limits.memory);
  assert.equal(overview.users.total, (await users('?limit=1000')).data.length);
  assert.equal(overview.database.kind, 'sqlite');
  assert.match(overview.database.version, /^SQLite \d+\.\d+/);
  assert.equal(overview.server.servers.length, 1);
  assert.equal(overview.engine.answers, true);
  assert.ok(overview.engine.cpus >= 1 && overview.engine.memory > 100 && overview.engine.version);
  assert.ok(overview.starts.limit >= 1);
  assert.equal(overview.volumes.trash, (await ada.get('/api/trash')).data.length);
});

test('with the engine away the overview says so, and the rest', async () => {
  await engine.close();
  try {
    const { data } = (await admin.get('/api/admin/overview')).expect(200);
    assert.deepEqual([data.engine.answers, data.engine.version, data.engine.cpus], [false, null, null]);
    assert.ok(data.engine.problem.endsWith('.'));
    assert.ok(data.users.total > 1 && data.workspaces.total === 2);
    (await admin.get('/api/admin/users')).expect(200);
    (await admin.get('/api/admin/workspaces')).expect(200);
    (await admin.post(`/api/admin/workspaces/${workspace.id}/stop`)).expect(503, 'runtime_unavailable');
    await engine.open();
    engine.hang();
    const hanging = (await admin.get('/api/admin/overview')).expect(200).data;
    assert.deepEqual([hanging.engine.answers, hanging.users.total], [false, data.users.total], 'nobody waits for an engine that says nothing');
  } finally {
    await engine.recover();
  }
  await eventually('the engine to be seen again', async () => (await admin.get('/api/admin/overview')).expect(200).data.engine.answers, { within: 30_000 });
});
