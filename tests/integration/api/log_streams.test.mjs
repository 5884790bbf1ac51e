// Logs that are followed, on real containers: one stream of the engine's for all who watch one, none for nobody; no
// line lost or doubled where a watcher comes again; restarts, switches, an engine that goes away, and the end.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { runIn, printedBy } from '../../support/engine.mjs';
import { EngineProxy } from '../../support/engine_proxy.mjs';
import { EventStream } from '../../support/event_stream.mjs';
import { eventually } from '../../support/eventually.mjs';
import { startServer } from '../../support/server.mjs';

let proxy, server, user;
const open = new Set();
before(async () => {
  proxy = await new EngineProxy().open();
  server = await startServer({ environment: { DOCKER_HOST: proxy.host } });
});
beforeEach(async () => {
  await proxy.recover();
  user = await server.user('watcher');
});
after(async () => {
  for (const each of open) each.close();
  await server.close();
  await proxy.remove();
});

const follow = async (workspace, query = '', options, caller = user) => {
  const stream = await EventStream.open(caller, `/api/workspaces/${workspace.id}/logs/stream${query}`, options);
  open.add(stream);
  return stream;
};
const running = async (fields) => {
  const workspace = await user.createWorkspace(fields);
  await user.start(workspace.id);
  return workspace;
};
const containerOf = async (workspace) => (await server.engine.running(workspace.id))[0].Id;
const print = (container, from, to) => runIn(container, `i=${from}; while [ $i -lt ${to} ]; do echo "line $i"; i=$((i+1)); done`);
const numbered = (from, to) => Array.from({ length: to - from }, (_, index) => `line ${from + index}`);
const metric = async (name) => Number(new RegExp(`^${name}\\{of="log"\\} (\\d+)$`, 'm').exec((await user.get('/metrics')).text)?.[1]);

test('200 watch one log: one stream of the engine\'s, and none once they are gone', async () => {
  const workspace = await running();
  const container = await containerOf(workspace);
  print(container, 0, 10);
  const told = proxy.requests.length;
  const streams = await Promise.all(Array.from({ length: 200 }, () => follow(workspace)));
  for (const each of streams) assert.equal(each.status, 200);
  assert.equal(streams[0].headers['content-type'], 'text/event-stream');
  await eventually('all to have what there was', () => streams.every((each) => each.lines.length === 10));
  print(container, 10, 100);
  await eventually('all to have what came', () => streams.every((each) => each.lines.length === 100), { within: 20_000 });
  for (const each of streams) assert.deepEqual(each.lines, numbered(0, 100));
  const asked = proxy.requests.slice(told).filter((each) => each.includes(`/containers/${container}/logs`));
  assert.equal(asked.filter((each) => each.includes('follow=1')).length, 1, asked.join('\n'));
  assert.equal(asked.length, 2, 'and what there was is read once');
  assert.equal(await metric('agentdb9_monitoring_engine_streams'), 1);
  assert.equal(await metric('agentdb9_monitoring_watchers'), 200);
  for (const each of streams) each.close();
  await eventually('nobody to be followed for', async () => (await metric('agentdb9_monitoring_engine_streams')) === 0 && (await metric('agentdb9_monitoring_watchers')) === 0);
  await eventually('the engine to be left alone', () => proxy.openRequests().filter((each) => each.includes('/logs')).length === 0);
});

test('who comes again with the id of the last line misses none and hears none twice', async () => {
  const workspace = await running();
  const container = await containerOf(workspace);
  let heard = [];
  let lastEventId;
  let printed = 0;
  for (const more of [5, 0, 700, 3, 3000]) {
    print(container, printed, (printed += more));
    const stream = await follow(workspace, '', { lastEventId });
    // The container prints on while it is read.
    print(container, printed, (printed += 50));
    await eventually('all of it', () => heard.length + stream.lines.length >= printed, { within: 20_000 });
    heard = [...heard, ...stream.lines];
    assert.deepEqual(heard, numbered(0, printed), `after ${more} more`);
    assert.deepEqual(stream.of('left-out'), []);
    lastEventId = stream.lastId;
    stream.close();
  }
  // And while another one keeps the feed alive.
  const other = await follow(workspace, '?tail=0');
  await eventually('it to be heard', async () => other.status === 200 && (await metric('agentdb9_monitoring_engine_streams')) === 1);
  print(container, printed, (printed += 20));
  const stream = await follow(workspace, '', { lastEventId });
  await eventually('all of it', () => heard.length + stream.lines.length >= printed);
  assert.deepEqual([...heard, ...stream.lines], numbered(0, printed));
  await eventually('the other one, too', () => other.lines.length >= 20);
  assert.deepEqual(other.lines, numbered(printed - 20, printed));
});

