// kill -9 at every point where the server's state, or the engine's, changes: before and after each call of the
// runtime and each commit of the store, in each kind of operation. Each walk first does the operation once and
// notes the points that it passes, then does it again for each point and dies there. At the next start the server
// goes on from there by itself; only what it had not recorded yet is asked for again.
//
// A walk of every point takes several minutes: that is AGENTDB9_TEST_WALK=all. Without it the points are those at
// which something changes, on one side of each: looking does not change what a later server finds, and a death
// after one change and before the next finds the same. The seed that picks the side is the date's, and is printed
// when a test fails; AGENTDB9_TEST_SEED sets it.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';

import { filesOf } from '../../support/engine.mjs';
import { eventually } from '../../support/eventually.mjs';
import { KillableServer, noVolumeIsShared, noVolumeIsSharedDuring } from '../../support/killable.mjs';

const everything = process.env.AGENTDB9_TEST_WALK === 'all';
const seed = Number(process.env.AGENTDB9_TEST_SEED ?? Math.floor(Date.now() / 86_400_000));
const looks = ['info', 'prepare', 'instances', 'instances_of', 'instances_on_volume', 'has_image', 'can_pull', 'find_volume', 'volumes', 'last_output', 'probe'];
// Five seconds are what is promised, and what the diagnostics tell; a machine that is busy may take longer.
const within = 20_000;

// The points to walk, of those that were passed. How often the application is probed is chance.
function chosen(passed) {
  const points = passed.filter((each) => !/^probe ([2-9]|\d\d)/.test(each));
  if (everything) return points;
  return points.filter((each) => {
    const [name, number, when] = each.split(' ');
    if (looks.includes(name)) return false;
    return when === ((seed + Number(number) + name.length) % 2 === 0 ? 'before' : 'after') || name === 'commit';
  });
}

const cutOff = Symbol('cut off');
const sent = (request) => request().catch((error) => {
  if (error instanceof assert.AssertionError) throw error;
  return cutOff;
});

class Walk {
  async open() {
    this.server = await new KillableServer().start();
    this.user = await this.server.user('walker');
    return this;
  }
  async made(type, content = 'hours of it') {
    const project = await this.user.createProject({ name: 'work' });
    const workspace = await this.user.createWorkspace({ type });
    await this.user.switchProject(workspace.id, project.id);
    await this.user.start(workspace.id);
    await this.user.writeFile(workspace.id, 'work', content);
    return { workspace, project };
  }
  async show(workspace) {
    return (await this.user.get(`/api/workspaces/${workspace.id}`)).expect(200).data;
  }
  // Has the server recorded an operation of this kind for the workspace since there were `before` of them?
  recorded(workspace, before) {
    return Number(this.server.query(`SELECT count(*) FROM agentdb9_operations WHERE "workspaceId" = '${workspace.id}'`)) > before;
  }
  operations(workspace) {
    return Number(this.server.query(`SELECT count(*) FROM agentdb9_operations WHERE "workspaceId" = '${workspace.id}'`));
  }
  // One container, at work on this project's volume; answers it.
  async isAtWork(workspace, project) {
    const row = await this.show(workspace);
    const all = await this.server.engine.containers(workspace.id);
    const right = row.phase === 'running' && row.currentProjectId === project.id && all.length === 1 && all[0].State === 'running' &&
      all[0].Names.includes(`/agentdb9-workspace-${workspace.id}`) && all[0].Mounts.some((each) => each.Name === project.volumeName);
    if (!right) throw new Error(JSON.stringify({ phase: row.phase, error: row.lastError, all: all.map(({ Names, State }) => [Names, State]) }));
    const answer = await this.user.application('GET', workspace.id, '/files/work');
    if (answer.status !== 200) throw new Error(`the application answers ${answer.status}: ${answer.text}`);
    return all[0];
  }
  async close() {
    await this.server.close();
  }
}

