// Commands in workspaces: what they print and read, how they end, and who ends them.
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { begins, ends, exec, execStream, longSleep, processesIn } from '../../support/commands.mjs';
import { eventually } from '../../support/eventually.mjs';
import { startServer } from '../../support/server.mjs';

let server, user, workspace, container;
before(async () => {
  server = await startServer({ toml: '[executions]\nperWorkspace = 3\nperUser = 5\n', environment: { SECRET_OF_THE_SERVER: 'nobody is to see this' } });
  user = await server.user('runner');
  workspace = await user.createWorkspace();
  await user.start(workspace.id);
  container = (await server.engine.running(workspace.id))[0].Id;
});
after(() => server.close());

const path = (of = workspace) => `/api/workspaces/${of.id}/exec`;
const run = (command, more) => exec(user, workspace, command, more);

test('a command answers its exit code and what it printed on each stream', async () => {
  const done = await run(['sh', '-c', 'echo out; echo err >&2; exit 7']);
  assert.deepEqual({ ...done, durationMs: 0 }, {
    exitCode: 7, endedBy: 'itself', timedOut: false, leftRunning: false, durationMs: 0, stdout: 'out\n', stderr: 'err\n',
    encoding: 'utf-8', truncated: false, discardedBytes: 0,
  });
  assert.equal((await run('echo "$0 $((6 * 7))" | cat')).stdout, '/bin/sh 42\n', 'text is a line for the shell');
  assert.equal((await run(['printf', '%s|', 'a b', '', '"$HOME"', '日本'])).stdout, 'a b||"$HOME"|日本|', 'a list passes through no shell');
});

test('it runs as the image\'s user, in the project, with the container\'s variables and its own', async () => {
  const done = await run('id -u; pwd; echo $WORKSPACE_ID; echo "$A|$B_2"', { env: { A: 'one two', B_2: '$(false)"' } });
  assert.equal(done.stdout, `1000\n/workspace\n${workspace.id}\none two|$(false)"\n`);
  await run('mkdir -p "a dir/deeper"');
  assert.equal((await run('pwd', { cwd: 'a dir/deeper' })).stdout, '/workspace/a dir/deeper\n');
  assert.equal((await run('pwd', { cwd: '/tmp' })).stdout, '/tmp\n');
  for (const cwd of ['nowhere', '/etc/passwd', '-', '/root/nowhere']) {
    const answer = (await user.post(path(), { command: 'pwd', cwd })).expect(400, 'invalid_field');
    assert.deepEqual(answer.body.details.map((each) => each.field), ['cwd'], cwd);
  }
});

test('nothing of the caller\'s token, and nothing of the server\'s environment, is there', async () => {
  const { stdout } = await run('cat /proc/self/environ | tr "\\0" "\\n"; cat /proc/*/cmdline | tr "\\0" " "');
  assert.match(stdout, /WORKSPACE_ID=/);
  assert.ok(!stdout.includes(user.token));
  assert.ok(!stdout.includes('nobody is to see this'));
  assert.ok(!/Bearer|AGENTDB9_(?!EXECUTION=)/.test(stdout), stdout);
});

test('a program that is not there, and one that cannot be run, are told as shells tell them', async () => {
  const missing = await run(['no-such-program']);
  assert.equal(missing.exitCode, 127);
  assert.match(missing.stderr, /no-such-program/);
  assert.equal((await run(['/etc/passwd'])).exitCode, 126);
  assert.equal((await run('kill -TERM $$')).exitCode, 143);
  const killed = await run('kill -KILL $$');
  assert.deepEqual([killed.exitCode, killed.endedBy], [137, 'itself']);
});

test('it reads what it is given, byte for byte, and an end where it is given nothing', async () => {
  const bytes = Buffer.concat([randomBytes(300_000), Buffer.from([0, 255, 10, 13, 10, 0])]);
  const back = await run(['cat'], { stdinBase64: bytes.toString('base64'), encoding: 'base64' });
  assert.ok(Buffer.from(back.stdout, 'base64').equals(bytes));
  assert.equal((await run(['cat'], { stdin: 'Grüße\n' })).stdout, 'Grüße\n');
  assert.equal((await run(['wc', '-c'], { stdin: '' })).stdout.trim(), '0');
  assert.equal((await run(['cat'])).stdout, '', 'without input it is at its end');
  assert.equal((await run('echo early', { stdin: 'x'.repeat(500_000) })).stdout, 'early\n', 'one that reads nothing ends all the same');
});

test('bytes that are no text are told as such, or whole in base64', async () => {
  const command = ['printf', 'a\\377\\200b\\000c\\033[1m'];
  assert.equal((await run(command)).stdout, 'a\ufffd\ufffdb\0c\x1b[1m');
  assert.deepEqual([...Buffer.from((await run(command, { encoding: 'base64' })).stdout, 'base64')], [97, 255, 128, 98, 0, 99, 27, 91, 49, 109]);
});

