// A walk: an operation is done once, noting the points that it passes, and then again for each point, where the server
// dies by kill -9: before and after each call of the runtime, each piece of a volume's files and each commit of the
// store (kill_points/). At the next start the server goes on from there by itself; only what it had not recorded yet is
// asked for again.
//
// A walk of every point takes several minutes: that is AGENTDB9_TEST_WALK=all. Without it the points are those at
// which something changes, on one side of each: looking does not change what a later server finds, and a death
// after one change and before the next finds the same. The seed that picks the side is the date's, and is printed
// when a test fails; AGENTDB9_TEST_SEED sets it.
import assert from 'node:assert/strict';

import { eventually } from './eventually.mjs';
import { KillableServer, noVolumeIsShared, noVolumeIsSharedDuring } from './killable.mjs';

const everything = process.env.AGENTDB9_TEST_WALK === 'all';
const seed = Number(process.env.AGENTDB9_TEST_SEED ?? Math.floor(Date.now() / 86_400_000));
const looks = ['info', 'prepare', 'instances', 'instances_of', 'instances_on_volume', 'has_image', 'can_pull', 'find_volume', 'volumes', 'last_output', 'probe'];
// Five seconds are what is promised, and what the diagnostics tell; a machine that is busy may take longer.
export const within = 20_000;

// The points to walk, of those that were passed. How often the application is probed is chance.
function chosen(passed, all) {
  const points = passed.filter((each) => !/^probe ([2-9]|\d\d)/.test(each));
  if (all || everything) return points;
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
//   all                  true: every point, always
export async function walkThrough(context, { prepare, ask, recorded, reached, tidy, all = false }) {
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
    const points = chosen(await once(), all);
    assert.ok(points.length > 1, `it passes points: ${points}`);
    let met = 0;
    let slowest = 0;
    for (const point of points) {
      const it = await prepare(walk);
      server.dieAt(point);
      await noVolumeIsSharedDuring(server.engine, async () => {
        const answer = await sent(() => ask(walk, it));
        await eventually('its end', () => server.isDead || (answer !== cutOff && reached(walk, it).then(() => true, () => false)));
        // What comes after that has points, too, which a busy machine comes to later.
        await eventually('the point', () => server.isDead, { within: 1000 }).catch(() => {});
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
  for (const table of ['agentdb9_operations', 'agentdb9_project_operations'])
    assert.deepEqual(rows(`SELECT id FROM ${table} WHERE state IN ('pending', 'running')`), [], 'no operation is open');
}
