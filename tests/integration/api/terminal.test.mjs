// Terminals over WebSockets: bytes both ways, over lost connections, and what ends them.
import assert from 'node:assert/strict';
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { begins, ends, exec, longSleep, running } from '../../support/commands.mjs';
import { eventually } from '../../support/eventually.mjs';
import { startServer } from '../../support/server.mjs';
import { Terminal } from '../../support/terminal.mjs';

let server, user, workspace, container;
before(async () => {
  server = await startServer({ toml: '[terminals]\nperWorkspace = 4\nperUser = 5\nkeepSeconds = 6\n' });
  user = await server.user('typist');
  workspace = await user.createWorkspace();
  await user.start(workspace.id);
  container = (await server.engine.running(workspace.id))[0].Id;
});
after(() => server.close());

const path = (what = 'terminals', of = workspace) => `/api/workspaces/${of.id}/${what}`;
const refusal = (promise) => promise.then(() => assert.fail('it is not refused'), (error) => {
  if (!error.status) throw error;
  return error;
});
const open = (options) => Terminal.open(user, workspace, options);
/** Ends it, and waits until its place is free. */
async function end(terminal) {
  await user.delete(path(`terminals/${terminal.session}`));
  await eventually('it to be gone', async () => !(await user.get(path())).expect(200).data.some((each) => each.id === terminal.session));
}

test('a shell on a terminal: what is typed is echoed, run, and its exit is told', async () => {
  const terminal = await open({ columns: 91, rows: 31 });
  const [ready] = terminal.of('ready');
  assert.deepEqual({ ...ready, session: undefined }, { type: 'ready', session: undefined, offset: 0, received: 0, skipped: 0, columns: 91, rows: 31 });
  terminal.type('stty size; pwd; id -u; echo "[$TERM]"; tty\n');
  await terminal.shows('\r\n31 91\r\n/workspace\r\n1000\r\n[xterm-256color]\r\n/dev/pts/');
  terminal.say({ type: 'resize', columns: 120, rows: 40 });
  await eventually('the new size', () => {
    terminal.type('stty size\n');
    return terminal.text.includes('40 120\r\n');
  }, { every: 200 });
  terminal.type('exit 7\n');
  assert.deepEqual(await terminal.ends(), { code: 1000, reason: 'the terminal has ended' });
  assert.deepEqual(terminal.words.at(-1), { type: 'exit', exitCode: 7, endedBy: 'itself', leftRunning: false });
});

test('a lost connection loses nothing and doubles nothing, of either side', async () => {
  const terminal = await open();
  terminal.type("stty -echo; PS1=\n");
  terminal.type('echo be"gin"\n');
  await terminal.shows('begin\r\n');
  const from = terminal.received;
  // As much as it takes, a megabyte at least, while the connection breaks again and again.
  terminal.type('i=0; while [ $i -lt 50000 ] || [ ! -e /tmp/enough ]; do echo "line $i of many"; i=$((i+1)); done; echo al"l"\n');
  let breaks = 0;
  while (!terminal.text.includes('all\r\n')) {
    const seen = terminal.received;
    await eventually('more', () => terminal.received > seen + 100_000 || terminal.text.includes('all\r\n'), { within: 30_000 });
    if (breaks < 8) {
      terminal.drop();
      ++breaks;
      const ready = await terminal.connect({ again: true });
      assert.equal(ready.offset, terminal.received - (terminal.received - ready.offset));
      assert.equal(ready.skipped, 0);
      if (breaks === 8) await exec(user, workspace, 'touch /tmp/enough');
    }
  }
  assert.equal(breaks, 8);
  const lines = Number(/line (\d+) of many\r\nall\r\n/.exec(terminal.text)[1]) + 1;
  const expected = Array.from({ length: lines }, (_, i) => `line ${i} of many\r\n`).join('') + 'all\r\n';
  assert.equal(createHash('sha256').update(terminal.output.subarray(from - terminal.begin)).digest('hex'), createHash('sha256').update(expected).digest('hex'));
  assert.equal(terminal.of('skipped').length, 0);

  // What is typed: the server tells how much of it has come.
  const typed = terminal.of('ready').at(-1).received;
  terminal.type('echo sent"-once"\n');
  terminal.drop();
  const { received } = await terminal.connect({ again: true });
  if (received < typed + 'echo sent"-once"\n'.length) terminal.type('echo sent"-once"\n'.slice(received - typed));
  terminal.type('echo th"en"\n');
  await terminal.shows('then\r\n');
  assert.equal(terminal.text.split('sent-once').length, 2);
  await end(terminal);
});

