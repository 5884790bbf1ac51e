// Who owns a data directory: a server that runs, a command for a moment, nobody.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { on } from '../../support/command.mjs';
import { startServer, Server } from '../../support/server.mjs';

describe('without a server', () => {
  let server;
  before(() => (server = new Server()));
  after(() => server.close());

  test('a directory without an installation is not made one by a look at it', async () => {
    for (const words of [['user', 'list'], ['user', 'add', 'ada@example.test'], ['volumes', 'list'], ['volumes', 'cleanup']]) {
      const { stderr } = (await on(server, ...words)).expect(3);
      assert.match(stderr, /No installation is found in .*--data-dir/);
    }
    assert.ok(!existsSync(server.dataDir));
  });

  test('migrate makes one, and says so before when asked', async () => {
    const pending = (await on(server, 'migrate', '--dry-run', '--json')).expect(0).json.pending;
    assert.ok(pending.length >= 4);
    assert.ok(!existsSync(server.dataDir));
    assert.deepEqual((await on(server, 'migrate', '--json')).expect(0).json.applied, pending);
    assert.match((await on(server, 'migrate')).expect(0).stdout, /up to date/);
    assert.equal(statSync(server.dataDir).mode & 0o777, 0o700);
    assert.equal(statSync(join(server.dataDir, 'agentdb9.db')).mode & 0o777, 0o600);
  });

  test('commands change the database themselves, several at once wait for one another', async () => {
    const names = ['one', 'two', 'three', 'four'];
    const all = await Promise.all(names.map((name) => on(server, 'user', 'add', `${name}@example.test`, '--json')));
    for (const each of all) each.expect(0);
    const emails = (await on(server, 'user', 'list', '--json')).expect(0).json.map((each) => each.email);
    assert.deepEqual(emails.sort(), names.map((name) => `${name}@example.test`).sort());
    await server.start();
    await server.login('three@example.test', all[2].json.oneTimePassword);
    assert.ok(!readdirSync(server.dataDir).some((name) => name.includes('tmp')));
  });
});

describe('with a server', () => {
  let server;
  before(async () => (server = await startServer()));
  after(() => server.close());

  test('a second one is refused with a sentence, and the first goes on', async () => {
    const second = (await on(server, 'serve', '--listen', '127.0.0.1:0', '--apps-listen', '127.0.0.1:0')).expect(1);
    assert.match(second.stderr, /is in use by another agentdb9/);
    (await server.nobody().get('/healthz')).expect(200);
    (await on(server, 'user', 'list')).expect(0);
  });

  test('migrate is refused, and --dry-run is answered', async () => {
    assert.match((await on(server, 'migrate')).expect(1).stderr, /is in use by another agentdb9/);
    assert.match((await on(server, 'migrate', '--dry-run')).expect(0).stdout, /up to date/);
  });

  test('one that hangs is named, and nobody else takes its place', async () => {
    server.process.kill('SIGSTOP');
    try {
      const { stderr } = (await on(server, 'user', 'add', 'late@example.test', '--timeout', '1')).expect(4);
      assert.match(stderr, new RegExp(`process ${server.process.pid}\\b.*did not answer`));
    } finally {
      server.process.kill('SIGCONT');
    }
  });

  test('after one that was slain a command answers by itself', async () => {
    await server.kill();
    assert.ok(existsSync(join(server.dataDir, 'agentdb9.sock')), 'its socket is still there');
    (await on(server, 'user', 'add', 'after@example.test')).expect(0);
    await server.start();
    const emails = (await on(server, 'user', 'list', '--json')).expect(0).json.map((each) => each.email);
    assert.ok(emails.includes('after@example.test'));
  });

  test('its socket and its secrets are its owner\'s alone', () => {
    for (const name of ['agentdb9.sock', 'agentdb9.db', 'jwt.secret'])
      assert.equal(statSync(join(server.dataDir, name)).mode & 0o077, 0, name);
  });
});
