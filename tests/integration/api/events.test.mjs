// What happens to workspaces and projects, as it happens: of one workspace, and of all that is a user's over one
// connection.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, beforeEach, test } from 'node:test';

import { EventStream } from '../../support/event_stream.mjs';
import { eventually } from '../../support/eventually.mjs';
import { startServer, testType } from '../../support/server.mjs';

let server, user;
const open = new Set();
before(async () => {
  server = await startServer({ toml: testType('slow', { START_DELAY: 1000 }) + testType('failing', { FAIL_START: 1 }) });
});
beforeEach(async () => (user = await server.user('watcher')));
after(async () => {
  for (const each of open) each.close();
  await server.close();
});

const follow = async (path = '/api/workspaces/events', caller = user) => {
  const stream = await EventStream.open(caller, path);
  open.add(stream);
  return stream;
};
const phases = (stream, id) => stream.of('workspace').filter((each) => each.id === id).map((each) => each.phase);
const states = (stream, kind) => stream.of('operation').filter((each) => each.kind === kind).map((each) => each.state);

test('it begins with all there is, and says when that is told', async () => {
  const [one, two] = [await user.createWorkspace({ name: 'one' }), await user.createWorkspace({ name: 'two' })];
  await user.start(one.id);
  await user.stop(one.id);
  const stream = await follow();
  assert.equal(stream.status, 200);
  assert.equal(stream.headers['content-type'], 'text/event-stream');
  await eventually('the snapshot', () => stream.of('snapshot').length === 1);
  assert.deepEqual(new Set(stream.of('snapshot')[0].workspaceIds), new Set([one.id, two.id]));
  assert.deepEqual(new Set(stream.of('workspace').map((each) => each.name)), new Set(['one', 'two']));
  assert.deepEqual(stream.of('operation').map((each) => each.kind), ['stop'], 'the latest of each');
  server.contract.fits('Workspace', stream.of('workspace')[0]);
  server.contract.fits('Operation', stream.of('operation')[0]);
  const empty = await follow('/api/workspaces/events', await server.user('fresh'));
  await eventually('an empty snapshot', () => empty.of('snapshot').length === 1);
  assert.deepEqual(empty.of('snapshot')[0].workspaceIds, []);
});

test('a start is followed through its phases, to its end', async () => {
  const workspace = await user.createWorkspace({ type: 'slow' });
  const [all, single] = [await follow(), await follow(`/api/workspaces/${workspace.id}/events`)];
  await eventually('both to begin', () => [all, single].every((each) => each.of('snapshot').length === 1));
  await user.start(workspace.id);
  for (const stream of [all, single]) {
    await eventually('the end', () => phases(stream, workspace.id).at(-1) === 'running' && states(stream, 'start').at(-1) === 'succeeded');
    assert.ok(phases(stream, workspace.id).includes('probing'), phases(stream, workspace.id).join());
    assert.ok(states(stream, 'start').includes('running'));
    assert.equal(stream.of('workspace').at(-1).status, 'running');
    assert.equal(stream.of('operation').at(-1).progress, 100);
  }
  await user.stop(workspace.id);
  await eventually('the stop', () => phases(all, workspace.id).at(-1) === 'stopped' && states(all, 'stop').at(-1) === 'succeeded');
});

test('a start that fails says why; one that is overtaken is told as that', async () => {
  const failing = await user.createWorkspace({ type: 'failing' });
  const slow = await user.createWorkspace({ type: 'slow' });
  const stream = await follow();
  await eventually('the snapshot', () => stream.of('snapshot').length === 1);
  (await user.post(`/api/workspaces/${failing.id}/start`)).expect(502);
  await eventually('the failure', () => stream.of('operation').some((each) => each.workspaceId === failing.id && each.state === 'failed' && /Its last words/.test(each.error)));
  await eventually('its phase', () => phases(stream, failing.id).at(-1) === 'failed');
  assert.match(stream.of('workspace').filter((each) => each.id === failing.id).at(-1).lastError, /told to fail/);
  const started = user.post(`/api/workspaces/${slow.id}/start`);
  await eventually('it to start', () => states(stream, 'start').includes('running') && phases(stream, slow.id).length > 1);
  await user.stop(slow.id);
  (await started).expect(409, 'operation_superseded');
  await eventually('that to be told', () => stream.of('operation').some((each) => each.workspaceId === slow.id && each.state === 'superseded'));
});