test('what is wrong with a request is told, each by its field, and nothing is run', async () => {
  const before = processesIn(container).length;
  const cases = [
    [{}, 'command'], [{ command: '' }, 'command'], [{ command: [] }, 'command'], [{ command: 7 }, 'command'], [{ command: null }, 'command'],
    [{ command: ['a', 7] }, 'command'], [{ command: [''] }, 'command'], [{ command: 'a\0b' }, 'command'], [{ command: 'x'.repeat(120_001) }, 'command'],
    [{ command: Array(1001).fill('x') }, 'command'], [{ command: { a: 1 } }, 'command'],
    [{ command: 'a', cwd: 7 }, 'cwd'], [{ command: 'a', cwd: '' }, 'cwd'], [{ command: 'a', cwd: 'x'.repeat(5000) }, 'cwd'], [{ command: 'a', cwd: 'a\0b' }, 'cwd'],
    [{ command: 'a', env: [] }, 'env'], [{ command: 'a', env: { '1A': 'x' } }, 'env'], [{ command: 'a', env: { 'A=B': 'x' } }, 'env'], [{ command: 'a', env: { '': 'x' } }, 'env'],
    [{ command: 'a', env: { A: 1 } }, 'env.A'], [{ command: 'a', env: { A: 'a\0b' } }, 'env.A'],
    [{ command: 'a', timeoutSeconds: 0 }, 'timeoutSeconds'], [{ command: 'a', timeoutSeconds: 3601 }, 'timeoutSeconds'], [{ command: 'a', timeoutSeconds: '5' }, 'timeoutSeconds'],
    [{ command: 'a', timeoutSeconds: 1.5 }, 'timeoutSeconds'], [{ command: 'a', stdin: 7 }, 'stdin'], [{ command: 'a', stdinBase64: 'YQ' }, 'stdinBase64'],
    [{ command: 'a', stdinBase64: 'Y*==' }, 'stdinBase64'], [{ command: 'a', stdin: 'a', stdinBase64: 'YQ==' }, 'stdinBase64'],
    [{ command: 'a', encoding: 'latin1' }, 'encoding'], [{ command: 'a', user: 'root' }, 'user'], [{ command: 'a', privileged: true }, 'privileged'],
  ];
  for (const [body, field] of cases) {
    const answer = (await user.post(path(), body)).expect(400, 'invalid_field');
    assert.deepEqual(answer.body.details.map((each) => each.field), [field], JSON.stringify(body).slice(0, 100));
  }
  (await user.post(path(), undefined, { body: '{"command": ', headers: { 'Content-Type': 'application/json' } })).expect(400, 'invalid_json');
  (await user.post(path(), { command: 'a', stdin: 'x'.repeat(1_100_000) })).expect(413);
  (await user.get(path())).expect(405);
  assert.equal(processesIn(container).length, before);
});

test('a workspace that is another\'s, not there or not running', async () => {
  const other = await server.user('other');
  const there = (await other.post(path(), { command: 'id' })).expect(404, 'workspace_not_found').body;
  const nowhere = (await other.post(path({ id: randomUUID() }), { command: 'id' })).expect(404, 'workspace_not_found').body;
  assert.equal(there.message, nowhere.message);
  (await other.post(path(), { nonsense: true })).expect(404);
  (await server.nobody().post(path(), { command: 'id' })).expect(401);
  (await user.post(path({ id: 'x' }), { command: 'id' })).expect(400, 'invalid_id');
  const idle = await user.createWorkspace();
  (await user.post(path(idle), { command: 'id' })).expect(409, 'workspace_not_running');
});

test('a time limit ends all that a command has started, those that ignore it and those that hide', async () => {
  const sleeps = [longSleep(), longSleep(), longSleep(), longSleep()];
  const done = await run(`trap "" TERM; ${sleeps[0]} & (trap "" TERM HUP; setsid ${sleeps[1]}) & env -i ${sleeps[2]} & echo begun; ${sleeps[3]}; ${sleeps[3]}`, { timeoutSeconds: 1 });
  assert.equal(done.stdout, 'begun\n');
  assert.deepEqual([done.timedOut, done.endedBy, done.leftRunning, done.exitCode], [true, 'time_limit', false, 137]);
  for (const each of sleeps) await ends(container, each);
  // One that obeys, and leaves behind what does not and has let go of its output.
  const left = longSleep();
  const obeys = await run(`(trap "" TERM; exec ${left}) > /dev/null 2>&1 & trap "exit 5" TERM; while :; do sleep 0.1; done`, { timeoutSeconds: 1 });
  assert.deepEqual([obeys.exitCode, obeys.timedOut], [5, true]);
  await ends(container, left);
});

test('one that can end in good order is let do so', async () => {
  const done = await run('trap "echo bye; exit 3" TERM; while :; do sleep 0.1; done', { timeoutSeconds: 1 });
  assert.deepEqual([done.stdout, done.exitCode, done.timedOut], ['bye\n', 3, true]);
});