// Does `operation` once, counting, then once for each point:
//   prepare(walk)        → what the others get as `it`; once per round
//   ask(walk, it)        the request, or requests, of a client who does not give up: throws when one is cut off
//   recorded(walk, it)   does the server know by now what it was asked for? Then it needs nobody to ask again
//   reached(walk, it)    throws until what was asked for has come about, and nothing else is left
//   tidy(walk, it)       makes room for the next round
async function walkThrough(context, { prepare, ask, recorded, reached, tidy }) {
  const walk = await new Walk().open();
  const { server } = walk;
  try {
    const once = async () => {
      const it = await prepare(walk);
      server.count();
      await ask(walk, it);
      await eventually('it to come about', () => reached(walk, it).then(() => true));
      const passed = server.passed();
      server.spare();
      await tidy?.(walk, it);
      return passed;
    };
    await once();  // the network, the first look at the image
    const points = chosen(await once());
    assert.ok(points.length > 1, `it passes points: ${points}`);
    let met = 0;
    let slowest = 0;
    for (const point of points) {
      const it = await prepare(walk);
      server.dieAt(point);
      await noVolumeIsSharedDuring(server.engine, async () => {
        const answer = await sent(() => ask(walk, it));
        await eventually('its end', () => server.isDead || (answer !== cutOff && reached(walk, it).then(() => true, () => false)));
        met += server.isDead ? 1 : 0;
        server.spare();
        await server.kill();
        await server.restart();
        const began = Date.now();
        if (!(await recorded(walk, it))) await ask(walk, it);
        await eventually(`after a death ${point}: what was asked for`, () => reached(walk, it).then(() => true), { within });
        slowest = Math.max(slowest, Date.now() - began);
      });
      await tidy?.(walk, it);
    }
    context.diagnostic(`${points.length} points, died at ${met}, at work again within ${slowest} ms`);
    assert.ok(met >= points.length * 0.8, `of ${points.length} points only ${met} were met`);
    await nothingIsLeft(walk);
  } catch (error) {
    error.message += `\nseed ${seed}; the server's last words:\n${server.log.slice(-30).map((each) => JSON.stringify(each)).join('\n')}`;
    throw error;
  } finally {
    await walk.close();
  }
}

// Everything on the engine has an owner in the database: nothing was left over by any of the deaths.
async function nothingIsLeft({ server }) {
  await noVolumeIsShared(server.engine);
  const rows = (sql) => server.query(sql).split('\n').filter(Boolean);
  const workspaces = new Set(rows('SELECT id FROM workspaces'));
  for (const each of await server.engine.containers()) assert.ok(workspaces.has(each.Labels['agentdb9.workspace.id']), `${each.Names} has a workspace`);
  const volumes = new Set([...rows('SELECT "volumeName" FROM projects WHERE "volumeName" IS NOT NULL'), ...rows('SELECT "volumeName" FROM workspaces WHERE "volumeName" IS NOT NULL'), ...rows('SELECT "volumeName" FROM agentdb9_volume_tombstones WHERE "purgedAt" IS NULL AND "restoredAt" IS NULL')]);
  for (const each of await server.engine.volumes()) assert.ok(volumes.has(each), `${each} has an owner`);
  assert.deepEqual(rows("SELECT id FROM agentdb9_operations WHERE state IN ('pending', 'running')"), [], 'no operation is open');
}

const remove = async (walk, workspace) => (await walk.user.delete(`/api/workspaces/${workspace.id}?force=true`)).expect(200);

async function purged(walk, volume) {
  const tombstone = (await walk.user.get('/api/trash')).expect(200).data.find((each) => each.volumeName === volume);
  if (!tombstone) return true;
  const answer = await walk.user.delete(`/api/trash/${tombstone.id}`);
  if (answer.status === 409 && ['volume_in_use', 'volume_being_purged'].includes(answer.code)) return false;
  if (answer.status !== 404) answer.expect(200);
  return true;
}