test('what is made, changed and deleted is told', async () => {
  const stream = await follow();
  await eventually('the snapshot', () => stream.of('snapshot').length === 1);
  const one = await user.createWorkspace({ name: 'first' });
  const two = await user.createWorkspace({ name: 'second' });
  await eventually('both', () => phases(stream, one.id).length > 0 && phases(stream, two.id).length > 0);
  (await user.put(`/api/workspaces/${one.id}`, { name: 'renamed' })).expect(200);
  await eventually('the name', () => stream.of('workspace').at(-1).name === 'renamed');
  (await user.post(`/api/workspaces/${two.id}/set-default`)).expect(200);
  const last = (id) => stream.of('workspace').filter((each) => each.id === id).at(-1);
  await eventually('both sides of it', () => last(two.id).isDefault && !last(one.id).isDefault);
  const single = await follow(`/api/workspaces/${two.id}/events`);
  await eventually('it to begin', () => single.of('snapshot').length === 1);
  assert.deepEqual(single.of('snapshot')[0].workspaceIds, [two.id]);
  (await user.delete(`/api/workspaces/${two.id}`)).expect(200);
  await eventually('the end of both', () => stream.of('deleted').length === 1 && single.ended);
  assert.deepEqual(stream.of('deleted')[0], { id: two.id });
  assert.deepEqual(single.of('deleted')[0], { id: two.id });
  await eventually('the other to be the default again', () => last(one.id).isDefault);
  assert.deepEqual(new Set(single.of('workspace').map((each) => each.id)), new Set([two.id]));
});

test('projects are told as they are made, changed, given, worked on and deleted', async () => {
  const workspace = await user.createWorkspace();
  const old = await user.createProject({ name: 'old' });
  const [stream, single] = [await follow(), await follow(`/api/workspaces/${workspace.id}/events`)];
  await eventually('both to begin', () => [stream, single].every((each) => each.of('snapshot').length === 1));
  assert.deepEqual(stream.of('snapshot')[0].projectIds, [old.id]);
  assert.deepEqual(stream.of('project').map((each) => each.name), ['old']);
  server.contract.fits('Project', stream.of('project')[0]);
  const last = (id) => stream.of('project').filter((each) => each.id === id).at(-1);
  const soon = { within: 3_000 };  // and not only when all is looked at again
  const made = await user.createProject({ name: 'made' });
  await eventually('the new one with its volume', () => last(made.id)?.volumeName === made.volumeName, soon);
  (await user.put(`/api/projects/${made.id}`, { name: 'renamed' })).expect(200);
  await eventually('the new name', () => last(made.id).name === 'renamed', soon);
  (await user.post(`/api/workspaces/${workspace.id}/assign-project`, { projectId: made.id })).expect(200);
  await eventually('whose it is', () => last(made.id).workspaceId === workspace.id, soon);

  const work = (kind) => stream.of('project-operation').filter((each) => each.kind === kind);
  (await user.post(`/api/projects/${made.id}/backups`, {})).expect(201);
  await eventually('the end of the backup', () => work('backup').at(-1)?.state === 'succeeded', soon);
  server.contract.fits('ProjectOperation', work('backup').at(-1));
  assert.equal(work('backup').at(-1).projectId, made.id);
  (await user.post(`/api/projects/${made.id}/clone`, { name: 'copy' })).expect(201);
  await eventually('the copy', () => work('clone').at(-1)?.state === 'succeeded' && stream.of('project').some((each) => each.name === 'copy'), soon);

  (await user.delete(`/api/projects/${made.id}`)).expect(200);
  await eventually('its end', () => stream.of('project-deleted').some((each) => each.id === made.id), soon);
  (await user.post(`/api/trash/${(await user.get('/api/trash')).data.find((each) => each.ownerId === made.id).id}/restore`)).expect(200);
  await eventually('its coming back', () => stream.events.findLastIndex((each) => each.event === 'project' && each.data.id === made.id) > stream.events.findLastIndex((each) => each.event === 'project-deleted'), soon);
  const started = await user.createWorkspace({ name: 'with a project of its own' });
  await user.start(started.id);
  await eventually('the project that a start makes', () => stream.of('project').some((each) => each.name === 'with a project of its own' && each.volumeName), soon);
  await user.stop(started.id);
  for (const event of ['project', 'project-operation', 'project-deleted']) assert.deepEqual(single.of(event), [], `${event} is not of one workspace`);
});

