// How the program starts, and what it says when it cannot: one sentence that names the key and the line, and an
// exit code.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { exchange } from '../../support/api_client.mjs';
import { eventually } from '../../support/eventually.mjs';
import { adminEmail, adminPassword, binary, Server, startServer } from '../../support/server.mjs';

let idle;  // an installation that is only configured
before(() => (idle = new Server()));
after(() => idle.close());

function run(server, command, toml, { environment = {}, more = [] } = {}) {
  if (toml !== undefined) server.configure(toml);
  const made = server.command(command);
  const all = { ...made.environment, ...environment };
  for (const [name, value] of Object.entries(all)) if (value === undefined) delete all[name];
  return spawnSync(binary, [...made.words, ...more], { env: all, encoding: 'utf8', timeout: 20_000 });
}

test('a mistake in the configuration is told with its key and line, by config and by serve', () => {
  const mistakes = [
    ['[server]\nthraeds = 2\n', /:2/, /server\.thraeds.*did you mean 'server.threads'/],
    ['[server]\nthreads = "two"\n', /:2/, /server\.threads/],
    ['\n\n[server]\nthreads = 1000\n', /:4/, /server\.threads.*0 to 64/],
    ['[auth]\nregistration = "maybe"\n', /:2/, /auth\.registration.*"open", "closed"/],
    ['[auth]\nrateLimit = 1\n', /:2/, /auth\.rateLimit/],
    ['[serverr]\n', /:1/, /serverr/],
    ['[workspaceTypes.vscode]\ndefaultPort = 99999\n', /:2/, /workspaceTypes\.vscode\.defaultPort/],
    ['[workspaceTypes.vscode.healthCheck]\npaht = "/"\n', /:2/, /workspaceTypes\.vscode\.healthCheck\.paht.*did you mean 'path'/],
    ['[workspaceTypes.own]\ndefaultPort = 1\n', /:1/, /workspaceTypes\.own.*containerImage/],
    ['[workspaceTypes."Not This"]\ncontainerImage = "x"\ndefaultPort = 1\n', /:1/, /Not This/],
    ['[rewrites]\n"/x" = 5\n', /:2/, /rewrites/],
    ['[docker]\nnetwork = "host"\n', /:2/, /docker\.network/],
    ['this is no TOML\n', /:1/, /./],
    ['[server]\nthreads = 1\n[server]\nthreads = 2\n', /:3/, /./],
  ];
  for (const [toml, line, what] of mistakes) {
    for (const command of ['config', 'serve']) {
      const result = run(idle, command, toml);
      assert.equal(result.status, 2, `${command} with ${JSON.stringify(toml)}: ${result.stderr}`);
      assert.match(result.stderr, line, toml);
      assert.match(result.stderr, what, toml);
    }
  }
});

test('all mistakes are told at once', () => {
  const { stderr } = run(idle, 'config', '[server]\nthreads = -1\nlisten = "nowhere"\n[auth]\nrateLimit = "yes"\n');
  for (const key of ['server.threads', 'server.listen', 'auth.rateLimit']) assert.ok(stderr.includes(key), stderr);
});

test('mistakes in the environment and the flags are told by their names', () => {
  const wrong = [
    [{ environment: { AGENTDB9_SERVER_THREADS: 'many' } }, /AGENTDB9_SERVER_THREADS/],
    [{ environment: { AGENTDB9_JWT_SECRET: 'short' } }, /AGENTDB9_JWT_SECRET.*32/],
    [{ environment: { AGENTDB9_ADMIN_PASSWORD: 'short' } }, /AGENTDB9_ADMIN_PASSWORD/],
    [{ environment: { AGENTDB9_DATABASE_URL: 'mysql://x' } }, /AGENTDB9_DATABASE_URL/],
  ];
  for (const [options, what] of wrong) {
    const result = run(idle, 'config', '', options);
    assert.equal(result.status, 2, result.stderr);
    assert.match(result.stderr, what);
    assert.ok(!result.stderr.includes('short'), 'a secret is repeated');
  }
  const flag = run(idle, 'serve', '', { more: ['--listen', 'nowhere'] });
  assert.equal(flag.status, 2);
  assert.match(flag.stderr, /--listen/);
  for (const words of [['--no-such-flag'], ['too', 'many']]) assert.equal(run(idle, 'serve', '', { more: words }).status, 2);
  assert.equal(spawnSync(binary, ['no-such-command']).status, 2);
  assert.equal(spawnSync(binary, ['config', '--config', join(idle.directory, 'missing.toml')]).status, 2);
});

