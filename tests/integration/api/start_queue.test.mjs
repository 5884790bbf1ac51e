// Starts wait for their turn where the server starts only so many at once: users take turns, and each is told where
// it stands, by every door that tells of an operation.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { EngineProxy } from '../../support/engine_proxy.mjs';
import { EventStream } from '../../support/event_stream.mjs';
import { eventually } from '../../support/eventually.mjs';
import { Person } from '../../support/person.mjs';
import { startServer } from '../../support/server.mjs';

const patience = { within: 60_000 };
const async = { headers: { Prefer: 'respond-async' } };
const oneStart = /^POST \S+\/containers\/\S+\/start /;

let proxy, server, ada, bob;
before(async () => {
  proxy = await new EngineProxy().open();
  server = await startServer({ environment: { DOCKER_HOST: proxy.host, AGENTDB9_DOCKER_MAX_PARALLEL_STARTS: '1' } });
  ada = await server.user('ada');
  bob = await server.user('bob');
});
after(async () => {
  proxy.release();
  await server.close();
  await proxy.remove();
});
beforeEach(() => proxy.release());

const begin = async (user, workspace) => (await user.post(`/api/workspaces/${workspace.id}/start`, undefined, async)).expect(202).data;
const operation = async (user, workspace) => (await user.get(`/api/workspaces/${workspace.id}/status`)).expect(200).data.operation;
const waits = (user, workspace, position, of) => eventually(`place ${position} of ${of}`, async () => {
  const { phase, queue } = await operation(user, workspace);
  return phase === 'queued' && queue?.position === position && queue.of === of && queue;
}, patience);
const runs = (user, workspace) => eventually('it to run', async () => (await operation(user, workspace)).state === 'succeeded', patience);
const metric = async (name) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec((await server.nobody().get('/metrics')).text)[1]);

/** Ada's first is being started, and stays so; her second waits, and then comes Bob's. */
async function line() {
  const all = [];
  for (const [user, name] of [[ada, 'first'], [ada, 'second'], [bob, 'other']]) all.push(await user.createWorkspace({ name }));
  proxy.hold(oneStart);
  const mark = proxy.requests.length;
  await begin(ada, all[0]);
  await eventually('the first to be started', () => proxy.requests.slice(mark).find((each) => oneStart.test(each)), patience);
  await begin(ada, all[1]);
  await waits(ada, all[1], 1, 1);
  await begin(bob, all[2]);
  return { all, mark };
}

test('users take turns, and status, operations, events and metrics tell where a start stands', async () => {
  const events = await EventStream.open(ada, '/api/workspaces/events');
  const { all: [first, second, other], mark } = await line();
  const place = await waits(bob, other, 1, 2);
  assert.match(place.reason, /^This server starts 1 workspace at a time/);
  await waits(ada, second, 2, 2);
  assert.equal((await operation(ada, first)).queue, null, 'it is inside');
  const [listed] = (await ada.get(`/api/workspaces/${second.id}/operations`)).expect(200).data;
  assert.deepEqual([listed.queue.position, listed.queue.of], [2, 2]);
  await eventually('the event', () => events.of('operation').some((each) => each.workspaceId === second.id && each.queue?.position === 2), patience);
  assert.ok(!events.of('operation').some((each) => each.workspaceId === other.id), "another's is not told");
  assert.equal(await metric('agentdb9_start_queue_length'), 2);
  assert.equal(await metric('agentdb9_starts_in_progress'), 1);
  assert.equal(await metric('agentdb9_starts_limit'), 1);
  proxy.release();
  for (const [user, workspace] of [[ada, first], [ada, second], [bob, other]]) await runs(user, workspace);
  const containers = new Map((await server.engine.containers()).map((each) => [each.Id, each.Labels['agentdb9.workspace.id']]));
  const started = proxy.requests.slice(mark).filter((each) => oneStart.test(each)).map((each) => containers.get(/containers\/([^/]+)\/start/.exec(each)[1]));
  assert.deepEqual(started, [first.id, other.id, second.id]);
  assert.equal(await metric('agentdb9_start_queue_length'), 0);
  assert.ok(await metric('agentdb9_start_queue_wait_seconds_count') >= 3);
  assert.equal((await operation(ada, second)).queue, null);
  events.close();
});

test('what waits can be stopped at once, and the others move up', async () => {
  const { all: [first, second, other] } = await line();
  await waits(ada, second, 2, 2);
  (await bob.post(`/api/workspaces/${other.id}/stop`)).expect(200);
  assert.equal((await bob.get(`/api/workspaces/${other.id}`)).data.status, 'stopped');
  await waits(ada, second, 1, 1);
  proxy.release();
  await runs(ada, first);
  await runs(ada, second);
});

test('who waits and is given other limits keeps the place', async () => {
  const { all: [first, second, other] } = await line();
  const third = await ada.createWorkspace({ name: 'third' });
  await begin(ada, third);
  await waits(ada, third, 3, 3);
  (await ada.put(`/api/workspaces/${second.id}`, { resourceLimits: { memory: 512 } })).expect(200);
  await waits(ada, second, 2, 3);
  await waits(ada, third, 3, 3);
  proxy.release();
  for (const [user, workspace] of [[ada, first], [ada, second], [bob, other], [ada, third]]) await runs(user, workspace);
  const container = await server.engine.inspect(`agentdb9-workspace-${second.id}`);
  assert.equal(container.HostConfig.Memory, 512 * 1024 * 1024);
});

test('the command line tells it too', async () => {
  const person = new Person();
  await person.login(server, bob);
  const { all: [first, second, other] } = await line();
  await waits(bob, other, 1, 2);
  const { stdout } = (await person.run('workspaces', 'status', other.id)).expect(0);
  assert.match(stdout, /^last operation +start: running, queued, 1 of 2$/m);
  assert.match(stdout, /^waits because +This server starts 1 workspace at a time/m);
  const going = person.startOnTerminal('workspaces', 'start', other.id);
  await eventually('the line of progress', () => going.output().includes('queued, 1 of 2'), patience);
  proxy.release();
  assert.equal((await going.ended).code, 0);
  await runs(ada, first);
  await runs(ada, second);
});
