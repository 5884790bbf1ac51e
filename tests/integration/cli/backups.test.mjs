import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { on } from '../../support/command.mjs';
import { startServer } from '../../support/server.mjs';
import { inventory, plant } from '../../support/volume.mjs';

describe('agentdb9 backups', () => {
  let server;
  let user;
  let project;
  let original;
  before(async () => {
    server = await startServer();
    user = await server.user('owner');
    project = await user.createProject({ name: 'thesis' });
    plant(project.volumePath);
    original = inventory(project.volumePath);
  });
  after(() => server.close());

  const show = async (id) => (await user.get(`/api/projects/${id}`)).expect(200).data;
  const create = async (...words) => (await on(server, 'backups', 'create', project.id, '--json', ...words)).expect(0).json;

  // With the server, and with a command that does the work itself.
  for (const running of [true, false]) {
    test(`does all of it, ${running ? 'by the running server' : 'without one'}`, async () => {
      if (!running) await server.terminate();
      const backup = await create('--name', 'first', '--pause');
      assert.deepEqual([backup.state, backup.name, backup.consistent], ['complete', 'first', true]);
      assert.equal(createHash('sha256').update(readFileSync(backup.path)).digest('hex'), backup.sha256);
      const listed = (await on(server, 'backups', 'list', '--json')).expect(0).json.find((each) => each.id === backup.id);
      assert.equal(listed.userEmail, user.user.email);
      assert.match((await on(server, 'backups', 'list', '--project', project.id)).expect(0).stdout, new RegExp(`^${backup.id} +thesis +${user.user.email} +complete`, 'm'));

      const copy = join(server.directory, `copy-${running}.tar.zst`);
      (await on(server, 'backups', 'export', backup.id, copy)).expect(0);
      assert.equal(statSync(copy).size, backup.sizeBytes);
      assert.match((await on(server, 'backups', 'export', backup.id, copy)).expect(4).stderr, /exists/);
      const imported = (await on(server, 'backups', 'import', copy, '--user', user.user.email, '--json')).expect(0).json;
      const twin = (await on(server, 'backups', 'restore', backup.id, '--name', 'twin', '--json')).expect(0).json;
      (await on(server, 'backups', 'restore', backup.id)).expect(0);
      (await on(server, 'backups', 'delete', backup.id)).expect(2);
      (await on(server, 'backups', 'delete', backup.id, '--yes')).expect(0);
      assert.ok(!existsSync(backup.path));
      (await on(server, 'backups', 'delete', backup.id, '--yes')).expect(3);
      if (!running) await server.start();
      for (const [id, name] of [[imported.projectId, `copy-${running}`], [twin.projectId, 'twin'], [project.id, 'thesis']]) {
        const row = await show(id);
        assert.equal(row.name, name);
        assert.deepEqual(inventory(row.volumePath), original, name);
      }
    });
  }

  test('says what is wrong', async () => {
    (await on(server, 'backups', 'create', 'x')).expect(2);
    (await on(server, 'backups', 'create', '3b241101-e2bb-4255-8caf-4136c566a962')).expect(3);
    (await on(server, 'backups', 'restore', '3b241101-e2bb-4255-8caf-4136c566a962')).expect(3);
    const letter = join(server.directory, 'letter');
    writeFileSync(letter, 'no archive\n'.repeat(100));
    assert.match((await on(server, 'backups', 'import', letter, '--user', user.user.email)).expect(1).stderr, /archive/);
    assert.match((await on(server, 'backups', 'import', letter, '--user', 'nobody@example.test')).expect(3).stderr, /No user/);
    const backup = await create();
    rmSync(backup.path);
    (await on(server, 'backups', 'restore', backup.id)).expect(1);
    (await on(server, 'backups', 'export', backup.id, join(server.directory, 'nothing'))).expect(4);
    assert.equal((await on(server, 'backups')).code, 2);
  });
});
