// Projects, their volumes, and which workspace they belong to.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';

import { startServer } from '../../support/server.mjs';

let server;
before(async () => (server = await startServer()));
after(() => server.close());

const assign = (user, workspace, project) => user.post(`/api/workspaces/${workspace.id}/assign-project`, { projectId: project.id });
const unassign = (user, workspace, project) => user.post(`/api/workspaces/${workspace.id}/unassign-project`, { projectId: project.id });
const projectsOf = async (user, workspace, which) => (await user.get(`/api/workspaces/${workspace.id}/${which}`)).expect(200).data.map((each) => each.id).sort();

test('a project has its volume from the start, labelled as ours and its owner\'s', async () => {
  const user = await server.user();
  const project = await user.createProject({ name: 'engine', description: 'of numbers', language: 'cpp', framework: 'none', agents: [{ any: 'thing' }], repositoryUrl: 'https://example.test/x.git' });
  assert.equal(project.status, 'active');
  assert.equal(project.volumeName, `agentdb9-project-${project.id}`);
  assert.equal(project.workspaceId, null);
  assert.deepEqual(project.agents, [{ any: 'thing' }]);
  const volume = (await user.get(`/api/projects/${project.id}/volume`)).expect(200).data;
  assert.deepEqual(volume, { name: project.volumeName, path: project.volumePath, exists: true, engineAnswers: true });
  assert.ok((await server.engine.volumes()).includes(project.volumeName));
  const plain = await user.createProject({ name: 'plain' });
  assert.equal(plain.language, 'other');
});

test('lists have the newest first, in pages', async () => {
  const user = await server.user();
  const made = [];
  for (let count = 0; count < 5; ++count) made.unshift((await user.createProject({ name: `p${count}` })).id);
  for (const path of ['/api/projects', '/api/projects/unassigned']) {
    assert.deepEqual((await user.get(path)).expect(200).data.map((each) => each.id), made);
    const first = (await user.get(`${path}?limit=2`)).expect(200).body;
    const rest = (await user.get(`${path}?limit=100&cursor=${encodeURIComponent(first.nextCursor)}`)).expect(200).body;
    assert.deepEqual([...first.data, ...rest.data].map((each) => each.id), made);
    assert.equal(rest.nextCursor, undefined);
  }
});

test('a change changes what it names', async () => {
  const user = await server.user();
  const project = await user.createProject({ name: 'before', language: 'cpp' });
  const changed = (await user.put(`/api/projects/${project.id}`, { name: 'after', status: 'archived', description: null })).expect(200).data;
  assert.equal(changed.name, 'after');
  assert.equal(changed.status, 'archived');
  assert.equal(changed.language, 'cpp');
  (await user.put(`/api/projects/${project.id}`, { name: '' })).expect(400, 'invalid_field');
  (await user.put(`/api/projects/${project.id}`, { name: 'x'.repeat(101) })).expect(400, 'invalid_field');
});

test('assigning sets the workspace and its type; other types then do not fit', async () => {
  const user = await server.user();
  const [sheet, code] = [await user.createWorkspace(), await user.createWorkspace({ type: 'vscode' })];
  const [project, free] = [await user.createProject(), await user.createProject()];
  const answer = (await assign(user, sheet, project)).expect(200);
  assert.equal(answer.body.message, 'Project assigned to workspace');
  assert.equal(answer.data.workspaceId, sheet.id);
  assert.equal(answer.data.workspaceType, 'spreadsheet');
  (await assign(user, code, project)).expect(400, 'incompatible_type');
  (await user.post(`/api/workspaces/${code.id}/switch-project`, { projectId: project.id })).expect(400, 'incompatible_type');
  assert.deepEqual(await projectsOf(user, sheet, 'projects'), [project.id]);
  assert.deepEqual(await projectsOf(user, sheet, 'compatible-projects'), [project.id, free.id].sort());
  assert.deepEqual(await projectsOf(user, code, 'compatible-projects'), [free.id]);
  assert.deepEqual((await user.get('/api/projects/unassigned')).data.map((each) => each.id), [free.id]);
  // Another workspace of the same type may take it over.
  const second = await user.createWorkspace();
  assert.equal((await assign(user, second, project)).expect(200).data.workspaceId, second.id);
  assert.deepEqual(await projectsOf(user, sheet, 'projects'), []);
  // Assigning alone makes it nobody's current project.
  assert.equal((await user.get(`/api/workspaces/${second.id}`)).data.currentProjectId, null);
});

