// What the server puts away, by itself and when an admin asks: what goes, what stays, and that it says why.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { after, before, describe, test } from 'node:test';

import { on } from '../../support/command.mjs';
import { engineCall } from '../../support/engine.mjs';
import { eventually } from '../../support/eventually.mjs';
import { startPostgres } from '../../support/postgres_server.mjs';
import { startServer } from '../../support/server.mjs';

let server;
let admin;

const clean = async (dryRun = false) => (await admin.post(`/api/workspaces/cleanup${dryRun ? '?dryRun=true' : ''}`)).expect(200).data;
const itemsOf = (data, duty) => data.duties.find((each) => each.duty === duty).items;
const itemOf = (data, duty, name) => itemsOf(data, duty).find((each) => each.name.includes(name));

const containerOf = (...words) => server.engine.createLeftOver(...words);

for (const database of ['SQLite', 'PostgreSQL']) {
  describe(`on ${database}`, () => {
    let postgres;
    before(async () => {
      if (database === 'PostgreSQL') postgres = await startPostgres();
      // By itself it looks hourly: what these tests see is what they asked for.
      server = await startServer({ postgres, toml: '\n[cleaning]\nfailedHours = 0\ninactiveDays = 30\n' });
      admin = await server.admin();
      await eventually('the first round to be over', async () =>
        (await admin.get('/api/admin/cleaning')).expect(200).data.duties.filter((each) => each.nextRunAt).every((each) => each.lastRun?.finishedAt));
    });
    after(async () => {
      await server.close();
      await postgres?.close();
    });

    test('a container of a deleted workspace goes, of an unknown one it stays, of another installation it is not seen', async () => {
      const user = await server.user();
      const workspace = await user.createWorkspace({ type: 'spreadsheet' });
      (await user.delete(`/api/workspaces/${workspace.id}`)).expect(200);
      // As a server makes one whose call the engine carried out late.
      const orphan = await containerOf(workspace.id);
      const unknown = await containerOf(randomUUID());
      const theirs = await containerOf(workspace.id, { 'agentdb9.instance': randomUUID() });
      const volume = `agentdb9-project-${randomUUID()}`;
      await server.engine.createVolume({ Name: volume, Labels: { 'agentdb9.managed': 'true', 'agentdb9.instance': server.installation } });
      const nameOf = async (id) => (await server.engine.inspect(id))?.Name.slice(1);
      const [orphanName, unknownName, theirName] = [await nameOf(orphan), await nameOf(unknown), await nameOf(theirs)];
      try {
        const would = await clean(true);
        const told = itemOf(would, 'containers', orphanName);
        assert.equal(told.outcome, 'would');
        assert.match(told.why, /was deleted/);
        assert.ok(Date.parse(told.since) <= Date.now());
        assert.equal(itemOf(would, 'containers', unknownName).outcome, 'kept');
        assert.equal(itemOf(would, 'containers', theirName), undefined);
        assert.ok(await server.engine.inspect(orphan), 'asking removes nothing');
        const did = await clean();
        assert.equal(itemOf(did, 'containers', orphanName).outcome, 'done');
        assert.match(itemOf(did, 'containers', unknownName).why, /agentdb9 doctor/);
        assert.equal(await server.engine.inspect(orphan), undefined);
        assert.ok(await server.engine.inspect(unknown));
        assert.ok(await server.engine.inspect(theirs));
        assert.ok(await server.engine.volumeExists(volume), 'no volume goes for want of a row');
        const { duties } = (await admin.get('/api/admin/cleaning')).expect(200).data;
        const { lastRun } = duties.find((each) => each.duty === 'containers');
        assert.equal(lastRun.by, 'admin');
        assert.equal(lastRun.done, 1);
        assert.equal(lastRun.kept, 1);
      } finally {
        for (const each of [orphan, unknown, theirs]) await engineCall('DELETE', `/containers/${each}?force=true`);
        await server.engine.removeVolume(volume);
      }
    });

    test('what a failed start left goes, and the workspace with its files stays', async () => {
      const user = await server.user();
      const workspace = await user.createWorkspace({ type: 'spreadsheet' });
      await user.start(workspace.id);
      await user.writeFile(workspace.id, 'work', 'hours of it');
      await user.stop(workspace.id);
      for (const each of await server.engine.containers(workspace.id)) await server.engine.remove(each.Id);
      // As a server leaves it that ended between making a container and starting it, and then gave up.
      const { currentProjectId } = (await user.get(`/api/workspaces/${workspace.id}`)).data;
      const left = await containerOf(workspace.id);
      server.query(`UPDATE workspaces SET phase = 'failed', status = 'error' WHERE id = '${workspace.id}'`);
      server.query(`UPDATE agentdb9_operations SET state = 'failed' WHERE "workspaceId" = '${workspace.id}'`);
      const name = (await server.engine.inspect(left))?.Name.slice(1);
      assert.equal(itemOf(await clean(true), 'failed', name)?.outcome, 'would');
      assert.equal(itemOf(await clean(), 'failed', name)?.outcome, 'done');
      assert.equal(await server.engine.inspect(left), undefined);
      assert.ok(await server.engine.volumeExists(`agentdb9-project-${currentProjectId}`));
      await user.start(workspace.id);
      assert.equal(await user.readFile(workspace.id, 'work'), 'hours of it');
    });

    test('a workspace that nobody uses is marked inactive, and starts as before', async () => {
      const user = await server.user();
      const [idle, used] = [await user.createWorkspace({ type: 'spreadsheet' }), await user.createWorkspace({ type: 'spreadsheet' })];
      server.query(`UPDATE workspaces SET "createdAt" = '2020-01-01 00:00:00.000', "updatedAt" = '2020-01-01 00:00:00.000' WHERE id = '${idle.id}'`);
      assert.match(itemOf(await clean(true), 'inactive', idle.id).why, /30 days/);
      assert.equal((await user.get(`/api/workspaces/${idle.id}`)).data.status, 'active');
      const did = await clean();
      assert.equal(itemOf(did, 'inactive', idle.id).outcome, 'done');
      assert.equal(itemOf(did, 'inactive', used.id), undefined);
      assert.equal((await user.get(`/api/workspaces/${idle.id}`)).data.status, 'inactive');
      const [event] = (await user.get(`/api/workspaces/${idle.id}/history`)).expect(200).data;
      assert.match(event.why, /30 days.*marked as inactive/);
      await user.start(idle.id);
      assert.equal((await user.get(`/api/workspaces/${idle.id}`)).data.status, 'running');
    });

    test('two at once are both answered, and each thing is done once', async () => {
      const user = await server.user();
      const workspace = await user.createWorkspace({ type: 'spreadsheet' });
      (await user.delete(`/api/workspaces/${workspace.id}`)).expect(200);
      const orphan = await containerOf(workspace.id);
      const name = (await server.engine.inspect(orphan)).Name.slice(1);
      const answers = await Promise.all([clean(), clean(), clean()]);
      assert.deepEqual(answers.map((each) => itemOf(each, 'containers', name)?.outcome).sort(), ['done', undefined, undefined]);
    });

    if (database === 'PostgreSQL') {
      test('asked of two servers at once, each thing is done once, by one of them', async () => {
        const other = await startServer({ beside: server, toml: '\n[cleaning]\nfailedHours = 0\n' });
        try {
          const theirAdmin = await other.admin();
          const user = await server.user();
          for (let round = 0; round < 3; round += 1) {
            const workspace = await user.createWorkspace({ type: 'spreadsheet' });
            (await user.delete(`/api/workspaces/${workspace.id}`)).expect(200);
            const orphan = await containerOf(workspace.id);
            const name = (await server.engine.inspect(orphan)).Name.slice(1);
            const answers = await Promise.all([admin, theirAdmin, admin, theirAdmin].map(async (each) => (await each.post('/api/workspaces/cleanup')).expect(200).data));
            assert.deepEqual(answers.map((each) => itemOf(each, 'containers', name)?.outcome).sort(), ['done', undefined, undefined, undefined]);
            assert.equal(await server.engine.inspect(orphan), undefined);
          }
        } finally {
          await other.close();
        }
      });
    }

    test('users may not, and bad values are told', async () => {
      const user = await server.user();
      (await user.get('/api/admin/cleaning')).expect(403, 'admin_required');
      (await user.post('/api/workspaces/cleanup')).expect(403, 'admin_required');
      (await server.nobody().get('/api/admin/cleaning')).expect(401);
      (await admin.post('/api/workspaces/cleanup?dryRun=perhaps')).expect(400, 'invalid_field');
      (await admin.post('/api/workspaces/cleanup', { dryRun: true })).expect(400, 'invalid_field');
    });

    test('by command: what would be done, what is, and when', async () => {
      const user = await server.user();
      const workspace = await user.createWorkspace({ type: 'spreadsheet' });
      (await user.delete(`/api/workspaces/${workspace.id}`)).expect(200);
      const orphan = await containerOf(workspace.id);
      const name = (await server.engine.inspect(orphan)).Name.slice(1);
      assert.match((await on(server, 'cleanup', '--dry-run')).expect(0).stdout, new RegExp(`containers +would +container +${name} .*was deleted`));
      assert.ok(await server.engine.inspect(orphan));
      const done = (await on(server, 'cleanup', '--json')).expect(0).json;
      assert.equal(itemOf(done, 'containers', name).outcome, 'done');
      assert.equal(await server.engine.inspect(orphan), undefined);
      const status = (await on(server, 'cleanup', '--status')).expect(0).stdout;
      assert.match(status, /^containers +60 min +\S+ \S+ +operator +1 +0 +0 /m);
      assert.match(status, /^prefetch +off /m);
      assert.match(status, /agentdb9\/testapp:local +.*there/);
      assert.match((await on(server, 'cleanup')).expect(0).stdout, /nothing to put away/);
      (await on(server, 'cleanup', '--dry-run', '--status')).expect(2);
    });

    test('images that types name are fetched, those that none names any more go, and nobody else\'s', async (t) => {
      // Real pulls are in images.test.mjs: a name that the engine has under another tag is enough here.
      const image = `agentdb9-test-${randomUUID()}:gone`;
      const other = `agentdb9-test-${randomUUID()}:kept`;
      execFileSync('docker', ['tag', 'agentdb9/testapp:local', image]);
      execFileSync('docker', ['tag', 'agentdb9/testapp:local', other]);
      t.after(() => { for (const each of [image, other]) try { execFileSync('docker', ['rmi', '--no-prune', each], { stdio: 'ignore' }); } catch { /* gone */ } });
      const id = execFileSync('docker', ['image', 'inspect', '--format', '{{.Id}}', image]).toString().trim();
      const long = '2020-01-01T00:00:00.000Z';
      const pulled = [{ image, id, at: long, unnamedSince: long }, { image: other, id: 'sha256:another', at: long, unnamedSince: long }];
      server.query(`INSERT INTO agentdb9_settings (name, value) VALUES ('images.pulled', '${JSON.stringify(pulled)}')`);
      const shown = (await admin.get('/api/admin/cleaning')).expect(200).data.images;
      assert.deepEqual(shown.find((each) => each.image === image).types, []);
      assert.equal(itemOf(await clean(true), 'images', image).outcome, 'would');
      const did = await clean();
      assert.equal(itemOf(did, 'images', image).outcome, 'done');
      assert.equal(itemOf(did, 'images', other).outcome, 'kept', 'it is another one by now');
      assert.equal((await engineCall('GET', `/images/${image}/json`)).status, 404);
      assert.equal((await engineCall('GET', `/images/${other}/json`)).status, 200);
    });
  });
}