test('it ends with its client, collected or streamed', async () => {
  const collected = longSleep();
  const abort = new AbortController();
  const asked = fetch(server.api + path(), {
    method: 'POST', signal: abort.signal, headers: { Authorization: `Bearer ${user.token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ command: collected, timeoutSeconds: 3600 }),
  }).catch((error) => error.name);
  await begins(container, collected);
  abort.abort();
  assert.equal(await asked, 'AbortError');
  await ends(container, collected);

  const streamed = longSleep();
  const stream = await execStream(user, workspace, { command: `echo on; ${streamed}`, timeoutSeconds: 3600 });
  await eventually('its first words', () => stream.text() === 'on\n');
  await begins(container, streamed);
  stream.close();
  await ends(container, streamed);
});

test('a stream tells as it is printed, in whole characters, and at last how it ended', async () => {
  const stream = await execStream(user, workspace, { command: 'printf "a\\303"; sleep 0.3; printf "\\274b"; echo oops >&2; read line; exit 4', stdin: '' });
  await eventually('the end', () => stream.ended);
  assert.equal(stream.text(), 'aüb');
  assert.equal(stream.text('stderr'), 'oops\n');
  const [end] = stream.of('exit');
  assert.deepEqual([end.exitCode, end.endedBy, stream.events.at(-1).event], [4, 'itself', 'exit']);
  const broken = await execStream(user, workspace, { command: 'printf "x\\303"' });
  await eventually('the end', () => broken.ended);
  assert.equal(broken.text(), 'x\ufffd');
});

test('too much output is cut, and told; the memory stays as it is', async () => {
  const small = await run('head -c 1048576 /dev/zero | tr "\\0" a');
  assert.deepEqual([small.truncated, small.discardedBytes, small.stdout.length], [false, 0, 1 << 20]);
  const memory = () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${server.process.pid}/status`, 'utf8'))[1]);
  const before = memory();
  const done = await run('head -c 104857600 /dev/zero | tr "\\0" b; echo small >&2');
  assert.deepEqual([done.truncated, done.discardedBytes, done.stdout.length, done.stderr, done.exitCode], [true, 99 << 20, 1 << 20, 'small\n', 0]);
  const stream = await execStream(user, workspace, { command: 'head -c 104857600 /dev/zero | tr "\\0" c', encoding: 'base64' });
  let bytes = 0;
  await eventually('the end', () => {
    for (const { data } of stream.events.splice(0)) bytes += data.data ? Buffer.from(data.data, 'base64').length : 0;
    return stream.ended;
  }, { within: 60_000 });
  assert.equal(bytes, 100 << 20);
  assert.ok(memory() - before < 32 << 10, `${memory() - before} KiB more`);
});

test('who reads slowly makes a command wait, not the server grow', async () => {
  const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.process.pid}/status`, 'utf8'))[1]);
  const before = rss();
  const stream = await execStream(user, workspace, { command: 'x=0123456789abcdef; x=$x$x$x$x; x=$x$x$x$x; x=$x$x$x$x; x=$x$x$x$x; i=0; while :; do echo $x; i=$((i+1)); echo $i > /tmp/count; done', timeoutSeconds: 60 });
  stream.response.pause();
  const count = async () => Number((await run('cat /tmp/count 2>/dev/null || echo 0')).stdout);
  let last = -1;
  const stood = await eventually('it to stand still', async () => {
    const now = await count();
    const still = now > 0 && now === last;
    last = now;
    return still && now;
  }, { every: 500, within: 30_000 });
  assert.ok(rss() - before < 16 << 10, `${rss() - before} KiB more`);
  stream.response.resume();
  await eventually('it to go on', async () => (await count()) > stood);
  stream.close();
});

test('only so many run at once in a workspace, and for a user', async () => {
  const sleep = longSleep();
  const streams = [];
  // What an earlier test has closed may take its last moment yet.
  const open = async (where) => streams.push(await eventually('a place', async () => {
    const stream = await execStream(user, where, { command: `echo on; ${sleep}`, timeoutSeconds: 600 });
    return stream.status === 200 && stream;
  }));
  await eventually('all places to be free', async () => {
    const tried = await Promise.all([1, 2, 3].map(() => user.post(path(), { command: 'sleep 0.2' })));
    return tried.every((each) => each.status === 200);
  });
  for (let i = 0; i < 3; ++i) await open(workspace);
  const refused = (await user.post(path(), { command: 'id' })).expect(429, 'too_many_executions');
  assert.match(refused.body.message, /^3 commands are running in this workspace, and 3 may at once/);
  assert.ok(Number(refused.headers['retry-after']) > 0);
  const second = await user.createWorkspace();
  await user.start(second.id);
  for (let i = 0; i < 2; ++i) await open(second);
  assert.match((await user.post(path(second), { command: 'id' })).expect(429).body.message, /^5 commands are running in your workspaces, and 5 may/);
  const other = await server.user('second');
  const theirs = await other.createWorkspace();
  await other.start(theirs.id);
  assert.equal((await exec(other, theirs, 'echo free')).stdout, 'free\n', 'others are not concerned');
  for (const each of streams) each.close();
  await eventually('their places to be free', async () => (await user.post(path(), { command: 'id' })).status === 200);
  await user.stop(second.id);
});