// A restart or a switch of a workspace that runs, from one round to the next.
function lasting(type, step) {
  let kept;
  return {
    async prepare(walk) {
      if (!kept) {
        const { workspace, project } = await walk.made(type, 'the first');
        const other = await walk.user.createProject({ name: 'other' });
        await walk.user.switchProject(workspace.id, other.id);
        await walk.user.writeFile(workspace.id, 'work', 'the other');
        const contents = new Map([[project.id, 'the first'], [other.id, 'the other']]);
        kept = { workspace, contents, current: (await walk.user.get(`/api/projects/${other.id}`)).data, next: (await walk.user.get(`/api/projects/${project.id}`)).data };
      }
      const container = await eventually('it to be at work', () => walk.isAtWork(kept.workspace, kept.current));
      const it = { ...kept, container, operations: walk.operations(kept.workspace) };
      if (step === 'switch') [kept.current, kept.next] = [kept.next, kept.current];
      return it;
    },
    recorded: (walk, it) => walk.recorded(it.workspace, it.operations),
    async ask(walk, it) {
      if (step === 'switch') return walk.user.switchProject(it.workspace.id, it.next.id);
      return (await walk.user.post(`/api/workspaces/${it.workspace.id}/restart`)).expect(200);
    },
    async reached(walk, it) {
      const project = step === 'switch' ? it.next : it.current;
      const now = await walk.isAtWork(it.workspace, project);
      if (now.Id === it.container.Id) throw new Error('it is the same container as before');
      assert.equal(await walk.user.readFile(it.workspace.id, 'work'), it.contents.get(project.id));
    },
  };
}

