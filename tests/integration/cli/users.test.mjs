import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { after, before, describe, test } from 'node:test';

import { on, onWith } from '../../support/command.mjs';
import { adminEmail, startServer, userPassword } from '../../support/server.mjs';

/** The connection after 101. */
function openWebSocket(server, user, path) {
  const { hostname, port } = new URL(server.api);
  return new Promise((resolve, reject) => {
    const call = request({
      host: hostname, port, path, agent: false, timeout: 20_000,
      headers: {
        Authorization: `Bearer ${user.token}`, Connection: 'Upgrade', Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
      },
    });
    call.on('upgrade', (_response, socket) => {
      socket.on('error', () => {});  // a reset is a way to be closed
      socket.resume();
      resolve(socket);
    });
    call.on('response', (response) => reject(new Error(`the upgrade was answered with ${response.statusCode}`)));
    call.on('timeout', () => call.destroy(new Error('the upgrade was not answered')));
    call.on('error', reject);
    call.end();
  });
}

describe('agentdb9 user, on a running server', () => {
  let server;
  before(async () => (server = await startServer()));
  after(() => server.close());

  test('lists the accounts, as a table and as JSON', async () => {
    const table = (await on(server, 'user', 'list')).expect(0).stdout.split('\n');
    assert.match(table[0], /^EMAIL +USERNAME +ROLE +STATE/);
    assert.match(table[1], new RegExp(`^${adminEmail} +admin +admin +active`));
    const [admin] = (await on(server, 'user', 'list', '--json')).expect(0).json;
    assert.equal(admin.email, adminEmail);
    assert.ok(!JSON.stringify(admin).includes('argon2'), 'no hash is shown');
  });

  test('adds an account with a one-time password that is good, and that no log keeps', async () => {
    const { stdout } = (await on(server, 'user', 'add', 'ada@example.test')).expect(0);
    const [, password] = stdout.match(/^One-time password: (\S+)$/m);
    await server.login('ada@example.test', password);
    assert.ok(!JSON.stringify(server.log).includes(password));
    const made = (await on(server, 'user', 'add', 'ops@example.test', '--admin', '--username', 'ops', '--json')).expect(0).json;
    assert.equal(made.user.role, 'admin');
    assert.equal(made.user.username, 'ops');
    await server.login('ops@example.test', made.oneTimePassword);
  });

  test('takes a password from standard input, and from nowhere else', async () => {
    const { stdout } = (await onWith(server, 'from a pipe 1\nsecond line\n', 'user', 'add', 'pipe@example.test', '--password-stdin')).expect(0);
    assert.ok(!stdout.includes('password:'));
    await server.login('pipe@example.test', 'from a pipe 1');
    assert.match((await on(server, 'user', 'add', 'x@example.test', '--password-stdin')).expect(2).stderr, /Standard input holds no password/);
    (await on(server, 'user', 'add', 'x@example.test', '--password', 'an argument')).expect(2);
    (await onWith(server, 'short\n', 'user', 'add', 'x@example.test', '--password-stdin')).expect(2);
  });

  test('shows an account, by address or id, with what it has', async () => {
    const user = await server.user('shown');
    await user.createProject();
    const facts = (await on(server, 'user', 'show', user.user.email, '--json')).expect(0).json;
    assert.deepEqual([facts.id, facts.projects, facts.workspaces, facts.openSessions], [user.user.id, 1, 0, 1]);
    assert.match((await on(server, 'user', 'show', user.user.id)).expect(0).stdout, /^projects +1$/m);
  });

  test('a disabled account is shut out at once, on the API and at the proxy, with every credential', async () => {
    const user = await server.user('shut-out');
    const workspace = await user.createWorkspace();
    const made = (await user.post('/api/auth/tokens', { name: 'agent' })).expect(201).data;
    const agent = user.with(made.token);
    // Both planes have seen both credentials, and remember them.
    const use = async (status, proxyStatus) => {
      for (const caller of [user, agent]) {
        (await caller.get('/api/projects')).expect(status);
        assert.equal((await caller.application('GET', workspace.id, '/')).status, proxyStatus);
      }
    };
    await use(200, 503);
    assert.match((await on(server, 'user', 'disable', user.user.email)).expect(0).stdout, /is disabled/);
    await use(401, 401);
    (await server.nobody().post('/api/auth/refresh', { refreshToken: user.refreshToken })).expect(401);
    const again = await server.nobody().post('/api/auth/login', { email: user.user.email, password: userPassword });
    assert.ok([401, 403].includes(again.status), again.text);
    (await on(server, 'user', 'enable', user.user.email)).expect(0);
    await server.login(user.user.email, userPassword);
  });

  test('an open WebSocket of a disabled account is closed within a second, its workspace runs on', async () => {
    const user = await server.user('connected');
    const workspace = await user.createWorkspace();
    await user.start(workspace.id);
    const socket = await openWebSocket(server, user, `/api/workspaces/${workspace.id}/proxy/ws`);
    const closed = new Promise((resolve) => socket.on('close', resolve));
    const began = performance.now();
    (await on(server, 'user', 'disable', user.user.email)).expect(0);
    await closed;
    assert.ok(performance.now() - began < 2000, 'the command and the second that it has');
    assert.equal((await server.engine.running(workspace.id)).length, 1);
  });

  test('a new password ends the sessions of the old one', async () => {
    const user = await server.user('forgetful');
    const { stdout } = (await on(server, 'user', 'reset-password', user.user.email)).expect(0);
    (await user.get('/api/auth/profile')).expect(401);
    (await server.nobody().post('/api/auth/login', { email: user.user.email, password: userPassword })).expect(401);
    await server.login(user.user.email, stdout.match(/^One-time password: (\S+)$/m)[1]);
    (await onWith(server, 'chosen by hand\n', 'user', 'reset-password', user.user.id, '--password-stdin')).expect(0);
    await server.login(user.user.email, 'chosen by hand');
  });

  test('a role is in force at once, for the token that is there', async () => {
    const user = await server.user('promoted');
    const admins = () => user.post('/api/workspaces/cleanup?dryRun=true');
    (await admins()).expect(403);
    (await on(server, 'user', 'set-role', user.user.email, 'admin')).expect(0);
    (await admins()).expect(200);
    (await on(server, 'user', 'set-role', user.user.email, 'user')).expect(0);
    (await admins()).expect(403);
  });

  test('refusals have a sentence and an exit code', async () => {
    assert.match((await on(server, 'user', 'show', 'nobody@example.test')).expect(3).stderr, /No user has this id or email/);
    (await on(server, 'user', 'disable', '00000000-0000-4000-8000-000000000000')).expect(3);
    assert.match((await on(server, 'user', 'add', 'no address')).expect(2).stderr, /email/);
    assert.match((await on(server, 'user', 'add', adminEmail)).expect(1).stderr, /exists already/);
    for (const each of (await on(server, 'user', 'list', '--json')).json)
      if (each.role === 'admin' && each.email !== adminEmail) (await on(server, 'user', 'disable', each.email)).expect(0);
    assert.match((await on(server, 'user', 'disable', adminEmail)).expect(1).stderr, /last active admin/);
    assert.match((await on(server, 'user', 'set-role', adminEmail, 'user')).expect(1).stderr, /last active admin/);
  });

  test('a name that looks like a path stays a name', async () => {
    (await on(server, 'user', 'show', '../volumes')).expect(3);
    (await on(server, 'user', 'show', 'a/role?x=%2f')).expect(3);
  });
});