test('it is kept for a while without a connection, and then what runs in it hears a hang-up', async () => {
  const [sleep, nohup] = [longSleep(), longSleep()];
  const terminal = await open();
  terminal.type(`(trap "" HUP; ${nohup}) & ${sleep} & ${sleep}\n`);
  await begins(container, sleep);
  await begins(container, nohup);
  terminal.drop();
  await eventually('it to be alone', async () => (await user.get(path())).expect(200).data.find((each) => each.id === terminal.session)?.attached === false);
  await terminal.connect({ again: true });
  assert.ok(running(container, sleep));
  terminal.drop();
  await ends(container, sleep);
  assert.ok(running(container, nohup), 'as on any terminal, what ignores that goes on');
  await exec(user, workspace, `kill -KILL $(ps -o pid,args | grep "${nohup}$" | grep -v grep | while read pid rest; do echo $pid; done)`);
  await ends(container, nohup);
  const refused = await refusal(terminal.connect({ again: true }));
  assert.deepEqual([refused.status, refused.body.code], [404, 'terminal_not_found']);
});

test('an end while nobody is there is told to whoever comes again', async () => {
  const terminal = await open();
  terminal.type('sleep 1; echo last wo"r"ds; exit 3\n');
  await terminal.shows('exit 3');
  terminal.drop();
  await eventually('it to have ended', async () => (await user.get(path())).data.find((each) => each.id === terminal.session)?.ended === true);
  await terminal.connect({ again: true });
  await terminal.ends();
  assert.match(terminal.text, /last words\r\n/);
  assert.equal(terminal.words.at(-1).exitCode, 3);
});

test('an end that a dying connection took with it is told once more', async () => {
  const terminal = await open();
  terminal.type('sleep 1; echo last wo"r"ds; exit 4\n');
  await terminal.shows('exit 4');
  terminal.socket._socket.pause();
  const state = async () => (await user.get(path())).expect(200).data.find((each) => each.id === terminal.session);
  await eventually('it to have ended', async () => (await state())?.ended);
  terminal.drop();
  await eventually('it to be alone', async () => (await state())?.attached === false);
  await terminal.connect({ again: true });
  assert.equal((await terminal.ends()).code, 1000);
  assert.match(terminal.text, /last words\r\n/);
  assert.equal(terminal.words.at(-1).exitCode, 4);
  assert.equal(await state(), undefined);
});

test('one that nobody has is gone, and its place free, once it was ended', async () => {
  const all = [];
  for (let i = 0; i < 4; ++i) all.push(await open());
  for (const each of all) each.drop();
  await eventually('all to be alone', async () => (await user.get(path())).data.every((each) => !each.attached));
  for (const each of all) (await user.delete(path(`terminals/${each.session}`))).expect(200);
  await eventually('none to be left', async () => (await user.get(path())).data.length === 0, { within: 4000 });
  await end(await open());
});

test('a second connection takes it over; the list and the end', async () => {
  const first = await open();
  first.type('echo o"n"e\n');
  await first.shows('one\r\n');
  const second = new Terminal(user, workspace);
  await second.connect({ session: first.session, after: 0 });
  assert.equal((await first.ends()).code, 4001);
  await second.shows('one\r\n');
  second.type('echo tw"o"\n');
  await second.shows('two\r\n');
  const listed = (await user.get(path())).expect(200).data;
  assert.deepEqual(listed.map((each) => [each.id, each.attached, each.ended]), [[second.session, true, false]]);
  assert.equal((await user.delete(path(`terminals/${second.session}`))).expect(200).body.message, 'Terminal ended');
  assert.equal((await second.ends()).code, 1000);
  assert.equal(second.words.at(-1).endedBy, 'request');
  (await user.delete(path(`terminals/${second.session}`))).expect(404, 'terminal_not_found');
  assert.deepEqual((await user.get(path())).data, []);
});

