// What containers print and use, read once: on real containers, with bad values, by others, with the engine down.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';

import { printedBy, runIn } from '../../support/engine.mjs';
import { EngineProxy } from '../../support/engine_proxy.mjs';
import { eventually } from '../../support/eventually.mjs';
import { startServer, testType } from '../../support/server.mjs';

let proxy, server, user, workspace, container;
before(async () => {
  proxy = await new EngineProxy().open();
  server = await startServer({ environment: { DOCKER_HOST: proxy.host }, toml: testType('failing', { FAIL_START: 1 }) });
  user = await server.user('reader');
  workspace = await user.createWorkspace();
  await user.start(workspace.id);
  container = (await server.engine.running(workspace.id))[0].Id;
});
after(async () => {
  await server.close();
  await proxy.remove();
});

const logs = (query = '', of = workspace) => user.get(`/api/workspaces/${of.id}/logs${query}`);
const linesOf = async (query, of) => (await logs(query, of)).expect(200).data.map((each) => each.line);

test('lines of both streams come with their times, the oldest first, as the engine has them', async () => {
  runIn(container, 'echo "one"; sleep 0.01; echo "two, in red: \x1b[31mred\x1b[0m" >&2; sleep 0.01; echo "drei: Grüße 🙂"; sleep 0.01; echo; sleep 0.01; echo four');
  const told = await eventually('all lines', async () => {
    const { data } = (await logs()).expect(200);
    return data.length >= 5 && data;
  });
  // Which of the two streams comes first is the engine's to say: it reads them by themselves.
  const of = (stream) => told.filter((each) => each.stream === stream).map((each) => each.line);
  assert.deepEqual(of('stdout'), ['one', 'drei: Grüße 🙂', '', 'four']);
  assert.deepEqual(of('stderr'), ['two, in red: \x1b[31mred\x1b[0m']);
  assert.deepEqual(told.map((each) => each.time), printedBy(container).map((each) => each.time));
  for (const { time } of told) assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
});

test('as text, with and without times; in JSON without times', async () => {
  const text = (await logs('?format=text')).expect(200);
  assert.match(text.headers['content-type'], /^text\/plain/);
  const { data } = (await logs()).expect(200);
  assert.equal(text.text, data.map((each) => `${each.line}\n`).join(''));
  const { stream, line } = data.at(-1);
  const timed = (await logs('?format=text&timestamps=true&tail=1')).expect(200).text;
  assert.match(timed, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z /);
  assert.ok(timed.endsWith(`Z ${line}\n`), timed);
  assert.deepEqual((await logs('?timestamps=false&tail=1')).data, [{ stream, line }]);
});

test('the last lines, and those since a moment', async () => {
  runIn(container, 'i=0; while [ $i -lt 300 ]; do echo "line $i"; i=$((i+1)); done');
  await eventually('all lines', async () => (await linesOf('?tail=1'))[0] === 'line 299');
  assert.equal((await linesOf('')).length, 200);
  assert.deepEqual(await linesOf('?tail=3'), ['line 297', 'line 298', 'line 299']);
  assert.equal((await linesOf('?tail=10000')).length, 305);
  const all = (await logs('?tail=250')).data;
  const { time } = all[100];
  assert.deepEqual((await logs(`?tail=10000&since=${encodeURIComponent(time)}`)).data, all.slice(100), 'from this very line on');
  const seconds = `${Math.floor(Date.parse(time) / 1000)}.${time.slice(20, 29)}`;
  assert.deepEqual((await logs(`?tail=10000&since=${seconds}`)).data, all.slice(100));
  assert.equal((await linesOf('?tail=10000&since=1h')).length, 305);
  assert.deepEqual(await linesOf(`?since=${Math.floor(Date.now() / 1000) + 3600}`), []);
});

test('a long line is one line, and one beyond all measure is cut and says so', async () => {
  runIn(container, 'i=0; x=0123456789abcdef; while [ $i -lt 11 ]; do x=$x$x; i=$((i+1)); done; echo $x; echo $x$x$x; echo end');  // 32 KiB, 96 KiB
  const [long, longer] = await eventually('the end', async () => {
    const { data } = await logs('?tail=40');
    return data.at(-1)?.line === 'end' && data.slice(-3);
  });
  assert.equal(long.line.length, 32768);
  assert.equal(long.truncated, undefined);
  assert.equal(longer.line.length, 65536);
  assert.equal(longer.truncated, true);
});

test('more than an answer holds: the last lines, and a sentence', async () => {
  runIn(container, 'i=0; x=0123456789abcdef; while [ $i -lt 6 ]; do x=$x$x; i=$((i+1)); done; i=0; while [ $i -lt 3000 ]; do echo "$i $x"; i=$((i+1)); done; echo done');  // 1 KiB a line
  await eventually('the end', async () => (await linesOf('?tail=1'))[0] === 'done');
  const answer = (await logs('?tail=10000')).expect(200);
  assert.match(answer.body.message, /^Earlier lines are left out/);
  assert.ok(answer.text.length > 1e6 && answer.text.length < 1.5e6, `${answer.text.length} bytes`);
  assert.equal(answer.data.at(-1).line, 'done');
  assert.equal((await logs('?tail=100')).body.message, undefined);
});