test('config shows what is in force and from where, and no secret', () => {
  const environment = { AGENTDB9_AUTH_RATE_LIMIT: 'false', AGENTDB9_JWT_SECRET: 'x'.repeat(40) };
  const result = run(idle, 'config', '[server]\nthreads = 3\n', { environment, more: ['--json'] });
  assert.equal(result.status, 0, result.stderr);
  const rows = Object.fromEntries(JSON.parse(result.stdout).map((each) => [each.key, each]));
  assert.equal(rows['server.threads'].value, '3');
  assert.match(rows['server.threads'].source, /:2$/);
  assert.match(rows['auth.rateLimit'].source, /AGENTDB9_AUTH_RATE_LIMIT/);
  assert.match(rows.dataDir.source, /--data-dir/);
  assert.equal(rows['trash.days'].source, 'default');
  assert.ok(!result.stdout.includes('xxxx') && !result.stdout.includes(adminPassword));
});

test('without an admin in the environment, one is made with a password that is shown once', async () => {
  const server = await startServer({ environment: { AGENTDB9_ADMIN_EMAIL: undefined, AGENTDB9_ADMIN_PASSWORD: undefined } });
  try {
    const email = server.output.match(/^ *email +(\S+)/m)[1];
    const password = server.output.match(/^ *password +(\S+)/m)[1];
    assert.ok(password.length >= 12);
    const admin = await server.login(email, password);
    assert.equal(admin.user.role, 'admin');
    assert.ok(!JSON.stringify(server.log).includes(password), 'the log keeps it');
    await server.restart();
    assert.doesNotMatch(server.output, /^ *password +\S/m);
    await server.login(email, password);
  } finally {
    await server.close();
  }
});

test('who asks as soon as it answers at all finds the first admin', async () => {
  const server = new Server();
  try {
    const place = createServer();
    await new Promise((resolve) => place.listen(0, '127.0.0.1', resolve));
    server.listen = `127.0.0.1:${place.address().port}`;
    await new Promise((resolve) => place.close(resolve));
    const starting = server.start();
    const first = await eventually('an answer', () => exchange(`http://${server.listen}`, 'POST', '/api/auth/login', { json: { email: adminEmail, password: adminPassword } }).catch(() => undefined), { every: 1 });
    first.expect(200);
    await starting;
  } finally {
    await server.close();
  }
});

test('what the server makes in its data directory is nobody else\'s business', async () => {
  const server = await startServer();
  try {
    const mode = (name) => statSync(join(server.dataDir, name)).mode & 0o777;
    assert.equal(mode('.'), 0o700);
    for (const name of ['agentdb9.db', 'jwt.secret']) assert.equal(mode(name), 0o600, name);
    const user = await server.user();
    await server.restart();
    (await user.get('/api/auth/profile')).expect(200);
    await server.terminate();
    chmodSync(join(server.dataDir, 'jwt.secret'), 0o644);
    const result = run(server, 'serve');
    assert.equal(result.status, 1);
    assert.match(result.stderr, /jwt\.secret/);
  } finally {
    await server.close();
  }
});

test('a second server on the same data directory is refused, and the first goes on', async () => {
  const server = await startServer();
  try {
    const result = run(server, 'serve', undefined, { more: ['--listen', '127.0.0.1:0', '--apps-listen', '127.0.0.1:0'] });
    assert.equal(result.status, 1);
    assert.match(result.stderr, /in use by another/);
    assert.ok(result.stderr.includes(server.dataDir), result.stderr);
    await server.admin();
  } finally {
    await server.close();
  }
});

test('a port that is taken is named', async () => {
  const taken = createServer();
  await new Promise((resolve) => taken.listen(0, '127.0.0.1', resolve));
  const { port } = taken.address();
  try {
    const result = run(idle, 'serve', '[docker]\nnetwork = "' + idle.network + '"\n', { more: ['--listen', `127.0.0.1:${port}`, '--apps-listen', '127.0.0.1:0'] });
    assert.ok([1, 2].includes(result.status), result.stderr);
    assert.ok(result.stderr.includes(String(port)), result.stderr);
  } finally {
    await new Promise((resolve) => taken.close(resolve));
  }
});

test('a data directory that cannot be one is named', () => {
  const file = join(idle.directory, 'a-file');
  writeFileSync(file, '');
  const { environment } = idle.command('serve');
  const result = spawnSync(binary, ['serve', '--data-dir', join(file, 'below')], { env: environment, encoding: 'utf8', timeout: 20_000 });
  assert.notEqual(result.status, 0);
  assert.ok(result.stderr.includes(join(file, 'below')), result.stderr);
});

test('the version and the help are there for every command', () => {
  assert.match(spawnSync(binary, ['--version'], { encoding: 'utf8' }).stdout, /^agentdb9 \d+\.\d+\.\d+/);
  const help = spawnSync(binary, ['--help'], { encoding: 'utf8' });
  assert.equal(help.status, 0);
  for (const command of ['serve', 'migrate', 'config', 'version']) {
    assert.ok(help.stdout.includes(command));
    assert.equal(spawnSync(binary, [command, '--help']).status, 0);
  }
  assert.ok(adminEmail);
});