test('a ticket opens one, once; a cookie, a foreign page, a stranger and nonsense do not', async () => {
  const { ticket } = (await user.post(path('terminal-ticket'))).expect(201).data;
  const terminal = new Terminal(user, workspace);
  await terminal.connect({ ticket, headers: { Origin: server.api } });
  terminal.type('echo by tick"et"\n');
  await terminal.shows('by ticket\r\n');
  assert.ok(!terminal.text.includes(user.token));
  const again = await refusal(new Terminal(user, workspace).connect({ ticket, headers: {} }));
  assert.deepEqual([again.status, again.body.code], [401, 'ticket_invalid']);

  const other = await server.user('stranger');
  const theirs = await other.createWorkspace();
  const foreign = (await other.post(path('terminal-ticket', theirs))).expect(201).data.ticket;
  assert.equal((await refusal(new Terminal(user, workspace).connect({ ticket: foreign, headers: {} }))).status, 401, 'a ticket is one workspace\'s');
  const cases = [
    [{ headers: {} }, 401, 'authentication_required'],
    [{ headers: { Cookie: `agentdb9_app=${user.token}; agentdb9_refresh=${user.refreshToken}` } }, 401, 'authentication_required'],
    [{ headers: { Authorization: 'Bearer x.y.z' } }, 401, 'invalid_token'],
    [{ headers: { Authorization: `Bearer ${user.token}`, Origin: 'https://evil.example' } }, 403, 'foreign_origin'],
    [{ headers: { Authorization: `Bearer ${other.token}` } }, 404, 'workspace_not_found'],
    [{ headers: { Authorization: `Bearer ${other.token}` }, session: terminal.session }, 404, 'workspace_not_found'],
    [{ session: randomUUID() }, 404, 'terminal_not_found'],
    [{ columns: 0 }, 400, 'invalid_field'], [{ rows: 1001 }, 400, 'invalid_field'], [{ after: 5 }, 400, 'invalid_field'], [{ after: 'x', session: terminal.session }, 400, 'invalid_field'],
  ];
  for (const [options, status, code] of cases) {
    const refused = await refusal(new Terminal(user, workspace).connect(options));
    assert.deepEqual([refused.status, refused.body.code], [status, code], JSON.stringify(options).slice(0, 80));
  }
  // Of another of the caller's own workspaces it is not.
  const mine = await user.createWorkspace();
  assert.equal((await refusal(new Terminal(user, mine).connect({ session: terminal.session }))).body.code, 'terminal_not_found');
  assert.equal((await refusal(new Terminal(user, mine).connect())).body.code, 'workspace_not_running');
  (await user.get(path('terminal'))).expect(400, 'websocket_required');
  (await other.get(path())).expect(404, 'workspace_not_found');
  (await other.delete(path(`terminals/${terminal.session}`))).expect(404, 'workspace_not_found');
  (await other.post(path('terminal-ticket'))).expect(404, 'workspace_not_found');
  assert.equal(terminal.closed, undefined);
  await end(terminal);
});