test('what is wrong is named', async () => {
  for (const [field, value] of [['tail', '0'], ['tail', '10001'], ['tail', '-1'], ['tail', 'all'], ['tail', '1.5'], ['tail', ''], ['since', 'yesterday'], ['since', ''], ['since', '-5'], ['since', '10y'],
    ['since', '2026-13-01T00:00:00Z'], ['since', '99999999999'], ['since', '9999-01-01T00:00:00Z'], ['since', '1.5.5'], ['timestamps', 'yes'], ['timestamps', '1'], ['format', 'xml'], ['format', '']]) {
    const answer = (await logs(`?${field}=${encodeURIComponent(value)}`)).expect(400, 'invalid_field');
    assert.deepEqual(answer.body.details.map((each) => each.field), [field], `${field}=${value}`);
  }
});

test('another user\'s workspace is not there, whatever else is wrong', async () => {
  const other = await server.user('other');
  for (const call of ['logs', 'logs?tail=0', 'container-stats', 'health']) {
    (await other.get(`/api/workspaces/${workspace.id}/${call}`)).expect(404, 'workspace_not_found');
    (await user.get(`/api/workspaces/${randomUUID()}/${call}`)).expect(404, 'workspace_not_found');
    (await user.get(`/api/workspaces/x/${call}`)).expect(400, 'invalid_id');
    (await server.nobody().get(`/api/workspaces/${workspace.id}/${call}`)).expect(401);
  }
});

test('what a container uses', async () => {
  const quiet = (await user.get(`/api/workspaces/${workspace.id}/container-stats`)).expect(200).data;
  assert.ok(quiet.memory.usedBytes > 0 && quiet.memory.usedBytes < quiet.memory.limitBytes);
  assert.ok(quiet.pids >= 1 && quiet.cpu.cpus >= 1);
  const busy = runIn(container, 'while :; do :; done', { detach: true });
  void busy;
  await eventually('it to be busy', async () => {
    const { data } = (await user.get(`/api/workspaces/${workspace.id}/container-stats`)).expect(200);
    return data.cpu.percent > 5 && data.pids > quiet.pids && data.network.receivedBytes >= quiet.network.receivedBytes;
  }, { within: 20_000 });
});

test('a workspace that was never started has no log and no use, and says so', async () => {
  const fresh = await user.createWorkspace();
  const empty = (await logs('', fresh)).expect(200);
  assert.deepEqual(empty.data, []);
  assert.match(empty.body.message, /no container.*start it/);
  assert.equal((await logs('?format=text', fresh)).expect(200).text, '');
  (await user.get(`/api/workspaces/${fresh.id}/container-stats`)).expect(409, 'workspace_not_running');
  const health = (await user.get(`/api/workspaces/${fresh.id}/health`)).expect(200).data;
  assert.equal(health.status, 'stopped');
  assert.deepEqual(health.checks.map((each) => each.passed), [true, false, false]);
});

test('a start that failed can be read about, and so can a stopped workspace', async () => {
  const failing = await user.createWorkspace({ type: 'failing' });
  (await user.post(`/api/workspaces/${failing.id}/start`)).expect(502, 'application_ended');
  assert.ok((await linesOf('', failing)).includes('testapp: told to fail at its start'));
  const stopping = await user.createWorkspace();
  await user.start(stopping.id);
  const [running] = await server.engine.running(stopping.id);
  runIn(running.Id, 'echo last words');
  await eventually('the line', async () => (await linesOf('', stopping)).includes('last words'));
  assert.equal((await user.get(`/api/workspaces/${stopping.id}/health`)).expect(200).data.status, 'healthy');
  await user.stop(stopping.id);
  assert.deepEqual(await linesOf('', stopping), ['last words']);
  (await user.get(`/api/workspaces/${stopping.id}/container-stats`)).expect(409, 'workspace_not_running');
});

test('while the engine is down that is said, with what to do; health says that nothing is known', async () => {
  await proxy.close();
  for (const call of ['logs', 'container-stats']) {
    const answer = (await user.get(`/api/workspaces/${workspace.id}/${call}`)).expect(503, 'runtime_unavailable');
    assert.match(answer.body.message, /check on the server that it runs/);
  }
  const health = (await user.get(`/api/workspaces/${workspace.id}/health`)).expect(200).data;
  assert.equal(health.status, 'unknown');
  assert.equal(health.checks[0].passed, false);
  await proxy.recover();
  await eventually('the engine to be heard', async () => (await logs()).status === 200);
});
