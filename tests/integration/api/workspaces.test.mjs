// Workspaces as rows: defaults, names, counts, lists. Nothing here starts one but where it matters.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';

import { startServer } from '../../support/server.mjs';

let server;
before(async () => (server = await startServer()));
after(() => server.close());

const list = async (user, query = '') => (await user.get(`/api/workspaces${query}`)).expect(200);
const defaults = async (user) => (await list(user)).data.filter((each) => each.isDefault).map((each) => each.id);

test('the catalogue shows every type, and which of them can be started', async () => {
  const user = await server.user();
  const types = (await user.get('/api/workspaces/types')).expect(200).data;
  const byName = Object.fromEntries(types.map((each) => [each.type, each]));
  assert.deepEqual(Object.keys(byName).sort(), ['database', 'design', 'notebook', 'spreadsheet', 'vscode']);
  assert.equal(byName.spreadsheet.available, true);
  assert.equal(byName.database.available, false, 'its image is neither here nor to be pulled');
  assert.equal(byName.vscode.homePath, '/home/workspace');
  assert.equal(byName.notebook.stripPrefix, false);
  assert.equal(byName.spreadsheet.containerImage, 'agentdb9/testapp:local');
});

test('a workspace without a name gets one, and each of a kind its own', async () => {
  const user = await server.user();
  const names = [];
  for (const type of ['spreadsheet', 'spreadsheet', 'vscode']) {
    const made = (await user.post('/api/workspaces', { type, projectId: null })).expect(201).data;
    names.push(made.name);
    assert.equal(made.status, 'active');
    assert.equal(made.phase, 'stopped');
    assert.equal(made.currentProjectId, null);
    assert.equal(made.config.type, type);
  }
  assert.deepEqual(names, ['Spreadsheet workspace', 'Spreadsheet workspace 2', 'VS Code workspace']);
  const longest = 'ü'.repeat(100);
  assert.equal((await user.createWorkspace({ name: longest })).name, longest);
  (await user.post('/api/workspaces', { type: 'spreadsheet', name: 'ü'.repeat(101) })).expect(400, 'invalid_field');
  (await user.post('/api/workspaces', { type: 'spreadsheet', name: '' })).expect(400, 'invalid_field');
  (await user.post('/api/workspaces', { type: 'no-such-type' })).expect(400, 'invalid_field');
});

test('the first is the default; another takes over when it is made so', async () => {
  const user = await server.user();
  const [first, second, third] = [await user.createWorkspace(), await user.createWorkspace(), await user.createWorkspace({ isDefault: true })];
  assert.ok(first.isDefault);
  assert.ok(!second.isDefault);
  assert.deepEqual(await defaults(user), [third.id]);
  const answer = (await user.post(`/api/workspaces/${second.id}/set-default`)).expect(200);
  assert.equal(answer.body.message, 'Workspace set as default');
  assert.deepEqual(await defaults(user), [second.id]);
  (await user.put(`/api/workspaces/${first.id}`, { isDefault: true })).expect(200);
  assert.deepEqual(await defaults(user), [first.id]);
  (await user.put(`/api/workspaces/${first.id}`, { isDefault: false })).expect(400, 'invalid_field');
  assert.deepEqual(await defaults(user), [first.id]);
});

test('deleting the default promotes the newest other; deleting another changes nothing', async () => {
  const user = await server.user();
  const made = [];
  for (let count = 0; count < 4; ++count) made.push(await user.createWorkspace());
  (await user.delete(`/api/workspaces/${made[2].id}`)).expect(200);
  assert.deepEqual(await defaults(user), [made[0].id]);
  const answer = (await user.delete(`/api/workspaces/${made[0].id}`)).expect(200);
  assert.equal(answer.body.message, 'Workspace deleted');
  assert.deepEqual(await defaults(user), [made[3].id]);
  (await user.delete(`/api/workspaces/${made[3].id}`)).expect(200);
  (await user.delete(`/api/workspaces/${made[1].id}`)).expect(200);
  assert.deepEqual((await list(user)).data, []);
  assert.ok((await user.createWorkspace()).isDefault);
});

test('many who set a default at once leave exactly one', async () => {
  const user = await server.user();
  const made = await Promise.all(Array.from({ length: 6 }, () => user.createWorkspace({ isDefault: true })));
  await Promise.all(made.map((each) => user.post(`/api/workspaces/${each.id}/set-default`)));
  assert.equal((await defaults(user)).length, 1);
});

