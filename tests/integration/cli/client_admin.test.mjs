// The client's commands for administrators, and tokens that may less, on a real server.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Person } from '../../support/person.mjs';
import { adminEmail, startServer, testType } from '../../support/server.mjs';

let server, admin, ada, hers, root;
before(async () => {
  server = await startServer({ toml: testType('failing', { FAIL_START: 1 }) });
  [ada, admin] = [await server.user('ada'), await server.admin()];
  [hers, root] = [new Person(), new Person()];
  await hers.login(server, ada);
  await root.login(server, admin);
});
after(() => server.close());

test('users, workspaces and the overview as tables and as they are', async () => {
  const desk = await ada.createWorkspace({ name: 'desk' });
  const sick = await ada.createWorkspace({ name: 'sick', type: 'failing' });
  await ada.start(desk.id);
  await ada.post(`/api/workspaces/${sick.id}/start`);
  const users = (await root.run('admin', 'users')).expect(0).stdout;
  assert.match(users, /^EMAIL +ROLE +ACTIVE +WORKSPACES/);
  assert.match(users, new RegExp(`^${ada.user.email} +user +yes +2 `, 'm'));
  assert.deepEqual((await root.run('admin', 'users', '--role', 'admin', '--json')).expect(0).json.map((each) => each.email), [adminEmail]);
  assert.match((await root.run('admin', 'users', '--search', 'no&body=1 %')).expect(0).stdout, /no such user/);
  const workspaces = (await root.run('admin', 'workspaces', '--user', ada.user.email, '--type', 'spreadsheet')).expect(0).stdout;
  assert.match(workspaces, new RegExp(`^desk +spreadsheet +${ada.user.email} +running +running `, 'm'));
  assert.ok(!workspaces.includes('sick'));
  assert.equal((await root.run('admin', 'workspaces', '--status', 'running', '--json')).expect(0).json.length, 1);
  assert.match((await root.run('admin', 'workspaces', '--user', 'nobody@example.test')).expect(3).stderr, /nobody@example\.test/);
  (await root.run('admin', 'workspaces', '--status', 'gone')).expect(2);
  const overview = (await root.run('admin', 'overview')).expect(0).stdout;
  for (const line of [/^server +\d+\.\d+/, /^database +SQLite/m, /^engine +docker/m, /^users +2, active 2, admins 1$/m, /^ +by type +failing 1, spreadsheet 1$/m, /^start +1 +1 +0$/m, /start +sick +ada-/]) assert.match(overview, line);
  assert.equal((await root.run('admin', 'overview', '--json')).expect(0).json.workspaces.total, 2);
  assert.match((await hers.run('admin', 'overview')).expect(1).stderr, /administrator/);
});

test('all pages of a list are fetched, with what was asked for', async () => {
  // The page of a list is a hundred rows.
  for (let i = 0; i < 105; ++i) (await admin.post('/api/admin/users', { email: `many-${i}@pages.test`, password: 'all of them alike' })).expect(201);
  const found = (await root.run('admin', 'users', '--search', '@pages.test', '--json')).expect(0).json;
  assert.equal(new Set(found.map((each) => each.email)).size, 105);
});

test('tokens that may less, and what their owner is told of them', async () => {
  const workspace = await ada.createWorkspace({ name: 'bench' });
  const make = async (...words) => (await hers.run('token', 'create', ...words)).expect(0).stdout.trim();
  const [reads, writes, there] = [await make('reader', '--scope', 'read'), await make('writer', '--scope', 'read,write'), await make('bencher', '--workspace', 'bench')];
  const listed = (await hers.run('token', 'list')).expect(0).stdout;
  for (const line of [/^reader +\S+ +read +all /m, /^writer +\S+ +read, write +all /m, /^bencher +\S+ +read, write +bench /m]) assert.match(listed, line);
  const as = (token) => new Person({ AGENTDB9_URL: server.api, AGENTDB9_TOKEN: token });
  assert.match((await as(reads).run('workspaces', 'list')).expect(0).stdout, /^bench /m);
  assert.match((await as(reads).run('workspaces', 'start', 'bench')).expect(1).stderr, /'write'/);
  assert.match((await as(writes).run('token', 'list')).expect(1).stderr, /without scopes/);
  // By its name, though it hears of no other.
  const rows = (await as(there).run('workspaces', 'list', '--json')).expect(0).json;
  assert.deepEqual(rows.map((each) => each.id), [workspace.id]);
  (await as(there).run('workspaces', 'start', 'bench')).expect(0);
  assert.match((await as(there).run('exec', 'bench', '--', 'echo', 'here')).expect(0).stdout, /^here$/m);
  (await as(there).run('workspaces', 'stop', 'desk')).expect(3);
  (await as(there).run('whoami')).expect(0);
  assert.match((await hers.run('token', 'list')).expect(0).stdout, /^bencher .*\d{4}-\d\d-\d\d \d\d:\d\d +\S+$/m);
  (await hers.run('token', 'create', 'x', '--scope', 'admin')).expect(2);
  (await hers.run('token', 'create', 'x', '--workspace', 'nowhere')).expect(3);
});
