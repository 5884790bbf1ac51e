import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { run } from '../../support/command.mjs';

const commands = [
  [], ['serve'], ['migrate'], ['config'], ['doctor'], ['version'], ['user'], ['user', 'list'], ['user', 'add'], ['user', 'show'],
  ['user', 'set-role'], ['user', 'disable'], ['user', 'enable'], ['user', 'reset-password'], ['volumes'], ['volumes', 'list'],
  ['volumes', 'restore'], ['volumes', 'purge'], ['volumes', 'cleanup'], ['volumes', 'resume'], ['cleanup'], ['cp'],
  ['login'], ['logout'], ['whoami'], ['completion'], ['man'], ['projects'], ['workspaces'], ['token'],
  ...['list', 'create', 'show', 'delete'].map((each) => ['projects', each]),
  ...['list', 'create', 'revoke'].map((each) => ['token', each]),
  // By both of its names: the examples use them.
  ...['workspaces', 'ws'].flatMap((name) => ['list', 'types', 'create', 'show', 'status', 'set', 'start', 'stop', 'restart', 'switch', 'open', 'delete'].map((each) => [name, each])),
];

describe('agentdb9 config, version and help', () => {
  let folder;
  const environment = { PATH: process.env.PATH };
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'agentdb9-test-'));
    environment.HOME = folder;
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  const file = (text) => {
    const name = join(folder, 'agentdb9.toml');
    writeFileSync(name, text);
    return name;
  };

  test('shows each value with its source', async () => {
    const name = file('[trash]\ndays = 3\n');
    const words = ['config', '--config', name, '--data-dir', folder, '--json'];
    const rows = (await run(words, { environment: { ...environment, AGENTDB9_LOGS_LEVEL: 'error' } })).expect(0).json;
    const row = (key) => rows.find((each) => each.key === key);
    assert.deepEqual(row('trash.days'), { key: 'trash.days', value: '3', source: 'agentdb9.toml:2' });
    assert.equal(row('dataDir').source, 'flag --data-dir');
    assert.equal(row('logs.level').source, 'environment AGENTDB9_LOGS_LEVEL');
    assert.equal(row('server.listen').source, 'default');
    const table = (await run(['config', '--config', name], { environment })).expect(0).stdout;
    assert.match(table, /^trash\.days +3 +agentdb9\.toml:2$/m);
  });

  test('every mistake is told at once, with key and line, and exit code 2', async () => {
    const name = file('[server]\nthread = 2\nlisten = 8000\n[workspaceTypes.vscode]\ndefaultPort = 70000\n');
    for (const words of [['config'], ['serve'], ['user', 'list'], ['migrate']]) {
      const { stderr, stdout } = (await run([...words, '--config', name], { environment })).expect(2);
      assert.match(stderr, /agentdb9\.toml:2: server\.thread is not a known key, did you mean 'server\.threads'\?/);
      assert.match(stderr, /agentdb9\.toml:3: server\.listen must be a text/);
      assert.match(stderr, /agentdb9\.toml:5: workspaceTypes\.vscode\.defaultPort must be a number from 1 to 65535/);
      assert.equal(stdout, '');
    }
  });

  test('a variable of ours that names no setting is warned of', async () => {
    const { stderr } = (await run(['config'], { environment: { ...environment, AGENTDB9_SERVER_LISTN: 'x' } })).expect(0);
    assert.match(stderr, /warning: .*AGENTDB9_SERVER_LISTN.*did you mean AGENTDB9_SERVER_LISTEN/);
  });

  test('--default-file prints a file that loads', async () => {
    const name = file((await run(['config', '--default-file'], { environment })).expect(0).stdout);
    const rows = (await run(['config', '--config', name, '--json'], { environment })).expect(0).json;
    assert.ok(rows.every((each) => each.source === 'default'));
  });

  test('the operations guide has every setting, its variable and its default', async () => {
    const guide = readFileSync(fileURLToPath(new URL('../../../docs/operations.md', import.meta.url)), 'utf8');
    const settings = (await run(['config', '--default-file'], { environment })).expect(0).stdout;
    const rows = (await run(['config', '--json'], { environment })).expect(0).json;
    const variables = [...settings.matchAll(/\b(AGENTDB9_[A-Z0-9_]+)$/gm)].map((each) => each[1]);
    assert.ok(variables.length > 20);
    const keys = rows.map((each) => each.key).filter((key) => !/^(workspaceTypes|rewrites)\./.test(key));
    assert.equal(keys.length, variables.length);
    keys.forEach((key, index) => {
      const line = guide.split('\n').find((each) => each.startsWith(`| \`${key}\` | \`${variables[index]}\` |`));
      assert.ok(line, `${key} with ${variables[index]}`);
      const { value } = rows.find((each) => each.key === key);
      if (key !== 'dataDir' && !value.startsWith('(')) assert.ok(line.includes(`| \`${value}\` |`), `${key}: ${value} in ${line}`);
    });
  });

  test('version says which, for people and for programs', async () => {
    const version = readFileSync(fileURLToPath(new URL('../../../VERSION', import.meta.url)), 'utf8').trim();
    assert.equal((await run(['version'])).expect(0).stdout, `agentdb9 ${version}\n`);
    assert.equal((await run(['version', '--json'])).expect(0).json.version, version);
    assert.equal((await run(['--version'])).expect(0).stdout.trim(), `agentdb9 ${version}`);
  });

  for (const words of commands) {
    test(`${['agentdb9', ...words].join(' ')} --help`, async () => {
      const { stdout, stderr } = (await run([...words, '--help'])).expect(0);
      assert.match(stdout, /Usage: /);
      assert.equal(stderr, '');
      for (const [example] of stdout.matchAll(/^ {2}agentdb9 .*$/gm)) {
        const named = example.trim().split(/\s+/).slice(1).filter((word) => /^[a-z-]+$/.test(word) && !word.startsWith('-'));
        assert.ok(commands.some((each) => each.length > 0 && each.every((word, index) => named[index] === word)), example);
      }
    });
  }
});
