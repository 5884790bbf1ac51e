// `agentdb9 doctor --repair`, against the real engine: what differs is told, and put right only when that is asked
// for; nobody's files are touched.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';

import { on } from '../../support/command.mjs';
import { filesOf } from '../../support/engine.mjs';
import { eventually } from '../../support/eventually.mjs';
import { startServer } from '../../support/server.mjs';

const look = async (server) => (await on(server, 'doctor', '--repair', '--json')).expect(0).json.discrepancies;
const repair = async (server) => (await on(server, 'doctor', '--repair', '--yes', '--json')).expect(0).json.discrepancies;
const about = (all, subject) => all.find((each) => each.subject === subject);

describe('agentdb9 doctor --repair', () => {
  let server, user;
  before(async () => {
    server = await startServer();
    user = await server.user('owner');
  });
  after(() => server.close());

  async function running() {
    const workspace = await user.createWorkspace();
    const project = await user.createProject();
    await user.switchProject(workspace.id, project.id);
    await user.start(workspace.id);
    await user.writeFile(workspace.id, 'work', 'hours of it');
    return { workspace, project };
  }
  const row = async (workspace) => (await user.get(`/api/workspaces/${workspace.id}`)).expect(200).data;

  test('where all is well there is nothing to repair', async () => {
    await running();
    assert.deepEqual(await look(server), []);
    assert.match((await on(server, 'doctor', '--repair')).expect(0).stdout, /nothing to repair/);
  });

  test('a container of nobody\'s workspace goes, with --yes, and its volume stays', async () => {
    const { workspace, project } = await running();
    const [{ Id }] = await server.engine.containers(workspace.id);
    const { Config } = await server.engine.inspect(Id);
    const stray = await server.engine.createContainer(`stray-${randomUUID()}`, {
      Image: Config.Image,
      Labels: { ...Config.Labels, 'agentdb9.workspace.id': randomUUID() },
      HostConfig: { NetworkMode: 'none', Mounts: [{ Type: 'volume', Source: project.volumeName, Target: '/workspace' }] },
    });
    const name = (await server.engine.inspect(stray)).Name.slice(1);
    const told = about(await look(server), name);
    assert.deepEqual([told.kind, told.repairable, told.repaired], ['container', true, false]);
    assert.ok(await server.engine.inspect(stray), 'a look changes nothing');
    assert.ok(about(await repair(server), name).repaired);
    assert.equal(await server.engine.inspect(stray), undefined);
    assert.equal(await user.readFile(workspace.id, 'work'), 'hours of it');
    assert.deepEqual(await look(server), []);
  });

  test('a volume without an owner is told, and never removed', async () => {
    const name = `agentdb9-project-${randomUUID()}`;
    await server.engine.createVolume({ Name: name, Labels: { 'agentdb9.managed': 'true', 'agentdb9.instance': server.installation } });
    const told = about(await repair(server), name);
    assert.deepEqual([told.kind, told.repairable], ['volume', false]);
    assert.ok(await server.engine.volumeExists(name));
    await server.engine.removeVolume(name);
  });

  test('a workspace that should be running with nothing is stopped, says why, and starts again', async () => {
    const { workspace } = await running();
    await user.stop(workspace.id);
    server.query(`UPDATE workspaces SET "desiredState" = 'running', "currentProjectId" = NULL WHERE id = '${workspace.id}'`);
    const told = about(await look(server), workspace.id);
    assert.match(told.what, /has no project to run with/);
    assert.ok(about(await repair(server), workspace.id).repaired);
    await eventually('it to be shown as failed', async () => (await row(workspace)).status === 'error');
    await user.start(workspace.id);
    assert.equal((await row(workspace)).status, 'running');
    assert.equal(about(await look(server), workspace.id), undefined);
  });

  test('two workspaces that should run with one project: the later one goes on', async () => {
    const first = await running();
    const second = await running();
    server.query(`UPDATE workspaces SET "currentProjectId" = '${second.project.id}', "updatedAt" = '2020-01-01T00:00:00.000Z' WHERE id = '${first.workspace.id}'`);
    const all = await repair(server);
    assert.match(about(all, first.workspace.id).what, /with which another one runs/);
    assert.equal(about(all, second.workspace.id), undefined);
    await eventually('the first to be stopped', async () => (await server.engine.running(first.workspace.id)).length === 0);
    assert.equal(await user.readFile(second.workspace.id, 'work'), 'hours of it');
    assert.equal((await filesOf(first.project.volumeName)).work, 'hours of it');
  });

  test('what is in use is taken out of the trash before its time there is over', async () => {
    const { workspace, project } = await running();
    const other = await user.createProject();
    (await user.delete(`/api/projects/${other.id}`)).expect(200);
    server.query(`UPDATE agentdb9_volume_tombstones SET "volumeName" = '${project.volumeName}', "ownerId" = '${project.id}', "purgeAfter" = '2020-01-01T00:00:00.000Z' WHERE "ownerId" = '${other.id}'`);
    const told = (await repair(server)).filter((each) => each.kind === 'trash');
    assert.match(told.map((each) => each.what).join(), /in use and lies in the trash/);
    (await (await server.admin()).post('/api/workspaces/cleanup')).expect(200);
    assert.ok(await server.engine.volumeExists(project.volumeName));
    assert.equal(await user.readFile(workspace.id, 'work'), 'hours of it');
    await server.engine.removeVolume(other.volumeName);
  });

  test('a purge that hangs is tried again; a volume that is gone leaves the trash; a lease of nobody goes', async () => {
    const [stuck, gone] = [await user.createProject({ name: 'stuck' }), await user.createProject({ name: 'gone' })];
    for (const each of [stuck, gone]) (await user.delete(`/api/projects/${each.id}`)).expect(200);
    server.query(`UPDATE agentdb9_volume_tombstones SET "purgingSince" = '2020-01-01T00:00:00.000Z' WHERE "ownerId" = '${stuck.id}'`);
    await server.engine.removeVolume(gone.volumeName);
    server.query(`INSERT INTO agentdb9_leases ("workspaceId", "holder", "token", "until") VALUES ('${randomUUID()}', 'nobody', 1, '2020-01-01T00:00:00.000Z')`);
    const kinds = (await repair(server)).filter((each) => each.repaired).map((each) => each.kind).sort();
    assert.deepEqual(kinds, ['lease', 'trash', 'trash']);
    assert.ok(!(await server.engine.volumeExists(stuck.volumeName)));
    assert.deepEqual((await user.get('/api/trash')).data.filter((each) => [stuck.id, gone.id].includes(each.ownerId)), []);
    assert.deepEqual(await look(server), []);
  });

  test('a lost volume is told; volumes recreate is the way on, and only where it is lost', async () => {
    const { workspace, project } = await running();
    await user.stop(workspace.id);
    for (const each of await server.engine.containers(workspace.id)) await server.engine.remove(each.Id);
    assert.match((await on(server, 'volumes', 'recreate', project.volumeName, '--yes')).expect(1).stderr, /nothing to make anew/);
    await server.engine.removeVolume(project.volumeName);
    assert.match(about(await look(server), project.volumeName).remedy, /volumes recreate/);
    const refused = (await user.post(`/api/workspaces/${workspace.id}/start`)).expect(409, 'volume_missing');
    assert.match(refused.body.error, new RegExp(`${project.volumeName}.*volumes recreate`, 's'));
    assert.match((await on(server, 'volumes', 'recreate', project.volumeName)).expect(2).stderr, /--yes/);
    (await on(server, 'volumes', 'recreate', 'agentdb9-project-nobody', '--yes')).expect(3);
    (await on(server, 'volumes', 'recreate', project.volumeName, '--yes')).expect(0);
    await user.start(workspace.id);
    assert.deepEqual((await user.files(workspace.id)).filter((each) => each === 'work'), []);
  });

  test('works without a server too, and what was mended holds at the next start', async () => {
    const { workspace } = await running();
    await server.terminate();
    server.query(`UPDATE workspaces SET "nextGeneration" = 99, "lastGeneration" = 0 WHERE id = '${workspace.id}'`);
    assert.ok(about(await repair(server), workspace.id).repaired);
    await server.start();
    await eventually('it to be at work', async () => (await user.application('GET', workspace.id, '/files/work')).text === 'hours of it');
    assert.deepEqual(await look(server), []);
  });
});