test('the times and order are the engine\'s own', async () => {
  const workspace = await running();
  const container = await containerOf(workspace);
  const stream = await follow(workspace);
  runIn(container, 'i=0; while [ $i -lt 50 ]; do echo "out $i"; echo "err $i" >&2; i=$((i+1)); done');
  await eventually('all of it', () => stream.lines.length === 100);
  const engines = printedBy(container).map((each) => `${each.time} ${each.line}`).sort();
  assert.deepEqual(stream.of('line').map((each) => `${each.time} ${each.line}`).sort(), engines);
  assert.deepEqual(new Set(stream.of('line').map((each) => each.stream)), new Set(['stdout', 'stderr']));
});

test('it begins where it is told to', async () => {
  const workspace = await running();
  const container = await containerOf(workspace);
  print(container, 0, 1500);
  const lines = (await user.get(`/api/workspaces/${workspace.id}/logs?tail=1500`)).data;
  const begins = async (query, from) => {
    const stream = await follow(workspace, query);
    await eventually(query, () => stream.lines.at(-1) === 'line 1499');
    assert.deepEqual(stream.lines, numbered(from, 1500), query);
  };
  await begins('', 1300);
  await begins('?tail=1', 1499);
  await begins('?tail=1000', 500);
  await begins(`?since=${lines[1400].time}`, 1400);
  await begins(`?since=${lines[100].time}`, 100);
  await begins('?since=1h', 0);
});

test('one who takes nothing for a while is told what was left out; the others are not held up', async () => {
  const workspace = await running();
  const container = await containerOf(workspace);
  const [quick, slow] = [await follow(workspace), await follow(workspace)];
  await eventually('both to be heard', () => quick.of('instance').length + slow.of('instance').length >= 2);
  slow.response.pause();
  // Slow enough for one who reads, and in all more than the buffers between hold.
  runIn(container, `x=0123456789abcdef; i=0; while [ $i -lt 6 ]; do x=$x$x; i=$((i+1)); done
    i=0; while [ $i -lt 16 ]; do j=0; while [ $j -lt 1000 ]; do echo "$i.$j $x"; j=$((j+1)); done; sleep 0.3; i=$((i+1)); done; echo done`);
  await eventually('the quick one to have it', () => quick.lines.at(-1) === 'done', { within: 60_000 });
  slow.response.resume();
  await eventually('the slow one to have its end', () => slow.lines.at(-1) === 'done', { within: 60_000 });
  const lost = (stream) => stream.of('left-out').reduce((sum, each) => sum + each.lines, 0);
  assert.ok(lost(slow) > 0, 'nothing was left out');
  for (const each of [quick, slow]) assert.equal(each.lines.length + lost(each), 16_001, 'each line is told or counted');
  assert.ok(lost(quick) < lost(slow));
});

test('more than can be followed: the latest lines come soon, and that others were left out is said', async () => {
  const workspace = await running();
  const container = await containerOf(workspace);
  const stream = await follow(workspace);
  await eventually('it to be heard', () => stream.of('instance').length > 0);
  runIn(container, 'x=0123456789abcdef; i=0; while [ $i -lt 8 ]; do x=$x$x; i=$((i+1)); done; while :; do echo $x; done', { detach: true });
  await eventually('that to be said', () => stream.of('left-out').length > 0, { within: 60_000 });
  const lag = Date.now() - Date.parse(stream.of('line').at(-1).time);
  assert.ok(lag < 30_000, `${lag} ms behind`);
  (await user.get('/api/workspaces')).expect(200);
  await user.stop(workspace.id);
});

