import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, openSync, writeFileSync, writeSync, closeSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { on, run } from '../../support/command.mjs';
import { Server, startServer } from '../../support/server.mjs';

async function examine(server, code) {
  return (await on(server, 'doctor', '--json')).expect(code).json.checks;
}
const found = (checks, name) => checks.filter((each) => each.check === name);
const one = (checks, name, state) => {
  const match = found(checks, name).find((each) => each.state === state);
  assert.ok(match, `${name} ${state}: ${JSON.stringify(checks, undefined, 1)}`);
  if (state !== 'ok') assert.ok(match.advice, 'it says what to do');
  return match.what;
};

describe('agentdb9 doctor, beside a running server', () => {
  let server;
  before(async () => (server = await startServer()));
  after(() => server.close());

  test('finds no problem, in sentences', async () => {
    const checks = await examine(server, 0);
    for (const name of ['configuration', 'data directory', 'secrets', 'database', 'server', 'disk', 'engine', 'network', 'images', 'purging', 'leftovers'])
      assert.ok(found(checks, name).length > 0, name);
    for (const each of checks) assert.match(each.what, /\.$/, each.check);
    assert.match(one(checks, 'server', 'ok'), new RegExp(server.api));
    const text = (await on(server, 'doctor')).expect(0).stdout;
    assert.match(text, /^ok +engine +Docker Engine/m);
    assert.match(text, /^0 problems, \d+ warnings?$/m);
  });

  test('changes nothing', async () => {
    const before_ = server.query('SELECT * FROM agentdb9_settings ORDER BY name');
    await examine(server, 0);
    assert.equal(server.query("SELECT * FROM agentdb9_settings WHERE name <> 'heartbeat' ORDER BY name"), before_.split('\n').filter((line) => !line.startsWith('heartbeat')).join('\n'));
  });

  test('says that a server hangs, and which process that is', async () => {
    server.process.kill('SIGSTOP');
    try {
      assert.match(one(await examine(server, 1), 'server', 'problem'), new RegExp(`process ${server.process.pid}\\b`));
    } finally {
      server.process.kill('SIGCONT');
    }
  });

  test('tells of a pause', async () => {
    server.query("INSERT INTO agentdb9_settings (name, value) VALUES ('purgePausedBecause', 'a test said so')");
    assert.match(one(await examine(server, 0), 'purging', 'warning'), /a test said so/);
    (await on(server, 'volumes', 'resume')).expect(0);
  });
});