test('a list has the default first, then the newest, in pages that miss and repeat nothing', async () => {
  const user = await server.user();
  const made = [];
  for (let count = 0; count < 7; ++count) made.push((await user.createWorkspace({ name: `w${count}` })).id);
  (await user.post(`/api/workspaces/${made[3]}/set-default`)).expect(200);
  const order = [made[3], made[6], made[5], made[4], made[2], made[1], made[0]];
  assert.deepEqual((await list(user)).data.map((each) => each.id), order);
  for (const limit of [1, 2, 3, 7, 100]) {
    const seen = [];
    let cursor = '';
    for (let pages = 0; cursor !== undefined; ++pages) {
      const page = await list(user, `?limit=${limit}${cursor}`);
      assert.ok(page.data.length <= limit);
      seen.push(...page.data.map((each) => each.id));
      cursor = page.body.nextCursor === undefined ? undefined : `&cursor=${encodeURIComponent(page.body.nextCursor)}`;
      assert.ok(pages < 10);
    }
    assert.deepEqual(seen, order, `in pages of ${limit}`);
  }
});

test('counts are by type that occurs and by every status', async () => {
  const user = await server.user();
  const none = (await user.get('/api/workspaces/stats')).expect(200).data;
  assert.deepEqual(none, { total: 0, byType: {}, byStatus: { active: 0, inactive: 0, archived: 0, running: 0, stopped: 0, error: 0 }, defaultWorkspace: null });
  const [a, b, c, d] = [await user.createWorkspace(), await user.createWorkspace(), await user.createWorkspace({ type: 'vscode' }), await user.createWorkspace()];
  (await user.put(`/api/workspaces/${a.id}`, { status: 'archived' })).expect(200);
  (await user.put(`/api/workspaces/${b.id}`, { status: 'inactive' })).expect(200);
  await user.start(d.id);
  const counts = (await user.get('/api/workspaces/stats')).expect(200).data;
  assert.equal(counts.total, 4);
  assert.deepEqual(counts.byType, { spreadsheet: 3, vscode: 1 });
  assert.deepEqual(counts.byStatus, { active: 1, inactive: 1, archived: 1, running: 1, stopped: 0, error: 0 });
  assert.equal(counts.defaultWorkspace.id, a.id);
  await user.stop(d.id);
  assert.equal((await user.get('/api/workspaces/stats')).data.byStatus.stopped, 1);
  const ofType = (await user.get('/api/workspaces/type/vscode')).expect(200).data;
  assert.deepEqual(ofType.map((each) => each.id), [c.id]);
  assert.deepEqual((await user.get('/api/workspaces/type/notebook')).expect(200).data, []);
  (await user.get('/api/workspaces/type/no-such-type')).expect(400, 'workspace_type_unknown');
});

test('a change changes what it names, and the status only of a workspace at rest', async () => {
  const user = await server.user();
  const workspace = await user.createWorkspace({ name: 'before', description: 'old' });
  const path = `/api/workspaces/${workspace.id}`;
  const changed = (await user.put(path, { name: 'after', description: 'new\nlines' })).expect(200).data;
  assert.equal(changed.name, 'after');
  assert.equal(changed.description, 'new\nlines');
  assert.equal((await user.put(path, {})).expect(200).data.name, 'after');
  assert.equal((await user.put(path, { status: 'archived' })).expect(200).data.status, 'archived');
  await user.start(workspace.id);
  (await user.put(path, { status: 'inactive' })).expect(409, 'workspace_running');
  assert.equal((await user.put(path, { name: 'while it runs' })).expect(200).data.status, 'running');
});

test('a workspace can begin with a project that fits it', async () => {
  const user = await server.user();
  const project = await user.createProject();
  const workspace = await user.createWorkspace({ projectId: project.id });
  assert.equal(workspace.currentProjectId, project.id);
  (await user.post(`/api/workspaces/${(await user.createWorkspace({ type: 'vscode' })).id}/assign-project`, { projectId: project.id })).expect(200);
  (await user.post('/api/workspaces', { type: 'spreadsheet', projectId: project.id })).expect(400, 'invalid_field');
  (await user.post('/api/workspaces', { type: 'spreadsheet', projectId: randomUUID() })).expect(404, 'project_not_found');
});

test('a change through PUT can switch the project, too', async () => {
  const user = await server.user();
  const workspace = await user.createWorkspace();
  const project = await user.createProject();
  const changed = (await user.put(`/api/workspaces/${workspace.id}`, { currentProjectId: project.id, name: 'both' })).expect(200).data;
  assert.equal(changed.currentProjectId, project.id);
  assert.equal(changed.name, 'both');
  // What is refused is refused as a whole.
  const other = await user.createProject();
  (await user.post(`/api/workspaces/${(await user.createWorkspace({ type: 'vscode' })).id}/assign-project`, { projectId: other.id })).expect(200);
  (await user.put(`/api/workspaces/${workspace.id}`, { currentProjectId: other.id, name: 'not this' })).expect(400, 'incompatible_type');
  assert.equal((await user.get(`/api/workspaces/${workspace.id}`)).data.name, 'both');
});
