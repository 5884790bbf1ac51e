// exec, shell, logs and stats: what runs in a workspace, from a command line somewhere.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';

import { begins, ends, longSleep } from '../../support/commands.mjs';
import { runIn } from '../../support/engine.mjs';
import { eventually } from '../../support/eventually.mjs';
import { Person } from '../../support/person.mjs';
import { TcpProxy } from '../../support/tcp_proxy.mjs';
import { binary, startServer } from '../../support/server.mjs';

let server, api, person, workspace, container;
before(async () => {
  server = await startServer({ toml: '[terminals]\nkeepSeconds = 20\n' });
  api = await server.user('ada');
  person = new Person();
  await person.login(server, api);
  workspace = await api.createWorkspace({ name: 'desk' });
  await api.start(workspace.id);
  container = (await server.engine.running(workspace.id))[0].Id;
});
after(() => server.close());

/** Bytes in, bytes out. */
function pipe(input, ...words) {
  return new Promise((resolve, reject) => {
    const child = spawn(binary, words, { env: person.environment, stdio: ['pipe', 'pipe', 'pipe'] });
    const out = [], err = [];
    child.stdout.on('data', (piece) => out.push(piece));
    child.stderr.on('data', (piece) => err.push(piece));
    child.stdin.on('error', () => {});
    child.on('error', reject).on('close', (code, signal) => resolve({ code, signal, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() }));
    child.stdin.end(input);
  });
}

describe('exec', () => {
  test('is the command: its streams, its exit code, its words', async () => {
    const done = await person.run('exec', 'desk', '--', 'sh', '-c', 'echo "out $1"; echo err >&2; exit 7', 'sh', 'a  b');
    assert.deepEqual([done.code, done.stdout, done.stderr], [7, 'out a  b\n', 'err\n']);
    (await person.run('exec', workspace.id, '--', 'true')).expect(0);
    const missing = (await person.run('exec', 'desk', '--', 'no-such-program')).expect(127);
    assert.match(missing.stderr, /no-such-program/);
    assert.equal((await person.run('exec', 'desk', '--cwd', '/tmp', '--env', 'A=b c', '--env', 'D=', '--', 'sh', '-c', 'pwd; echo "$A|$D|"')).expect(0).stdout, '/tmp\nb c||\n');
  });

  test('what is piped in is its input, byte for byte, and so comes out', async () => {
    const bytes = Buffer.concat([randomBytes(400_000), Buffer.from([0, 13, 10, 255])]);
    const back = await pipe(bytes, 'exec', 'desk', '--', 'cat');
    assert.equal(back.code, 0, back.stderr);
    assert.ok(back.stdout.equals(bytes));
    assert.equal((await pipe('ignored', 'exec', 'desk', '--no-stdin', '--', 'cat')).stdout.length, 0);
    const large = await pipe(Buffer.alloc(1_200_000), 'exec', 'desk', '--', 'cat');
    assert.equal(large.code, 2);
    assert.match(large.stderr, /larger than/);
  });

  test('says what kept it from running, by the exit codes of all commands', async () => {
    assert.match((await person.run('exec', 'disk', '--', 'true')).expect(3).stderr, /desk/);
    (await person.run('exec', 'desk')).expect(2);
    assert.match((await person.run('exec', 'desk', '--cwd', '/nowhere', '--', 'true')).expect(2).stderr, /cwd/);
    assert.match((await person.run('exec', 'desk', '--env', 'novalue', '--', 'true')).expect(2).stderr, /NAME=VALUE/);
    await api.createWorkspace({ name: 'idle' });
    assert.match((await person.run('exec', 'idle', '--', 'true')).expect(1).stderr, /not running/);
    (await new Person().run('exec', 'desk', '--', 'true')).expect(1);
  });

  test('its time limit ends it, and is told', async () => {
    const sleep = longSleep();
    const done = (await person.run('exec', 'desk', '--time-limit', '1', '--', 'sh', '-c', `echo on; ${sleep}`)).expect(124);
    assert.equal(done.stdout, 'on\n');
    assert.match(done.stderr, /its time was over/);
    await ends(container, sleep);
  });

  test('its own end is the command\'s', async () => {
    const sleep = longSleep();
    const going = person.start('exec', 'desk', '--no-stdin', '--time-limit', '3600', '--', 'sh', '-c', sleep);
    await begins(container, sleep);
    going.child.kill('SIGINT');
    assert.equal((await going.ended).signal, 'SIGINT');
    await ends(container, sleep);
  });

  test('--json is the API\'s answer', async () => {
    const done = (await person.run('exec', 'desk', '--json', '--', 'sh', '-c', 'echo hi; exit 3')).expect(3);
    assert.deepEqual([done.json.exitCode, done.json.stdout, done.json.endedBy], [3, 'hi\n', 'itself']);
    // Which comes at the command's end, however long other calls may take.
    const long = (await person.run('exec', 'desk', '--json', '--timeout', '1', '--time-limit', '20', '--', 'sh', '-c', 'sleep 3; echo whole')).expect(0);
    assert.equal(long.json.stdout, 'whole\n');
  });

  test('output that finds no room ends it, and is told', async () => {
    const sleep = longSleep();
    const full = openSync('/dev/full', 'w');
    const done = spawnSync(binary, ['exec', 'desk', '--no-stdin', '--', 'sh', '-c', `echo x; ${sleep}`], { env: person.environment, stdio: ['ignore', full, 'pipe'], encoding: 'utf8', timeout: 30_000 });
    closeSync(full);
    assert.deepEqual([done.status, done.signal], [1, null], done.stderr);
    assert.match(done.stderr, /could not be written: No space left/);
    await ends(container, sleep);
  });
});

