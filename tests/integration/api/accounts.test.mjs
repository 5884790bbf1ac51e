// Accounts: how one is made, how its owner gets in, and what nobody can set.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { adminEmail, adminPassword, startServer, userPassword } from '../../support/server.mjs';

let server;
before(async () => (server = await startServer()));
after(() => server.close());

test('registration answers the account and its session at the top level', async () => {
  const { body } = (await server.nobody().post('/api/auth/register', {
    email: 'Ada@Example.Test', username: 'ada', password: userPassword, firstName: 'Ada', lastName: null,
  })).expect(201);
  assert.equal(body.user.email, 'ada@example.test', 'addresses are kept in lower case');
  assert.equal(body.user.role, 'user');
  assert.equal(body.user.lastName, null);
  assert.equal(body.user.password, undefined);
  (await server.nobody().with(body.accessToken).get('/api/auth/profile')).expect(200);
  (await server.nobody().post('/api/auth/register', { email: 'ADA@example.test', username: 'x', password: userPassword })).expect(409, 'email_taken');
});

test('a login works with the address in any case, and tells nothing about who has an account', async () => {
  const user = await server.user('grace');
  (await server.nobody().post('/api/auth/login', { email: user.user.email.toUpperCase(), password: userPassword })).expect(200);
  const wrong = (await server.nobody().post('/api/auth/login', { email: user.user.email, password: 'not it at all' })).expect(401, 'invalid_credentials');
  const unknown = (await server.nobody().post('/api/auth/login', { email: 'nobody@example.test', password: 'not it at all' })).expect(401, 'invalid_credentials');
  assert.equal(wrong.body.message, unknown.body.message);
  (await server.nobody().post('/api/auth/login', { email: 'no address', password: 'not it at all' })).expect(401, 'invalid_credentials');
});

test('the first admin comes from the environment', async () => {
  const admin = await server.admin();
  assert.equal(admin.user.role, 'admin');
  assert.equal(admin.user.email, adminEmail);
});

test('no field that is the server\'s own can be set', async () => {
  const user = await server.user('mallory');
  const profile = (await user.get('/api/auth/profile')).data;
  const project = await user.createProject();
  const workspace = await user.createWorkspace();
  const id = '11111111-1111-4111-8111-111111111111';
  const forbidden = {
    role: 'admin', id, userId: id, isActive: false, password: 'overwritten!', createdAt: '2001-01-01T00:00:00Z',
    volumeName: 'somebody-elses', volumePath: '/etc', containerName: 'x', config: {}, phase: 'running', lastError: null, workspaceId: id,
    workspaceType: 'vscode', desiredState: 'running', generation: 99, '__proto__ ': {}, constructor: {},
  };
  for (const [field, value] of Object.entries(forbidden)) {
    const cases = [
      ['POST', '/api/auth/register', { email: `${field.trim()}@example.test`, username: 'x', password: userPassword, [field]: value }],
      ['PATCH', '/api/auth/profile', { firstName: 'X', [field]: value }],
      ['POST', '/api/projects', { name: 'x', [field]: value }],
      ['PUT', `/api/projects/${project.id}`, { name: 'x', [field]: value }],
      ['POST', '/api/workspaces', { type: 'spreadsheet', [field]: value }],
      ['PUT', `/api/workspaces/${workspace.id}`, { name: 'x', [field]: value }],
    ];
    for (const [method, path, json] of cases) {
      if (path === '/api/auth/register' && field === 'password') continue;
      const answer = (await user.send(method, path, { json })).expect(400, 'invalid_field');
      assert.ok(answer.body.details.some((each) => each.field === field), answer.text);
    }
  }
  const now = (await user.get('/api/auth/profile')).data;
  assert.deepEqual(now, profile);
  assert.equal((await user.get(`/api/projects/${project.id}`)).data.name, project.name);
  assert.equal((await user.get(`/api/workspaces/${workspace.id}`)).data.name, workspace.name);
  for (const status of ['running', 'stopped', 'error']) {
    (await user.put(`/api/workspaces/${workspace.id}`, { status })).expect(400, 'invalid_field');
  }
});