test('an image that cannot be had is told, and does not keep the server from serving', async () => {
  const image = `localhost:9/agentdb9-test-${randomUUID()}:none`;
  const own = await startServer({ types: false, toml: `[workspaceTypes.vscode]\ncontainerImage = "${image}"\n${['spreadsheet', 'notebook', 'database', 'design'].map((each) => `[workspaceTypes.${each}]\ncontainerImage = "agentdb9/testapp:local"\n`).join('')}[cleaning]\nprefetchMinutes = 60\n` });
  try {
    const theirAdmin = await own.admin();
    const state = await eventually('the image to be told of', async () => {
      const { images, duties } = (await theirAdmin.get('/api/admin/cleaning')).expect(200).data;
      const { lastRun } = duties.find((each) => each.duty === 'prefetch');
      return lastRun?.finishedAt && { images, lastRun };
    }, { within: 60_000 });
    assert.equal(state.lastRun.failed[0].name, image);
    assert.match(state.images.find((each) => each.image === image).problem, /\w/);
    assert.equal(state.images.find((each) => each.image !== image).onEngine, true);
  } finally {
    await own.close();
  }
});

test('an engine that does not answer is told, and nothing is lost', async () => {
  const own = await startServer({ environment: { DOCKER_HOST: 'unix:///nonexistent/engine.sock' } });
  try {
    const theirAdmin = await own.admin();
    for (const target of ['/api/workspaces/cleanup?dryRun=true', '/api/workspaces/cleanup']) {
      const { duties } = (await theirAdmin.post(target)).expect(200).data;
      assert.match(duties.find((each) => each.duty === 'containers').problem, /engine/);
    }
    const { duties, images } = (await theirAdmin.get('/api/admin/cleaning')).expect(200).data;
    assert.match(duties.find((each) => each.duty === 'containers').lastRun.problem, /engine/);
    assert.equal(images[0].onEngine, null);
    const told = (await on(own, 'cleanup')).expect(1);
    assert.match(told.stderr, /containers: .*engine/);
  } finally {
    await own.close();
  }
});