test('unassigning frees it for every type, and only from where it is assigned', async () => {
  const user = await server.user();
  const [sheet, other] = [await user.createWorkspace(), await user.createWorkspace()];
  const project = await user.createProject();
  (await unassign(user, sheet, project)).expect(400, 'not_assigned');
  (await assign(user, sheet, project)).expect(200);
  (await unassign(user, other, project)).expect(400, 'not_assigned');
  const freed = (await unassign(user, sheet, project)).expect(200).data;
  assert.equal(freed.workspaceId, null);
  assert.equal(freed.workspaceType, null);
  (await assign(user, await user.createWorkspace({ type: 'vscode' }), project)).expect(200);
});

test('a project in use is not unassigned, not deleted and not used twice', async () => {
  const user = await server.user();
  const [workspace, second] = [await user.createWorkspace(), await user.createWorkspace()];
  const project = await user.createProject({ name: 'busy' });
  (await assign(user, workspace, project)).expect(200);
  await user.switchProject(workspace.id, project.id);
  await user.start(workspace.id);
  for (const answer of [
    await unassign(user, workspace, project), await user.delete(`/api/projects/${project.id}`),
  ]) answer.expect(409, 'project_in_use');
  // At rest it may point there; it cannot run with it.
  await user.switchProject(second.id, project.id);
  (await user.post(`/api/workspaces/${second.id}/start`)).expect(409, 'project_in_use');
  const free = await user.createProject();
  await user.switchProject(second.id, free.id);
  await user.start(second.id);
  (await user.post(`/api/workspaces/${second.id}/switch-project`, { projectId: project.id })).expect(409, 'project_in_use');
  assert.equal((await user.get(`/api/workspaces/${second.id}`)).data.currentProjectId, free.id);
  await user.stop(workspace.id);
  await user.switchProject(second.id, project.id);
  await user.stop(second.id);
  // At rest, unassigning lets go of it as the current project as well.
  (await unassign(user, second, project)).expect(200);
  assert.equal((await user.get(`/api/workspaces/${second.id}`)).data.currentProjectId, null);
});

test('counts of a workspace', async () => {
  const user = await server.user();
  const workspace = await user.createWorkspace();
  const [a, b] = [await user.createProject(), await user.createProject()];
  await user.createProject();
  for (const each of [a, b]) (await assign(user, workspace, each)).expect(200);
  await user.switchProject(workspace.id, a.id);
  const counts = (await user.get(`/api/workspaces/${workspace.id}/project-stats`)).expect(200).data;
  assert.equal(counts.totalProjects, 3);
  assert.equal(counts.assignedProjects, 2);
  assert.equal(counts.currentProject.id, a.id);
});

test('a deleted project lies in the trash with its files, comes back whole, or goes for good', async () => {
  const user = await server.user();
  const workspace = await user.createWorkspace();
  const project = await user.createProject({ name: 'kept', description: 'with care' });
  (await assign(user, workspace, project)).expect(200);
  await user.switchProject(workspace.id, project.id);
  await user.start(workspace.id);
  await user.writeFile(workspace.id, 'work.txt', 'hours of it');
  await user.stop(workspace.id);
  const before = (await user.get(`/api/projects/${project.id}`)).data;
  const deleted = (await user.delete(`/api/projects/${project.id}`)).expect(200);
  assert.equal(deleted.body.message, 'Project deleted successfully');
  (await user.get(`/api/projects/${project.id}`)).expect(404, 'project_not_found');
  assert.equal((await user.get(`/api/workspaces/${workspace.id}`)).data.currentProjectId, null);
  const [trashed] = (await user.get('/api/trash')).expect(200).data;
  assert.equal(trashed.kind, 'project');
  assert.equal(trashed.ownerId, project.id);
  assert.equal(Date.parse(trashed.purgeAfter) - Date.parse(trashed.deletedAt), 7 * 86_400_000);
  assert.ok(await server.engine.volumeExists(project.volumeName), 'the volume is still there');

  // Its time is not over: nobody cleans it up.
  const admin = await server.admin();
  assert.deepEqual((await admin.post('/api/workspaces/cleanup')).expect(200).data.volumes, []);
  assert.equal((await user.post(`/api/trash/${trashed.id}/restore`)).expect(200).body.message, 'Project restored');
  (await user.post(`/api/trash/${trashed.id}/restore`)).expect(409, 'already_restored');
  assert.deepEqual((await user.get('/api/trash')).data, []);
  const back = (await user.get(`/api/projects/${project.id}`)).expect(200).data;
  assert.deepEqual({ ...back, updatedAt: before.updatedAt }, before);
  await user.switchProject(workspace.id, project.id);
  await user.start(workspace.id);
  assert.equal(await user.readFile(workspace.id, 'work.txt'), 'hours of it');
  await user.stop(workspace.id);

  (await user.delete(`/api/projects/${project.id}`)).expect(200);
  const [again] = (await user.get('/api/trash')).data;
  // The engine lets go of a stopped container's volume in its own time.
  for (let answer; (answer = await user.delete(`/api/trash/${again.id}`)).status !== 200;) answer.expect(409, 'volume_in_use');
  assert.ok(!(await server.engine.volumeExists(project.volumeName)));
  (await user.post(`/api/trash/${again.id}/restore`)).expect(404, 'volume_not_found');
  (await user.post(`/api/trash/${randomUUID()}/restore`)).expect(404, 'volume_not_found');
});