const walks = {
  'a workspace is made and started': {
    prepare: async () => ({ name: `new ${randomUUID()}` }),
    recorded: async () => false,
    async ask(walk, it) {
      it.workspace = (await walk.user.get('/api/workspaces')).expect(200).data.find((each) => each.name === it.name) ?? await walk.user.createWorkspace({ name: it.name, type: 'vscode' });
      await walk.user.start(it.workspace.id);
    },
    async reached(walk, { workspace }) {
      const { currentProjectId } = await walk.show(workspace);
      await walk.isAtWork(workspace, (await walk.user.get(`/api/projects/${currentProjectId}`)).expect(200).data).catch((error) => {
        if (!/answers 404/.test(error.message)) throw error;  // no file has been written yet
      });
    },
    tidy: (walk, { workspace }) => remove(walk, workspace),
  },
  'a workspace is started': {
    async prepare(walk) {
      const it = await walk.made('spreadsheet');
      await walk.user.stop(it.workspace.id);
      return { ...it, operations: walk.operations(it.workspace) };
    },
    recorded: (walk, it) => walk.recorded(it.workspace, it.operations),
    ask: (walk, it) => walk.user.start(it.workspace.id),
    async reached(walk, it) {
      await walk.isAtWork(it.workspace, it.project);
      assert.equal(await walk.user.readFile(it.workspace.id, 'work'), 'hours of it');
    },
    tidy: (walk, { workspace }) => remove(walk, workspace),
  },
  'a workspace is stopped': {
    async prepare(walk) {
      const it = await walk.made('spreadsheet');
      return { ...it, operations: walk.operations(it.workspace) };
    },
    recorded: (walk, it) => walk.recorded(it.workspace, it.operations),
    ask: (walk, it) => walk.user.stop(it.workspace.id),
    async reached(walk, it) {
      const row = await walk.show(it.workspace);
      if (row.phase !== 'stopped' || row.status !== 'stopped') throw new Error(`its phase is ${row.phase}`);
      assert.deepEqual(await walk.server.engine.running(it.workspace.id), []);
      assert.equal((await filesOf(it.project.volumeName)).work, 'hours of it');
    },
    tidy: (walk, { workspace }) => remove(walk, workspace),
  },
  'a workspace is restarted': lasting('spreadsheet', 'restart'),
  'a workspace without a home is switched': lasting('spreadsheet', 'switch'),
  'a workspace with a home is switched': lasting('vscode', 'switch'),
  'a workspace is deleted': {
    prepare: (walk) => walk.made('vscode'),
    recorded: async (walk, it) => (await walk.user.get(`/api/workspaces/${it.workspace.id}`)).status === 404,
    // A deletion that is under way shows: it is asked for again only where the workspace is as it was.
    ask: async (walk, it) => {
      const answer = await walk.user.delete(`/api/workspaces/${it.workspace.id}`);
      if (answer.status !== 404) answer.expect(200);
    },
    async reached(walk, it) {
      (await walk.user.get(`/api/workspaces/${it.workspace.id}`)).expect(404);
      assert.deepEqual(await walk.server.engine.containers(it.workspace.id), []);
      const home = `agentdb9-workspace-${it.workspace.id}`;
      assert.ok((await walk.user.get('/api/trash')).data.some((each) => each.volumeName === home), 'its home is in the trash');
      assert.ok(await walk.server.engine.volumeExists(home));
      assert.equal((await filesOf(it.project.volumeName)).work, 'hours of it');
    },
  },
  'a project is deleted and purged': {
    async prepare(walk) {
      const it = await walk.made('spreadsheet');
      await walk.user.stop(it.workspace.id);
      return it;
    },
    recorded: async () => false,
    async ask(walk, it) {
      const deleted = await walk.user.delete(`/api/projects/${it.project.id}`);
      if (deleted.status !== 404) deleted.expect(200);
      // The stopped container still refers to the volume. A purge that comes too early is refused, as often as it is
      // asked for, and each refusal passes points that another round does not.
      await eventually('its container to go', async () => walk.server.isDead || (await walk.server.engine.containers(it.workspace.id)).length === 0, { within });
      // Until a removal that has begun has ended.
      let cut;
      await eventually('the purge', async () => {
        try {
          return await purged(walk, it.project.volumeName);
        } catch (error) {
          if (error instanceof assert.AssertionError) throw error;
          cut = error;  // the server is gone: no use in asking it again
          return true;
        }
      }, { within });
      if (cut) throw cut;
    },
    async reached(walk, it) {
      (await walk.user.get(`/api/projects/${it.project.id}`)).expect(404);
      assert.ok(!(await walk.server.engine.volumeExists(it.project.volumeName)));
      assert.ok(!(await walk.user.get('/api/trash')).data.some((each) => each.volumeName === it.project.volumeName));
      assert.deepEqual(await walk.server.engine.containers(it.workspace.id), []);
    },
    tidy: (walk, { workspace }) => remove(walk, workspace),
  },
  'a project comes back from the trash': {
    async prepare(walk) {
      const it = await walk.made('spreadsheet');
      await remove(walk, it.workspace);
      (await walk.user.delete(`/api/projects/${it.project.id}`)).expect(200);
      it.tombstone = (await walk.user.get('/api/trash')).data.find((each) => each.volumeName === it.project.volumeName);
      return it;
    },
    recorded: async (walk, it) => (await walk.user.get(`/api/projects/${it.project.id}`)).status === 200,
    ask: async (walk, it) => (await walk.user.post(`/api/trash/${it.tombstone.id}/restore`)).expect(200),
    async reached(walk, it) {
      assert.equal((await walk.user.get(`/api/projects/${it.project.id}`)).expect(200).data.volumeName, it.project.volumeName);
      assert.ok(!(await walk.user.get('/api/trash')).data.some((each) => each.volumeName === it.project.volumeName));
      assert.equal((await filesOf(it.project.volumeName)).work, 'hours of it');
    },
  },
};

describe('the server may die at any point while', { concurrency: 3 }, () => {
  for (const [what, steps] of Object.entries(walks)) test(what, (context) => walkThrough(context, steps));
});