describe('shell', () => {
  /** The line of sh(1) around it tells how it ended, and how the terminal is afterwards. */
  const line = (words = 'shell desk') => `stty rows 33; before=$(stty -g); "$AGENTDB9" ${words}; echo "code=$?"; [ "$before" = "$(stty -g)" ] && echo terminal"=restored"`;

  test('is a terminal there: its size, its keys, its exit code; and this one is as it was', async () => {
    const shell = person.startShellOnTerminal(line());
    await shell.says('$ ');
    shell.type('stty size; tty\r');
    await shell.says('33 80');
    await shell.says('/dev/pts/');
    shell.type('sleep 6\r');
    await shell.says('sleep 6\r\n');
    shell.type('\x03');
    shell.type('echo interrup"ted"\r');
    await shell.says('interrupted\r\n');
    shell.type('exit 9\r');
    await shell.says('code=9');
    await shell.says('terminal=restored');
    await shell.ended;
    // The server has heard that it is known here.
    await eventually('it to be forgotten', async () => (await api.get(`/api/workspaces/${workspace.id}/terminals`)).expect(200).data.length === 0, { within: 3000 });
  });

  test('goes on after a lost connection, and loses nothing', async () => {
    const proxy = await new TcpProxy(new URL(server.api)).open();
    const elsewhere = new Person({ AGENTDB9_URL: proxy.url, AGENTDB9_TOKEN: (await api.post('/api/auth/tokens', { name: 'shell' })).expect(201).data.token });
    const shell = elsewhere.startShellOnTerminal(line());
    await shell.says('$ ');
    shell.type("stty -echo; PS1=; i=0; while [ $i -lt 6 ]; do echo count-$i; sleep 0.5; i=$((i+1)); done; echo al'l'\r");
    await shell.says('count-1');
    proxy.cut();
    await shell.says('the connection is lost');
    await shell.says('all\r\n');
    assert.deepEqual(shell.output().match(/count-\d(?=\r)/g), ['count-0', 'count-1', 'count-2', 'count-3', 'count-4', 'count-5']);
    shell.type('exit 0\r');
    await shell.says('code=0');
    await shell.says('terminal=restored');
    await proxy.close();
  });

  test('Ctrl-C gives up also while the server says nothing', async (t) => {
    const proxy = await new TcpProxy(new URL(server.api)).open();
    t.after(() => proxy.close());
    const elsewhere = new Person({ AGENTDB9_URL: proxy.url, AGENTDB9_TOKEN: (await api.post('/api/auth/tokens', { name: 'silent' })).expect(201).data.token });
    const shell = elsewhere.startShellOnTerminal(line());
    await shell.says('$ ');
    proxy.silent = true;
    proxy.cut();
    await shell.says('the connection is lost');
    await eventually('another try', () => proxy.swallowed > 0);
    shell.type('\x03');
    await shell.says('given up');
    await shell.says('code=1');
    await shell.says('terminal=restored');
    await shell.ended;
  });

  test('a signal from elsewhere restores the terminal and ends what runs', async () => {
    const sleep = longSleep();
    const shell = person.startShellOnTerminal(line());
    await shell.says('$ ');
    shell.type(`${sleep}\r`);
    await begins(container, sleep);
    // The program, by its parent: sh(1), whose parent is script(1).
    const pid = await eventually('the program', () => {
      const all = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n');
      const found = all.find((each) => each.includes(`${binary} shell desk`) && !each.includes('script') && !each.includes('sh -c'));
      return found && Number(found.trim().split(' ')[0]);
    });
    process.kill(pid, 'SIGTERM');
    await shell.says('code=1');
    await shell.says('terminal=restored');
    await ends(container, sleep);
  });

  test('needs a terminal here', async () => {
    assert.match((await person.run('shell', 'desk')).expect(2).stderr, /agentdb9 exec/);
  });
});

