import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';

import { on } from '../../support/command.mjs';
import { startServer } from '../../support/server.mjs';

const longAgo = '2001-01-01T00:00:00.000Z';

describe('agentdb9 volumes', () => {
  let server;
  let user;
  let project;
  let volume;
  before(async () => {
    server = await startServer();
    user = await server.user('owner');
  });
  after(() => server.close());

  const rows = async (...words) => (await on(server, 'volumes', 'list', '--json', ...words)).expect(0).json.volumes;
  const row = async (name, ...words) => (await rows(...words)).find((each) => each.volumeName === name);
  const timeIsOver = () => server.query(`UPDATE agentdb9_volume_tombstones SET "purgeAfter" = '${longAgo}' WHERE "volumeName" = '${volume}'`);

  beforeEach(async () => {
    project = await user.createProject({ name: 'thesis' });
    volume = project.volumeName;
    (await user.delete(`/api/projects/${project.id}`)).expect(200);
  });

  test('lists the trash, and with --all what is in use', async () => {
    const kept = await user.createProject({ name: 'kept' });
    const lying = await row(volume);
    assert.deepEqual([lying.state, lying.kind, lying.name, lying.userEmail, lying.onEngine], ['in trash', 'project', 'thesis', user.user.email, true]);
    assert.ok(lying.purgeAfter > lying.deletedAt);
    assert.equal(await row(kept.volumeName), undefined);
    assert.equal((await row(kept.volumeName, '--all')).state, 'in use');
    const { stdout } = (await on(server, 'volumes', 'list', '--all')).expect(0);
    assert.match(stdout, /^VOLUME +STATE +KIND +OF +OWNER/);
    assert.match(stdout, new RegExp(`^${volume} +in trash +project +thesis`, 'm'));
  });

  test('restores by the volume\'s name or by id, once', async () => {
    assert.equal((await on(server, 'volumes', 'restore', volume)).expect(0).stdout, 'Project restored.\n');
    (await user.get(`/api/projects/${project.id}`)).expect(200);
    assert.match((await on(server, 'volumes', 'restore', volume)).expect(3).stderr, /volumes list/);
    (await user.delete(`/api/projects/${project.id}`)).expect(200);
    const { id } = await row(volume);
    (await on(server, 'volumes', 'restore', id, '--json')).expect(0);
    (await on(server, 'volumes', 'restore', id)).expect(1);
  });

  test('purges with --yes, and not where nobody can be asked', async () => {
    const refused = (await on(server, 'volumes', 'purge', volume)).expect(2);
    assert.match(refused.stderr, /thesis.*--yes/s);
    assert.ok(await server.engine.volumeExists(volume));
    assert.equal((await on(server, 'volumes', 'purge', volume, '--yes')).expect(0).stdout, `Removed ${volume} for good.\n`);
    assert.ok(!(await server.engine.volumeExists(volume)));
    (await on(server, 'volumes', 'purge', volume, '--yes')).expect(3);
  });

  test('what is in use is in no trash', async () => {
    const kept = await user.createProject({ name: 'kept' });
    (await on(server, 'volumes', 'purge', kept.volumeName, '--yes')).expect(3);
    assert.ok(await server.engine.volumeExists(kept.volumeName));
  });

  test('cleans up what lies there longer than its time, and only that', async () => {
    (await on(server, 'volumes', 'cleanup')).expect(0);
    assert.ok(await server.engine.volumeExists(volume));
    timeIsOver();
    assert.match((await on(server, 'volumes', 'cleanup', '--dry-run')).expect(0).stdout, new RegExp(`would remove +${volume}`));
    assert.ok(await server.engine.volumeExists(volume));
    assert.match((await on(server, 'volumes', 'cleanup')).expect(0).stdout, new RegExp(`removed +${volume}`));
    assert.ok(!(await server.engine.volumeExists(volume)));
  });

  test('a pause holds it back until it is resumed, which says why there was one', async () => {
    timeIsOver();
    server.query("INSERT INTO agentdb9_settings (name, value) VALUES ('purgePausedBecause', 'a test said so')");
    assert.match((await on(server, 'volumes', 'list')).expect(0).stderr, /paused: a test said so/);
    assert.match((await on(server, 'volumes', 'cleanup')).expect(1).stderr, /a test said so.*volumes resume/);
    assert.ok(await server.engine.volumeExists(volume));
    assert.match((await on(server, 'volumes', 'resume')).expect(0).stdout, /was paused: a test said so\.\nIt goes on now/);
    assert.match((await on(server, 'volumes', 'resume')).expect(0).stdout, /not paused/);
    (await on(server, 'volumes', 'cleanup')).expect(0);
    assert.ok(!(await server.engine.volumeExists(volume)));
  });

  test('volumes that the database does not know are shown, and left alone', async () => {
    const name = `agentdb9-project-${server.installation}`;
    await server.engine.createVolume({
      Name: name,
      Labels: {
        'agentdb9.managed': 'true', 'agentdb9.instance': server.installation,
        'agentdb9.project.id': server.installation, 'agentdb9.user.id': user.user.id,
      },
    });
    assert.equal((await row(name, '--all')).state, 'unknown');
    const { checks, healthy } = (await on(server, 'doctor', '--json')).expect(0).json;
    assert.ok(healthy);
    assert.match(checks.find((each) => each.check === 'leftovers' && each.state === 'warning').what, new RegExp(name));
    (await on(server, 'volumes', 'cleanup')).expect(0);
    assert.ok(await server.engine.volumeExists(name));
    await server.engine.removeVolume(name);
  });

  test('a volume that is gone from the engine is a problem', async () => {
    const lost = await user.createProject({ name: 'lost' });
    await server.engine.removeVolume(lost.volumeName);
    assert.match((await on(server, 'volumes', 'list', '--all')).expect(0).stdout, new RegExp(`${lost.volumeName} +in use, gone`));
    const { checks } = (await on(server, 'doctor', '--json')).expect(1).json;
    assert.match(checks.find((each) => each.check === 'leftovers').what, new RegExp(lost.volumeName));
  });

  test('a long time without a server pauses it for a command as well', async () => {
    timeIsOver();
    await server.terminate();
    try {
      server.query(`UPDATE agentdb9_settings SET value = '${longAgo}' WHERE name = 'heartbeat'`);
      assert.match((await on(server, 'volumes', 'cleanup')).expect(1).stderr, /did not run between 2001/);
      assert.ok(await server.engine.volumeExists(volume));
      assert.match((await on(server, 'volumes', 'resume')).expect(0).stdout, /did not run between 2001/);
      assert.match((await on(server, 'volumes', 'cleanup')).expect(0).stdout, new RegExp(volume));
    } finally {
      await server.start();
    }
  });
});
