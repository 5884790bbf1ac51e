// What containers use, followed: one stream of the engine's for all who watch one, over stops and starts.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { runIn } from '../../support/engine.mjs';
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

const follow = async (workspace, caller = user) => {
  const stream = await EventStream.open(caller, `/api/workspaces/${workspace.id}/container-stats/stream`);
  open.add(stream);
  return stream;
};
const metric = async (name) => Number(new RegExp(`^${name}\\{of="stats"\\} (\\d+)$`, 'm').exec((await user.get('/metrics')).text)?.[1]);
const within = { within: 30_000 };

test('a hundred watch what one uses: one stream of the engine\'s, and none once they are gone', async () => {
  const workspace = await user.createWorkspace();
  await user.start(workspace.id);
  const [{ Id: container }] = await server.engine.running(workspace.id);
  const told = proxy.requests.length;
  const streams = await Promise.all(Array.from({ length: 100 }, () => follow(workspace)));
  await eventually('all to have samples', () => streams.every((each) => each.of('stats').length >= 2), within);
  for (const each of streams[0].of('stats')) server.contract.fits('ContainerStats', each);
  assert.equal(streams[0].of('instance')[0].id, container);
  const asked = proxy.requests.slice(told).filter((each) => each.includes(`/containers/${container}/stats`));
  assert.equal(asked.length, 1, asked.join('\n'));
  assert.equal(await metric('agentdb9_monitoring_engine_streams'), 1);
  assert.equal(await metric('agentdb9_monitoring_watchers'), 100);
  runIn(container, 'while :; do :; done', { detach: true });
  await eventually('it to be busy', () => streams.every((each) => each.of('stats').at(-1).cpu.percent > 5), within);
  for (const each of streams) each.close();
  await eventually('nobody to be followed for', async () => (await metric('agentdb9_monitoring_engine_streams')) === 0 && (await metric('agentdb9_monitoring_watchers')) === 0);
  await eventually('the engine to be left alone', () => proxy.openRequests().filter((each) => each.includes('/stats')).length === 0);
});

test('it goes on over a stop, a start, a switch and an outage, and ends with the workspace', async () => {
  const workspace = await user.createWorkspace();
  const stream = await follow(workspace);
  await eventually('that nothing is there', () => stream.of('instance').at(-1)?.state === 'none');
  const samples = () => stream.of('stats').length;
  const more = async (what) => {
    const before = samples();
    await eventually(what, () => samples() >= before + 2, within);
  };
  await user.start(workspace.id);
  await more('samples after a start');
  await user.stop(workspace.id);
  await eventually('the stop to be told', () => stream.of('instance').at(-1).state === 'exited', within);
  await eventually('the engine to be left alone', async () => (await metric('agentdb9_monitoring_engine_streams')) === 0);
  assert.equal(stream.events.at(-1).event, 'instance', 'no sample of what does not run');
  await user.start(workspace.id);
  await more('samples after another start');
  const project = await user.createProject();
  await user.switchProject(workspace.id, project.id);
  const { Id } = await server.engine.inspect(`agentdb9-workspace-${workspace.id}`);
  await eventually('the next container', () => stream.of('instance').at(-1).id === Id, within);
  await more('samples of it');
  await proxy.close();
  await eventually('the outage to be told', () => stream.of('interrupted').length === 1, within);
  assert.equal((await follow(workspace)).status, 503);
  await proxy.recover();
  await more('samples after the outage');
  assert.equal(stream.of('interrupted').length, 1);
  (await user.delete(`/api/workspaces/${workspace.id}?force=true`)).expect(200);
  await eventually('the end', () => stream.ended, within);
  assert.equal(stream.events.at(-1).event, 'deleted');
});

test('another user\'s is not there', async () => {
  const workspace = await user.createWorkspace();
  const refused = await follow(workspace, await server.user('other'));
  assert.equal(refused.status, 404);
  assert.equal(refused.body.code, 'workspace_not_found');
});