test('what happens behind the server\'s back is told', async () => {
  const workspace = await user.createWorkspace();
  await user.start(workspace.id);
  const stream = await follow();
  await eventually('the snapshot', () => stream.of('snapshot').length === 1);
  const [container] = await server.engine.running(workspace.id);
  await server.engine.remove(container.Id);
  await eventually('it to be made again', () => states(stream, 'recover').at(-1) === 'succeeded', { within: 20_000 });
  await eventually('it to run', () => phases(stream, workspace.id).at(-1) === 'running');
});

test('nobody hears of another user\'s workspaces and projects', async () => {
  const other = await server.user('other');
  const [mine, theirs] = [await follow(), await follow('/api/workspaces/events', other)];
  await eventually('both to begin', () => [mine, theirs].every((each) => each.of('snapshot').length === 1));
  const workspace = await user.createWorkspace();
  await user.start(workspace.id);
  const their = await other.createWorkspace();
  const project = await other.createProject({ name: 'theirs' });
  (await other.post(`/api/projects/${project.id}/backups`, {})).expect(201);
  await eventually('each their own', () => phases(mine, workspace.id).at(-1) === 'running' && phases(theirs, their.id).length > 0);
  assert.deepEqual(new Set(theirs.of('workspace').map((each) => each.id)), new Set([their.id]));
  assert.deepEqual(theirs.of('operation'), []);
  assert.ok(!mine.of('workspace').some((each) => each.id === their.id));
  await eventually('their backup', () => theirs.of('project-operation').at(-1)?.state === 'succeeded');
  assert.ok(!mine.of('project').some((each) => each.userId !== user.user.id));
  assert.deepEqual(mine.of('project-operation'), []);
  assert.equal((await follow(`/api/workspaces/${workspace.id}/events`, other)).status, 404);
  assert.equal((await follow(`/api/workspaces/${randomUUID()}/events`)).status, 404);
  assert.equal((await follow('/api/workspaces/x/events')).status, 400);
  assert.equal((await follow('/api/workspaces/events', server.nobody())).status, 401);
});

test('a hundred pages of one user, and a logout that ends theirs alone', async () => {
  const session = await server.login(user.user.email, user.password);
  const workspace = await user.createWorkspace();
  const pages = await Promise.all(Array.from({ length: 50 }, () => follow()));
  const others = await Promise.all(Array.from({ length: 50 }, () => follow('/api/workspaces/events', session)));
  await eventually('all to begin', () => [...pages, ...others].every((each) => each.of('snapshot').length === 1));
  await user.start(workspace.id);
  await eventually('all to hear', () => [...pages, ...others].every((each) => phases(each, workspace.id).at(-1) === 'running'), { within: 20_000 });
  (await session.post('/api/auth/logout')).expect(200);
  await eventually('theirs to be cut off', () => others.every((each) => each.broken));
  assert.ok(pages.every((each) => !each.broken && !each.ended));
  await user.stop(workspace.id);
  await eventually('the others to go on', () => pages.every((each) => phases(each, workspace.id).at(-1) === 'stopped'), { within: 20_000 });
});