test('it ends within a second of the logout, of an API token\'s revocation and of its end', async () => {
  const sleep = longSleep();
  const mine = await server.login(user.user.email, user.password);
  const terminal = await Terminal.open(mine, workspace);
  terminal.type(`${sleep}\n`);
  await begins(container, sleep);
  (await mine.post('/api/auth/logout', {})).expect(200);
  assert.equal((await terminal.ends({ within: 3000 })).code, 1008);
  await ends(container, sleep);

  const made = (await user.post('/api/auth/tokens', { name: 'robot' })).expect(201).data;
  const robot = await Terminal.open(user.with(made.token), workspace);
  (await user.delete(`/api/auth/tokens/${made.id}`)).expect(200);
  assert.equal((await robot.ends({ within: 3000 })).code, 1008);

  const until = new Date(Date.now() + 3000).toISOString();
  const brief = (await user.post('/api/auth/tokens', { name: 'brief', expiresAt: until })).expect(201).data;
  const last = await Terminal.open(user.with(brief.token), workspace);
  assert.equal((await last.ends({ within: 8000 })).code, 1008);
  await eventually('none to be left', async () => (await user.get(path())).data.length === 0);
});

test('who reads slowly makes the program wait, not the server grow', async () => {
  const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.process.pid}/status`, 'utf8'))[1]);
  for (const acks of [true, false]) {
    const before = rss();
    const terminal = new Terminal(user, workspace);
    Object.assign(terminal, { acks, keeps: false });
    await terminal.connect();
    terminal.type('x=0123456789abcdef; x=$x$x$x$x; x=$x$x$x$x; x=$x$x$x$x; i=0; while :; do echo $x; i=$((i+1)); echo $i > /tmp/printed; done\n');
    await eventually('it to print', () => terminal.received > 50_000);
    terminal.socket._socket.pause();
    const count = async () => Number((await exec(user, workspace, 'cat /tmp/printed')).stdout);
    let last = -1;
    const stood = await eventually('it to stand still', async () => {
      const now = await count();
      const still = now === last;
      last = now;
      return still && now;
    }, { every: 500, within: 30_000 });
    assert.ok(rss() - before < 16 << 10, `${rss() - before} KiB more`);
    terminal.socket._socket.resume();
    await eventually('it to go on', async () => (await count()) > stood);
    await end(terminal);
  }
});

test('what is not understood is told, and does no harm; a broken frame ends the connection alone', async () => {
  const terminal = await open();
  for (const word of ['x', '[]', '{}', '{"type":7}', '{"type":"fly"}', '{"type":"resize","columns":0,"rows":1}', '{"type":"resize"}', '{"type":"ack","offset":99999999}', '{"type":"ack","offset":-1}']) terminal.socket.send(word);
  await eventually('nine complaints', () => terminal.of('error').length === 9);
  terminal.type('echo st"ill"\n');
  await terminal.shows('still\r\n');
  terminal.socket.send(Buffer.alloc(65_537));
  assert.equal((await terminal.ends()).code, 1009);
  await terminal.connect({ again: true });
  terminal.socket._socket.write(Buffer.from([0x82, 0x01, 0x78]));
  assert.equal((await terminal.ends()).code, 1002);
  await terminal.connect({ again: true });
  terminal.type('echo the"re"\n');
  await terminal.shows('there\r\n');
  await end(terminal);
});

test('only so many at once', async () => {
  const all = [];
  for (let i = 0; i < 4; ++i) all.push(await open());
  const refused = await refusal(open());
  assert.deepEqual([refused.status, refused.body.code], [429, 'too_many_terminals']);
  assert.match(refused.body.message, /^4 terminals are open in this workspace, and 4 may be/);
  for (const each of all) await end(each);
});

test('a stop of the workspace ends it with a reason, and so does the end of the server', async () => {
  const terminal = await open();
  terminal.type('echo u"p"\n');
  await terminal.shows('up\r\n');
  await user.stop(workspace.id);
  assert.equal((await terminal.ends()).code, 1000);
  assert.deepEqual(terminal.words.at(-1), { type: 'exit', exitCode: null, endedBy: 'workspace_stopped', leftRunning: false });
  await user.start(workspace.id);
  const again = (await server.engine.running(workspace.id))[0].Id;
  const sleep = longSleep();
  const last = await open();
  last.type(`${sleep}\n`);
  await begins(again, sleep);
  assert.deepEqual(await server.terminate(), { code: 0, signal: null });
  assert.equal((await last.ends()).code, 1001);
  await ends(again, sleep);
});