test('a profile changes field by field; null and absent change nothing', async () => {
  const user = await server.user('lin');
  const changed = (await user.patch('/api/auth/profile', { firstName: 'Lin', preferences: { theme: 'dark', nested: { a: [1, null] } } })).expect(200).data;
  assert.equal(changed.firstName, 'Lin');
  assert.deepEqual(changed.preferences, { theme: 'dark', nested: { a: [1, null] } });
  const same = (await user.patch('/api/auth/profile', { firstName: null, username: null })).expect(200).data;
  assert.equal(same.firstName, 'Lin');
  assert.equal(same.username, 'lin');
  assert.equal((await user.patch('/api/auth/profile', { firstName: '' })).expect(200).data.firstName, null);
});

test('the email address changes only with the password, and not to another account\'s', async () => {
  const user = await server.user('noor');
  const other = await server.user('other');
  const email = `new-${user.user.email}`;
  (await user.patch('/api/auth/profile', { email })).expect(400, 'invalid_field');
  (await user.patch('/api/auth/profile', { email, currentPassword: 'not it at all' })).expect(400, 'wrong_password');
  (await user.patch('/api/auth/profile', { email: other.user.email, currentPassword: userPassword })).expect(409, 'email_taken');
  assert.equal((await user.patch('/api/auth/profile', { email, currentPassword: userPassword })).expect(200).data.email, email);
  await server.login(email, userPassword);
});

test('a new password ends every other session at once, and the old one does not count', async () => {
  const user = await server.user('kim');
  const elsewhere = await server.login(user.user.email, userPassword);
  const next = 'a better one than that';
  (await user.post('/api/auth/change-password', { currentPassword: 'not it at all', newPassword: next })).expect(400, 'wrong_password');
  (await user.post('/api/auth/change-password', { currentPassword: userPassword, newPassword: 'short' })).expect(400, 'invalid_field');
  (await user.post('/api/auth/change-password', { currentPassword: userPassword, newPassword: next })).expect(200);
  (await user.get('/api/auth/profile')).expect(200);
  (await elsewhere.get('/api/auth/profile')).expect(401, 'token_revoked');
  (await elsewhere.post('/api/auth/refresh', { refreshToken: elsewhere.refreshToken })).expect(401);
  (await server.nobody().post('/api/auth/login', { email: user.user.email, password: userPassword })).expect(401);
  await server.login(user.user.email, next);
});

test('passwords of an earlier installation (bcrypt) count, and are kept as argon2id from then on', async () => {
  for (const [index, prefix] of ['$2a$', '$2b$'].entries()) {
    const user = await server.user(`old${index}`);
    const planted = `${prefix}08$abcdefghijklmnopqrstuuOLCTFRcW3KEVz/YRE4FR1t2cnRok6cK`;
    server.query(`UPDATE users SET password = '${planted}' WHERE id = '${user.user.id}'`);
    (await server.nobody().post('/api/auth/login', { email: user.user.email, password: 'not it at all' })).expect(401);
    await server.login(user.user.email, userPassword);
    assert.match(server.query(`SELECT password FROM users WHERE id = '${user.user.id}'`), /^\$argon2id\$/);
    await server.login(user.user.email, userPassword);
  }
});

test('an account that is not active gets in no more, and its tokens end', async () => {
  const user = await server.user('gone');
  server.query(`UPDATE users SET "isActive" = 0 WHERE id = '${user.user.id}'`);
  await server.restart();  // what the database says from outside counts from a restart on
  (await server.nobody().post('/api/auth/login', { email: user.user.email, password: userPassword })).expect(401, 'invalid_credentials');
  (await user.get('/api/auth/profile')).expect(401);
  (await user.post('/api/auth/refresh', { refreshToken: user.refreshToken })).expect(401);
});

test('a password has 8 to 128 characters, of any script', async () => {
  const attempt = (password) => server.nobody().post('/api/auth/register', { email: `p${password.length}@example.test`, username: 'p', password });
  (await attempt('1234567')).expect(400, 'invalid_field');
  (await attempt('x'.repeat(129))).expect(400, 'invalid_field');
  (await attempt('пароль-из-букв')).expect(201);
  (await attempt('x'.repeat(128))).expect(201);
  await server.login('p128@example.test', 'x'.repeat(128));
});

test('registration is closed where the operator closed it', async () => {
  const closed = await startServer({ registration: 'closed' });
  try {
    const account = { email: 'a@example.test', username: 'a', password: userPassword };
    (await closed.nobody().post('/api/auth/register', account)).expect(403, 'registration_closed');
    // What is wrong with the body is nobody's business then.
    (await closed.nobody().post('/api/auth/register', { email: 1 })).expect(403, 'registration_closed');
    await closed.login(adminEmail, adminPassword);
  } finally {
    await closed.close();
  }
});
