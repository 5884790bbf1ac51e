// Who did what, from where, and what came of it: recorded for the API and for the operator's commands, told to admins.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';

import { run } from '../../support/command.mjs';
import { eventually } from '../../support/eventually.mjs';
import { adminEmail, startServer, userPassword } from '../../support/server.mjs';

let server, admin, user;
before(async () => {
  server = await startServer();
  admin = await server.admin();
  user = await server.user('audited');
});
after(() => server.close());

const find = async (query = '') => (await admin.get(`/api/admin/audit${query}`)).expect(200).data;
const command = (...words) => {
  const asked = server.command(...words);
  return run(asked.words, { environment: asked.environment });
};

test('what changes something is told with who, from where and what came of it', async () => {
  const workspace = await user.createWorkspace({ name: 'mine' });
  const other = await server.user('stranger');
  (await other.delete(`/api/workspaces/${workspace.id}`)).expect(404);
  (await user.get(`/api/workspaces/${workspace.id}`)).expect(200);
  const rows = await find(`?target=${workspace.id}`);
  assert.equal(rows.length, 1, 'looking is not recorded');
  const [refused] = rows;
  assert.deepEqual([refused.who, refused.userId, refused.action, refused.status, refused.code, refused.address],
    [other.user.email, other.user.id, 'DELETE /api/workspaces/:id', 404, 'workspace_not_found', '127.0.0.1']);
  assert.match(refused.credential, /^session:/);
  assert.ok(refused.requestId);
  const [made] = await find(`?who=${user.user.id}`);
  assert.deepEqual([made.action, made.status, made.code], ['POST /api/workspaces', 201, null]);
  const token = (await user.post('/api/auth/tokens', { name: 'robot' })).expect(201).data;
  (await user.with(token.token).put(`/api/workspaces/${workspace.id}`, { name: 'by a robot' })).expect(200);
  const [changed] = await find(`?target=${workspace.id}`);
  assert.deepEqual([changed.who, changed.credential], [user.user.email, `token:${token.id}`]);
});

test('a command whose client goes away is told all the same', async () => {
  const workspace = await user.createWorkspace({ name: 'given up' });
  await user.start(workspace.id);
  const gone = new AbortController();
  const asked = fetch(new URL(`/api/workspaces/${workspace.id}/exec`, server.api), {
    method: 'POST', signal: gone.signal, body: JSON.stringify({ command: ['sh', '-c', 'touch /workspace/began; sleep 60'] }),
    headers: { Authorization: `Bearer ${user.token}`, 'Content-Type': 'application/json' },
  }).catch(() => {});
  await eventually('the command to run', async () => (await user.get(`/api/workspaces/${workspace.id}/files?path=began`)).status === 200);
  gone.abort();
  await asked;
  const [row] = await eventually('it to be told', async () => {
    const rows = await find(`?target=${workspace.id}/exec`);
    return rows.length > 0 && rows;
  });
  assert.deepEqual([row.who, row.action, row.status, row.code], [user.user.email, 'POST /api/workspaces/:id/exec', 499, 'given_up']);
  // However the path was written.
  (await user.delete(`/api/workspaces/%${workspace.id.charCodeAt(0).toString(16)}${workspace.id.slice(1)}`)).expect(200);
  assert.equal((await find(`?target=${workspace.id.toUpperCase()}`))[0].action, 'DELETE /api/workspaces/:id');
});

test('who tries to sign in is told, and no password ever is', async () => {
  const secret = `wrong ${randomUUID()}`;
  (await server.nobody().post('/api/auth/login', { email: user.user.email, password: secret })).expect(401);
  (await server.nobody().post('/api/auth/login', { email: user.user.email, password: userPassword })).expect(200);
  const rows = await find(`?who=${encodeURIComponent(user.user.email.toUpperCase())}&target=login`);
  assert.deepEqual(rows.slice(0, 2).map((each) => [each.userId, each.status, each.code]), [[null, 200, null], [null, 401, 'invalid_credentials']]);
  const all = server.query('SELECT * FROM agentdb9_audit');
  assert.ok(!all.includes(secret) && !all.includes(userPassword));
});

test('the operator\'s commands are told, too, and their own search finds them', async () => {
  (await command('user', 'add', 'new@example.test')).expect(0);
  const [row] = await find('?who=operator');
  assert.deepEqual([row.action, row.status, row.userId], ['POST /operator/users', 201, null]);
  const listed = (await command('audit', '--who', 'operator')).expect(0);
  assert.match(listed.stdout, /operator .*POST \/operator\/users .*201/);
  const json = (await command('audit', '--failed', '--limit', '1', '--json')).expect(0).json;
  assert.equal(json.length, 1);
  assert.ok(json[0].status >= 400);
  (await command('audit', '--since', 'yesterday')).expect(2);
});

test('only admins read it, and what they ask wrongly is refused', async () => {
  (await user.get('/api/admin/audit')).expect(403, 'admin_required');
  (await server.nobody().get('/api/admin/audit')).expect(401, 'authentication_required');
  for (const [query, field] of [['since=now', 'since'], ['until=1', 'until'], ['failed=yes', 'failed'], ['who=', 'who'], [`target=${'x'.repeat(301)}`, 'target'], ['limit=0', 'limit'], ['cursor=x', 'cursor']]) {
    const answer = await admin.get(`/api/admin/audit?${query}`);
    answer.expect(400);
    assert.equal(answer.body.details[0].field, field);
  }
});

test('pages follow one another, and a time bounds them', async () => {
  const first = (await admin.get('/api/admin/audit?limit=2')).expect(200);
  assert.equal(first.data.length, 2);
  const next = (await admin.get(`/api/admin/audit?limit=2&cursor=${encodeURIComponent(first.body.nextCursor)}`)).expect(200).data;
  assert.ok(next[0].at <= first.data[1].at && next[0].id !== first.data[1].id);
  assert.deepEqual(await find('?since=2999-01-01T00:00:00Z'), []);
  assert.deepEqual(await find('?until=2000-01-01T00:00:00Z'), []);
  assert.ok((await find(`?who=${adminEmail}`)).every((each) => each.who === adminEmail));
});
