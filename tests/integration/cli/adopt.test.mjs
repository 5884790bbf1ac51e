// An installation of the earlier AgentDB9, taken over: rows without our columns filled, volumes and containers that carry
// its labels and no installation's.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';

import { on } from '../../support/command.mjs';
import { engineCall } from '../../support/engine.mjs';
import { eventually } from '../../support/eventually.mjs';
import { startServer } from '../../support/server.mjs';

const image = 'agentdb9/testapp:local';

describe('agentdb9 adopt', () => {
  let server;
  let user;
  const made = { containers: [], volumes: [] };
  before(async () => {
    server = await startServer();
    user = await server.user('owner');
  });
  after(async () => {
    for (const id of made.containers) await engineCall('DELETE', `/containers/${id}?force=true`);
    await server.close();  // with the containers of its own that mount the volumes
    for (const name of made.volumes) await server.engine.removeVolume(name);
  });

  const now = '2025-01-02T03:04:05.000Z';
  const insertProject = (id, name, owner = user.user.id) =>
    server.query(`INSERT INTO projects (id, name, "userId", language, "createdAt", "updatedAt") VALUES ('${id}', '${name}', '${owner}', 'other', '${now}', '${now}')`);
  const insertWorkspace = (id, name, project, owner = user.user.id) =>
    server.query(`INSERT INTO workspaces (id, name, "userId", type, "currentProjectId", config, "createdAt", "updatedAt") VALUES ('${id}', '${name}', '${owner}', 'spreadsheet', ${project ? `'${project}'` : 'NULL'}, '{}', '${now}', '${now}')`);
  async function oldVolume(project, name = `agentdb9-project-${project}`) {
    made.volumes.push(name);
    await server.engine.createVolume({ Name: name, Labels: { 'agentdb9.managed': 'true', 'agentdb9.project.id': project } });
    return name;
  }
  async function oldContainer(workspace, volume, { start = true, name = `agentdb9-workspace-${workspace}` } = {}) {
    const id = await server.engine.createContainer(name, {
      Image: image,
      Labels: { 'agentdb9.managed': 'true', 'agentdb9.workspace.id': workspace, 'agentdb9.workspace.type': 'spreadsheet' },
      HostConfig: { Mounts: volume ? [{ Type: 'volume', Source: volume, Target: '/workspace' }] : [], RestartPolicy: { Name: 'unless-stopped' } },
    });
    made.containers.push(id);
    if (start) await engineCall('POST', `/containers/${id}/start`);
    return id;
  }
  const docker = async (id, ...command) => {
    const exec = (await engineCall('POST', `/containers/${id}/exec`, { Cmd: command, AttachStdout: true })).body.Id;
    await engineCall('POST', `/exec/${exec}/start`, { Detach: false, Tty: true });
  };
  const findings = async (...words) => (await on(server, 'adopt', ...words, '--json')).expect(0).json.findings;
  const adopted = (list) => list.filter((each) => each.adopted).map((each) => each.name);
  const status = async (workspace) => (await user.get(`/api/workspaces/${workspace}/status`)).expect(200).data;
  const fileIn = async (workspace, name) => (await user.application('GET', workspace, `/files/${name}`)).text;

  test('says that there is nothing where there is nothing', async () => {
    assert.match((await on(server, 'adopt')).expect(0).stdout, /has no container and no volume of an earlier AgentDB9|left alone/);
  });

  test('takes over volumes and containers, running and stopped, and their files', async () => {
    const [running, stopped, foreign] = [randomUUID(), randomUUID(), randomUUID()];
    const [first, second, other] = [randomUUID(), randomUUID(), randomUUID()];
    insertProject(running, 'in work');
    insertProject(stopped, 'at rest');
    insertProject(other, 'of the row');
    // An earlier switch changed the row, never the mount.
    insertWorkspace(first, 'busy', other);
    insertWorkspace(second, 'quiet', stopped);
    await server.restart();  // as after a migration: the rows are there when it starts
    const volumes = [await oldVolume(running), await oldVolume(stopped), await oldVolume(foreign)];
    const busy = await oldContainer(first, volumes[0]);
    const quiet = await oldContainer(second, volumes[1]);
    const nobodys = await oldContainer(foreign, undefined, { start: false });
    await docker(busy, 'sh', '-c', 'echo kept > /workspace/note; echo layer > /home/workspace/setting');
    await docker(quiet, 'sh', '-c', 'echo rest > /workspace/note');
    await server.engine.stop(quiet);

    // Until an operator says so, nothing of it is touched, and a start says what to do.
    const refused = (await user.post(`/api/workspaces/${second}/start`)).expect(409);
    assert.match(refused.body.error, /agentdb9 adopt/);
    (await user.post(`/api/workspaces/${second}/stop`)).expect(200);
    server.query(`UPDATE workspaces SET generation = 0, "lastGeneration" = 0 WHERE id = '${second}'`);

    const mine = (list) => list.filter((each) => [running, stopped, foreign, first, second].includes(each.ownerId));
    const would = mine(await findings('--dry-run'));
    assert.deepEqual(adopted(would).sort(), [volumes[0], volumes[1], `agentdb9-workspace-${first}`, `agentdb9-workspace-${second}`].sort());
    assert.match(would.find((each) => each.name === volumes[2]).reason, /no project/);
    assert.match(would.find((each) => each.name === `agentdb9-workspace-${foreign}`).reason, /no workspace/);
    assert.equal(server.query('SELECT count(*) FROM agentdb9_adopted'), '0', 'a dry run changes nothing');
    assert.match((await on(server, 'adopt')).expect(2).stderr, /--yes/);

    assert.deepEqual(adopted(mine(await findings('--yes'))).sort(), adopted(would).sort());
    const seen = await eventually('the running container to serve', async () => {
      const it = await status(first);
      return it.status === 'running' && it.containerRunning && it;
    }, { within: 20_000 });
    assert.equal(seen.status, 'running');
    assert.equal((await server.engine.inspect(busy)).State.Running, true);
    assert.match(await fileIn(first, 'note'), /kept/);
    assert.equal((await user.get(`/api/workspaces/${first}`)).expect(200).data.currentProjectId, running, 'what it has, not what the row said');
    assert.equal((await status(second)).containerRunning, false, 'what did not run does not run');

    (await user.post(`/api/workspaces/${second}/start`)).expect(200);
    assert.equal((await server.engine.inspect(quiet)).State.Running, true, 'its own container, not a new one');
    assert.match(await fileIn(second, 'note'), /rest/);
    assert.deepEqual(mine(await findings('--dry-run')).filter((each) => each.adopted), [], 'nothing is left to adopt');

    // The server knows them after a restart, too.
    await server.restart();
    await eventually('both to serve again', async () => /kept/.test(await fileIn(first, 'note')) && /rest/.test(await fileIn(second, 'note')), { within: 20_000 });

    // A restart gives a container of our own; the old one, whose layer may hold files, is put aside.
    (await user.post(`/api/workspaces/${first}/restart`)).expect(200);
    assert.match(await fileIn(first, 'note'), /kept/);
    const aside = await eventually('the old one to be put aside', async () => {
      const it = await server.engine.inspect(busy);
      return it && !it.State.Running && it.Name.includes('-kept-') && it;
    }, { within: 20_000 });
    assert.ok(!Object.keys(aside.NetworkSettings.Networks).includes(server.network));
    assert.equal((await server.engine.running(first)).length, 1, 'one of ours runs');

    // An adopted volume lives as any other: trash, and purge.
    (await user.post(`/api/workspaces/${second}/stop`)).expect(200);
    (await user.delete(`/api/workspaces/${second}`)).expect(200);
    (await user.delete(`/api/projects/${stopped}`)).expect(200);
    assert.ok(await server.engine.volumeExists(volumes[1]));
    assert.equal((await server.engine.inspect(quiet))?.State.Running, false, 'nothing that an earlier installation made is removed');
    await server.engine.remove(quiet);
    (await on(server, 'volumes', 'purge', volumes[1], '--yes')).expect(0);
    assert.ok(!(await server.engine.volumeExists(volumes[1])));
    assert.ok(await server.engine.volumeExists(volumes[2]), 'nobody\'s volume stays');
    assert.ok(await server.engine.inspect(nobodys));
  });

  test('leaves alone what does not fit, and says why', async () => {
    const stranger = await server.user('stranger');
    const [project, workspace, bare, misnamed] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
    insertProject(project, 'of a stranger', stranger.user.id);
    for (const [id, name] of [[workspace, 'thief'], [bare, 'bare'], [misnamed, 'misnamed']]) insertWorkspace(id, name);
    const volume = await oldVolume(project);
    await oldContainer(workspace, volume, { start: false });
    await oldContainer(bare, undefined, { start: false });
    await oldContainer(misnamed, volume, { start: false, name: `old-${misnamed}` });
    const list = (await findings('--yes')).filter((each) => [project, workspace, bare, misnamed].includes(each.ownerId));
    const reason = (owner) => list.find((each) => each.ownerId === owner).reason;
    assert.match(reason(workspace), /another user/);
    assert.match(reason(bare), /mounts no volume/);
    assert.match(reason(misnamed), /name/);
    assert.deepEqual(adopted(list), [volume]);
  });

  test('works without a running server', async () => {
    const [project, workspace] = [randomUUID(), randomUUID()];
    insertProject(project, 'offline');
    insertWorkspace(workspace, 'offline', project);
    const volume = await oldVolume(project);
    const id = await oldContainer(workspace, volume);
    await docker(id, 'sh', '-c', 'echo offline > /workspace/note');
    await server.terminate();
    assert.deepEqual(adopted(await findings('--yes')).sort(), [volume, `agentdb9-workspace-${workspace}`].sort());
    await server.start();
    await eventually('it to serve', async () => /offline/.test(await fileIn(workspace, 'note')), { within: 20_000 });
    assert.equal((await server.engine.inspect(id)).State.Running, true);
  });
});