describe('agentdb9 doctor, without a server', () => {
  let server;
  before(async () => {
    server = new Server();
    (await on(server, 'migrate')).expect(0);
  });
  after(() => server.close());
  const database = () => join(server.dataDir, 'agentdb9.db');

  test('before the first start there is nothing wrong', async () => {
    const fresh = new Server();
    try {
      const { words, environment } = fresh.command('doctor', '--json');
      const checks = (await run(words, { environment: { ...environment, AGENTDB9_SERVER_LISTEN: '127.0.0.1:0', AGENTDB9_SERVER_APPS_LISTEN: '127.0.0.1:0' } })).expect(0).json.checks;
      assert.match(one(checks, 'data directory', 'ok'), /first start makes it/);
      assert.match(one(checks, 'database', 'ok'), /none yet/);
      assert.throws(() => statSync(fresh.dataDir), 'it made nothing');
    } finally {
      await fresh.close();
    }
  });

  test('a port that somebody has is a problem', async () => {
    const holder = createServer();
    await new Promise((listening) => holder.listen(0, '127.0.0.1', listening));
    const taken = `127.0.0.1:${holder.address().port}`;
    try {
      const { words, environment } = server.command('doctor', '--json');
      const checks = (await run(words, { environment: { ...environment, AGENTDB9_SERVER_LISTEN: taken } })).expect(1).json.checks;
      assert.match(one(checks, 'ports', 'problem'), new RegExp(`${taken}.*in use`));
    } finally {
      holder.close();
    }
  });

  test('an engine that does not answer is a problem, and the rest is examined', async () => {
    const { words, environment } = server.command('doctor', '--json');
    const checks = (await run(words, { environment: { ...environment, DOCKER_HOST: 'unix:///nowhere/docker.sock' } })).expect(1).json.checks;
    assert.match(one(checks, 'engine', 'problem'), /unix:\/\/\/nowhere\/docker\.sock/);
    one(checks, 'database', 'ok');
    one(checks, 'purging', 'ok');
    assert.equal(found(checks, 'images').length, 0);
  });

  test('types without an image are warned of', async () => {
    server.configure(`${server.toml}\n[workspaceTypes.odd]\ncontainerImage = "agentdb9.invalid/odd:none"\ndefaultPort = 80\n`);
    const checks = (await on(server, 'doctor', '--json')).json.checks;
    assert.ok(found(checks, 'images').some((each) => each.state === 'warning' && /odd: agentdb9\.invalid\/odd:none/.test(each.what)), JSON.stringify(found(checks, 'images')));
  });

  test('a network on which workspaces reach one another is a problem', async () => {
    execFileSync('docker', ['network', 'create', server.network], { stdio: 'ignore' });
    assert.match(one(await examine(server, 1), 'network', 'problem'), /can reach one another/);
    execFileSync('docker', ['network', 'rm', server.network], { stdio: 'ignore' });
  });

  test('a secret that others may read is a problem', async () => {
    (await on(server, 'user', 'list')).expect(0);
    chmodSync(join(server.dataDir, 'jwt.secret'), 0o644);
    assert.match(one(await examine(server, 1), 'secrets', 'problem'), /jwt\.secret.*0644.*chmod 600/);
    chmodSync(join(server.dataDir, 'jwt.secret'), 0o600);
  });

  test('a data directory that others may look into is warned of, one that they may change is a problem', async () => {
    chmodSync(server.dataDir, 0o755);
    one((await on(server, 'doctor', '--json')).json.checks, 'data directory', 'warning');
    chmodSync(server.dataDir, 0o777);
    one(await examine(server, 1), 'data directory', 'problem');
    chmodSync(server.dataDir, 0o700);
  });

  test('a configuration with a mistake is a problem, with its line', async () => {
    const good = server.toml;
    server.configure(`trash = 3\n${good}`);
    assert.match(one(await examine(server, 1), 'configuration', 'problem'), /agentdb9\.toml:1: trash must be a section/);
    server.configure(good);
  });

  test('a secret in a configuration file that others may read is warned of', async () => {
    const good = server.toml;
    server.configure(good.replace('[auth]\n', '[auth]\njwtSecret = "0123456789012345678901234567890123456789"\n'));
    chmodSync(server.configFile, 0o644);
    const checks = (await on(server, 'doctor', '--json')).json.checks;
    assert.match(one(checks, 'secrets', 'warning'), /configuration file holds a secret/);
    assert.ok(!JSON.stringify(checks).includes('01234567890123456789'));
    server.configure(good);
  });

  test('a database of a newer program is a problem', async () => {
    server.query("INSERT INTO agentdb9_migrations SELECT 9999, '9999_breaking_future', MAX(\"appliedAt\") FROM agentdb9_migrations");
    assert.match(one(await examine(server, 1), 'database', 'problem'), /newer/);
    (await on(server, 'migrate', '--dry-run')).expect(1);
    (await on(server, 'user', 'list')).expect(1);
    server.query('DELETE FROM agentdb9_migrations WHERE version = 9999');
  });

  test('a data directory that is a file is a problem', async () => {
    const { words, environment } = server.command('doctor', '--json');
    const file = join(server.directory, 'file');
    writeFileSync(file, '');
    words[words.indexOf('--data-dir') + 1] = file;
    one((await run(words, { environment })).expect(1).json.checks, 'data directory', 'problem');
  });

  test('a damaged database is a problem', async () => {
    const size = statSync(database()).size;
    const file = openSync(database(), 'r+');
    writeSync(file, Buffer.alloc(Math.min(40_000, size - 8192), 0xa5), 0, undefined, 8192);
    closeSync(file);
    assert.match(one(await examine(server, 1), 'database', 'problem'), /damaged|malformed|cannot be/);
  });

  test('a file that is no database is a problem', async () => {
    const other = join(server.directory, 'other');
    mkdirSync(other, { mode: 0o700 });
    writeFileSync(join(other, 'agentdb9.db'), 'this is a text, and no database at all'.repeat(100), { mode: 0o600 });
    const { words, environment } = server.command('doctor', '--json');
    words[words.indexOf('--data-dir') + 1] = other;
    one((await run(words, { environment })).expect(1).json.checks, 'database', 'problem');
  });
});
