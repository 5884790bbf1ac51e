// `agentdb9 doctor --rebuild`, against the real engine: the database is lost, the containers and volumes are there.
import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { after, before, beforeEach, describe, test } from 'node:test';

import { on } from '../../support/command.mjs';
import { eventually } from '../../support/eventually.mjs';
import { startServer } from '../../support/server.mjs';

describe('agentdb9 doctor --rebuild', () => {
  let server, user, running, resting, project, containers;
  before(async () => {
    server = await startServer();
    user = await server.user('owner');
    running = await user.createWorkspace({ type: 'spreadsheet' });
    project = await user.createProject({ name: 'thesis' });
    await user.switchProject(running.id, project.id);
    await user.start(running.id);
    await user.writeFile(running.id, 'work', 'hours of it');
    resting = await user.createWorkspace({ type: 'vscode' });
    await user.start(resting.id);
    await user.writeFile(resting.id, 'work', 'other work');
    await user.stop(resting.id);
    containers = (await server.engine.containers()).map((each) => each.Id).sort();
    await server.kill();
  });
  after(() => server.close());
  beforeEach(loseTheDatabase);

  // The data directory is as on a new machine.
  async function loseTheDatabase() {
    if (server.process.exitCode === null && server.process.signalCode === null) await server.terminate();
    rmSync(server.dataDir, { recursive: true, force: true });
    mkdirSync(server.dataDir, { mode: 0o700 });
    (await on(server, 'migrate')).expect(0);
  }
  const rebuild = (...words) => on(server, 'doctor', '--rebuild', '--installation', server.installation, ...words);
  const unchanged = async () => {
    assert.deepEqual((await server.engine.containers()).map((each) => each.Id).sort(), containers);
    for (const each of [project.volumeName, `agentdb9-workspace-${resting.id}`]) assert.ok(await server.engine.volumeExists(each));
  };

  test('a dry run tells what it would do, and changes nothing', async () => {
    const told = (await rebuild('--json')).expect(0).json;
    assert.equal(told.dryRun, true);
    assert.deepEqual(told.workspaces.map((each) => [each.id, each.type, each.desiredState]).sort(), [[running.id, 'spreadsheet', 'running'], [resting.id, 'vscode', 'stopped']].sort());
    assert.ok(told.projects.some((each) => each.id === project.id && each.volumeName === project.volumeName));
    assert.deepEqual(told.users.map((each) => each.id), [user.user.id]);
    assert.ok(told.notes.some((each) => /No active admin/.test(each)));
    assert.equal(server.query('SELECT count(*) FROM projects'), '0');
    assert.match((await rebuild()).expect(0).stdout, /Would rebuild .* 2 workspaces[\s\S]*--yes/);
    await unchanged();
  });

  test('what was unknown goes to the owner, what ran goes on, and every file is there', async () => {
    (await on(server, 'user', 'add', 'new-owner@example.test')).expect(0);
    (await rebuild('--owner', 'new-owner@example.test', '--yes')).expect(0);
    const { oneTimePassword } = (await on(server, 'user', 'reset-password', 'new-owner@example.test', '--json')).expect(0).json;
    const before_ = (await server.engine.running(running.id))[0].Id;
    await server.start();
    const owner = await server.login('new-owner@example.test', oneTimePassword);
    const rows = (await owner.get('/api/workspaces')).expect(200).data;
    assert.deepEqual(rows.map((each) => each.id).sort(), [running.id, resting.id].sort());
    assert.equal(rows.filter((each) => each.isDefault).length, 1);
    await eventually('the one that ran to be reached', async () => (await owner.application('GET', running.id, '/files/work')).text === 'hours of it');
    assert.equal((await server.engine.running(running.id))[0].Id, before_, 'the same container');
    await owner.start(resting.id);
    assert.equal(await owner.readFile(resting.id, 'work'), 'other work');
    assert.equal((await owner.get(`/api/projects/${project.id}`)).expect(200).data.volumeName, project.volumeName);
    await owner.stop(resting.id);
    assert.deepEqual((await on(server, 'doctor', '--repair', '--json')).expect(0).json.discrepancies, []);
    containers = (await server.engine.containers()).map((each) => each.Id).sort();
  });

  test('without an owner each unknown user becomes a disabled account with a one-time password', async () => {
    const told = (await rebuild('--yes', '--json')).expect(0).json;
    const [account] = told.users;
    assert.ok(account.oneTimePassword.length >= 20);
    await server.start();
    (await server.nobody().post('/api/auth/login', { email: account.email, password: account.oneTimePassword })).expect(401);
    (await on(server, 'user', 'enable', account.email)).expect(0);
    const owner = await server.login(account.email, account.oneTimePassword);
    assert.equal(owner.user.id, user.user.id);
    await eventually('the one that ran to be reached', async () => (await owner.application('GET', running.id, '/files/work')).text === 'hours of it');
    await unchanged();
  });

  test('a database that has something is refused, and so is one that a server runs on', async () => {
    (await rebuild('--yes')).expect(0);
    assert.match((await rebuild('--yes')).expect(1).stderr, /has projects, workspaces or a trash already/);
    await server.start();
    assert.match((await rebuild()).expect(1).stderr, /in use|another agentdb9|runs/i);
  });

  test('an installation that is not there, an owner who is not there, flags that do not go together', async () => {
    (await on(server, 'doctor', '--rebuild', '--installation', '00000000-0000-4000-8000-000000000000')).expect(3);
    (await on(server, 'doctor', '--rebuild', '--installation', 'none')).expect(2);
    assert.match((await rebuild('--owner', 'nobody@example.test')).expect(3).stderr, /user add/);
    for (const words of [['--rebuild', '--repair'], ['--owner', 'a@example.test'], ['--yes']]) (await on(server, 'doctor', ...words)).expect(2);
    await unchanged();
  });
});