describe('logs', () => {
  test('the last lines, since a moment, with times', async () => {
    runIn(container, 'i=0; while [ $i -lt 30 ]; do echo "line $i"; i=$((i+1)); done');
    await eventually('all lines', async () => /line 29\n$/.test((await person.run('logs', 'desk')).expect(0).stdout));
    assert.equal((await person.run('logs', 'desk', '--tail', '2')).expect(0).stdout, 'line 28\nline 29\n');
    assert.match((await person.run('logs', 'desk', '--tail', '1', '--timestamps')).expect(0).stdout, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z line 29\n$/);
    assert.equal((await person.run('logs', 'desk', '--since', '2100-01-01T00:00:00Z')).expect(0).stdout, '');
    assert.equal((await person.run('logs', 'desk', '--tail', '1', '--json')).expect(0).json[0].line, 'line 29');
    assert.match((await person.run('logs', 'desk', '--since', 'yesterday')).expect(2).stderr, /since/);
    (await person.run('logs', 'desk', '--tail', '0')).expect(2);
    (await person.run('logs', 'nothing')).expect(3);
    const quiet = (await person.run('logs', 'idle')).expect(0);
    assert.equal(quiet.stdout, '');
    assert.match(quiet.stderr, /no container/);
  });

  test('-f goes on over a break and a restart, and loses and doubles no line', async () => {
    const proxy = await new TcpProxy(new URL(server.api)).open();
    const elsewhere = new Person({ AGENTDB9_URL: proxy.url, AGENTDB9_TOKEN: (await api.post('/api/auth/tokens', { name: 'logs' })).expect(201).data.token });
    const logs = elsewhere.start('logs', '-f', '--tail', '1', 'desk');
    await logs.says('line 29\n');
    runIn(container, 'echo first');
    await logs.says('first\n');
    proxy.cut();
    runIn(container, 'echo second; echo third');
    await logs.says('third\n');
    (await api.post(`/api/workspaces/${workspace.id}/restart`)).expect(200);
    container = (await server.engine.running(workspace.id))[0].Id;
    runIn(container, 'echo fourth');
    await logs.says('fourth\n');
    for (const each of ['first', 'second', 'third', 'fourth']) assert.equal(logs.output().split(`${each}\n`).length, 2, each);
    logs.child.kill('SIGINT');
    assert.equal((await logs.ended).code, 130);
    await proxy.close();
  });
});

describe('stats', () => {
  test('a table of what runs, or of those that are named; JSON', async () => {
    const table = (await person.run('stats')).expect(0).stdout;
    assert.match(table, /^WORKSPACE +CPU +MEMORY +LIMIT .*\ndesk +\d+\.\d % +\d+(\.\d)? [KM]iB \(\d+\.\d %\)/);
    assert.ok(!table.includes('idle'));
    assert.match((await person.run('stats', 'idle', 'desk')).expect(0).stdout, /\nidle +not running +-.*\ndesk +\d/);
    const { json } = (await person.run('stats', '--json', 'desk')).expect(0);
    assert.deepEqual([json.length, json[0].name, typeof json[0].stats.memory.usedBytes], [1, 'desk', 'number']);
    (await person.run('stats', 'nothing')).expect(3);
  });

  test('--follow measures again and again until Ctrl-C', async () => {
    const stats = person.start('stats', '--follow', 'desk');
    await eventually('the second table', () => stats.output().split('WORKSPACE').length > 2, { within: 30_000 });
    stats.child.kill('SIGINT');
    assert.equal((await stats.ended).code, 130);
  });
});