test('a project that comes back to a workspace that is gone belongs to none', async () => {
  const user = await server.user();
  const workspace = await user.createWorkspace();
  const project = await user.createProject();
  (await assign(user, workspace, project)).expect(200);
  (await user.delete(`/api/projects/${project.id}`)).expect(200);
  (await user.delete(`/api/workspaces/${workspace.id}`)).expect(200);
  const [trashed] = (await user.get('/api/trash')).data;
  (await user.post(`/api/trash/${trashed.id}/restore`)).expect(200);
  const back = (await user.get(`/api/projects/${project.id}`)).expect(200).data;
  assert.equal(back.workspaceId, null);
  assert.equal(back.workspaceType, null, 'a type that nobody could take away again');
});

test('what is over its time goes, and only with a tombstone, only what is ours', async () => {
  const user = await server.user();
  const admin = await server.admin();
  const [old, fresh, foreign] = [await user.createProject({ name: 'old' }), await user.createProject(), await user.createProject()];
  for (const each of [old, fresh, foreign]) (await user.delete(`/api/projects/${each.id}`)).expect(200);
  // A volume of the same name that another installation made in the meantime.
  await server.engine.removeVolume(foreign.volumeName);
  await server.engine.createVolume({ Name: foreign.volumeName, Labels: { 'agentdb9.managed': 'true', 'agentdb9.instance': randomUUID(), 'agentdb9.project.id': foreign.id } });
  const stray = `agentdb9-project-${randomUUID()}`;
  await server.engine.createVolume({ Name: stray, Labels: { 'agentdb9.managed': 'true', 'agentdb9.instance': server.installation } });
  try {
    for (const each of [old, foreign]) server.query(`UPDATE agentdb9_volume_tombstones SET "purgeAfter" = '2020-01-01T00:00:00.000Z' WHERE "ownerId" = '${each.id}'`);
    const wouldGo = (await admin.post('/api/workspaces/cleanup?dryRun=true')).expect(200).data;
    assert.deepEqual(wouldGo.volumes.sort(), [old.volumeName, foreign.volumeName].sort());
    assert.ok(await server.engine.volumeExists(old.volumeName), 'asking removes nothing');
    const gone = (await admin.post('/api/workspaces/cleanup')).expect(200).data;
    assert.deepEqual(gone.volumes, [old.volumeName]);
    assert.ok(!(await server.engine.volumeExists(old.volumeName)));
    for (const each of [fresh.volumeName, foreign.volumeName, stray]) assert.ok(await server.engine.volumeExists(each), each);
    const trash = (await user.get('/api/trash')).data;
    (await user.delete(`/api/trash/${trash.find((each) => each.ownerId === foreign.id).id}`)).expect(409, 'volume_not_ours');
    assert.ok(await server.engine.volumeExists(foreign.volumeName));
  } finally {
    await server.engine.removeVolume(foreign.volumeName);
    await server.engine.removeVolume(stray);
  }
});