test('it goes on over a restart and a switch, and says whose lines come', async () => {
  const [first, second] = [await user.createProject(), await user.createProject()];
  for (const type of ['spreadsheet', 'vscode']) {
    const workspace = await running({ type, projectId: first.id });
    (await user.post(`/api/workspaces/${workspace.id}/switch-project`, { projectId: first.id })).expect(200);
    const stream = await follow(workspace);
    const heard = ['before'];
    runIn(await containerOf(workspace), 'echo before');
    for (const [word, act] of [['restarted', () => user.post(`/api/workspaces/${workspace.id}/restart`)], ['switched', () => user.switchProject(workspace.id, second.id)],
      ['started again', async () => {
        await user.stop(workspace.id);
        await user.start(workspace.id);
      }]]) {
      await act();
      const container = (await server.engine.inspect(`agentdb9-workspace-${workspace.id}`)).Id;
      runIn(container, `echo ${word}`);
      heard.push(word);
      await eventually(`${type}: ${word}`, () => stream.lines.at(-1) === word, { within: 30_000 });
      assert.ok(stream.of('instance').at(-1).id === container, 'the instance is told');
    }
    assert.deepEqual(stream.lines, heard);
    (await user.delete(`/api/workspaces/${workspace.id}?force=true`)).expect(200);
    await eventually('its end', () => stream.ended, { within: 20_000 });
    assert.equal(stream.events.at(-1).event, 'deleted');
  }
});

test('an engine that goes away is told once, and nothing is lost when it is back', async () => {
  const workspace = await running();
  const container = await containerOf(workspace);
  const stream = await follow(workspace);
  print(container, 0, 5);
  await eventually('the first', () => stream.lines.length === 5);
  for (let cuts = 0; cuts < 5; ++cuts) {
    proxy.cut();
    print(container, 5 + cuts, 6 + cuts);
    await eventually('the next', () => stream.lines.length === 6 + cuts, { within: 20_000 });
  }
  await proxy.close();
  await eventually('that to be told', () => stream.of('interrupted').length > 0, { within: 20_000 });
  assert.equal(stream.of('interrupted')[0].code, 'runtime_unavailable');
  const refused = await follow(workspace);
  assert.equal(refused.status, 503);
  assert.equal(refused.body.code, 'runtime_unavailable');
  assert.match(refused.body.message, /check on the server that it runs/);
  print(container, 10, 20);
  await proxy.recover();
  await eventually('what was printed meanwhile', () => stream.lines.length === 20, { within: 30_000 });
  assert.deepEqual(stream.lines, numbered(0, 20));
  assert.equal(stream.of('interrupted').length, 1);
});

test('what is wrong is named; another user\'s is not there', async () => {
  const workspace = await running();
  const other = await server.user('other');
  assert.equal((await follow(workspace, '', {}, other)).status, 404);
  for (const [query, lastEventId, field] of [['?tail=1001', undefined, 'tail'], ['?tail=-1', undefined, 'tail'], ['?since=yesterday', undefined, 'since'], ['', 'nonsense', 'Last-Event-ID'], ['', '1.5-0f01c3d2@x', 'Last-Event-ID']]) {
    const refused = await follow(workspace, query, { lastEventId });
    assert.equal(refused.status, 400);
    assert.deepEqual(refused.body.details.map((each) => each.field), [field]);
  }
  // An id of a log that was never there is as good as none: nothing breaks, and what comes is told.
  const stream = await follow(workspace, '', { lastEventId: '1795955884.007000001-0f01c3d2@4d5834364bda' });
  runIn(await containerOf(workspace), 'echo told');
  await eventually('the line', () => stream.lines.includes('told'));
});

test('a logout ends it at once, and so does the end of the server', async () => {
  const workspace = await running();
  const session = await server.login(user.user.email, user.password);
  const [theirs, mine] = [await follow(workspace, '', {}, session), await follow(workspace)];
  (await session.post('/api/auth/logout')).expect(200);
  await eventually('it to be cut off', () => theirs.broken);
  assert.ok(!mine.ended && !mine.broken);
  const began = Date.now();
  assert.deepEqual(await server.terminate(), { code: 0, signal: null });
  await eventually('its end', () => mine.ended || mine.broken);
  assert.ok(Date.now() - began < 9000, `${Date.now() - began} ms`);
  await server.restart();
  const container = await containerOf(workspace);
  runIn(container, 'echo after');
  const again = await follow(workspace, '', { lastEventId: mine.lastId });
  await eventually('it to go on', () => again.lines.at(-1) === 'after');
});
