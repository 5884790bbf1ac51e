// kill -9 at every point of what is done with projects' files: backups, restores, clones, imports, exports, single files.
// Whatever is cut off leaves each project as it was, or as it was to become, and nothing half made: no helper on the
// engine, no volume that nobody owns, no file among the backups. Every point is walked. How: tests/support/kill_walk.mjs.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';

import { eventually } from '../../support/eventually.mjs';
import { walkThrough, within } from '../../support/kill_walk.mjs';
import { inventory, plant } from '../../support/volume.mjs';

async function planted(walk) {
  const project = await walk.user.createProject({ name: 'full' });
  plant(project.volumePath);
  rmSync(join(project.volumePath, 'large'));  // one or two pieces are enough
  return { project, original: inventory(project.volumePath) };
}

const projects = async (walk) => (await walk.user.get('/api/projects')).expect(200).data;
const find = async (walk, { id }) => (await projects(walk)).find((each) => each.id === id);
const backups = async (walk, project) => (await walk.user.get(`/api/projects/${project.id}/backups`)).expect(200).data;

// What a dead server had under way keeps the project busy until the next one has ended it.
async function insistent(request) {
  let cut;
  const answer = await eventually('the project to be free', async () => {
    const got = await request().catch((error) => (cut = error));
    return got.status === 409 && got.code === 'project_busy' ? undefined : got;
  }, { within });
  if (cut) throw cut;
  return answer;
}
const backUp = async (walk, project) => (await insistent(() => walk.user.post(`/api/projects/${project.id}/backups`))).expect(201).data;

// Throws until nothing is there but what a project or the trash has, and no helper of the engine's.
async function nothingIsHalfMade(walk) {
  const { server } = walk;
  walk.admin ??= await server.admin();
  (await walk.admin.post('/api/workspaces/cleanup')).expect(200);
  const known = [...await projects(walk), ...(await walk.user.get('/api/trash')).data].map((each) => each.volumeName);
  for (const each of await server.engine.volumes()) if (!known.includes(each)) throw new Error(`nobody has the volume ${each}`);
  const containers = await server.engine.containers();
  if (containers.length > 0) throw new Error(`there are containers: ${containers.map((each) => [each.Names, each.Labels['agentdb9.helper']])}`);
  const complete = new Set();
  for (const project of await projects(walk)) for (const each of await backups(walk, project)) if (each.state === 'complete') complete.add(each.id);
  const directory = join(server.dataDir, 'backups');
  const files = existsSync(directory) ? readdirSync(directory, { recursive: true, withFileTypes: true }).filter((each) => each.isFile()) : [];
  for (const { name } of files) if (!complete.has(name.split('.')[0])) throw new Error(`nobody has the file ${name}`);
}

// Those which bring a project about: one more than there were, and with these files.
function bringing(ask) {
  let kept;
  return {
    async prepare(walk) {
      kept ??= await planted(walk);
      kept.backup ??= await backUp(walk, kept.project);
      kept.archive ??= readFileSync(join(walk.server.dataDir, 'backups', kept.project.id, `${kept.backup.id}.tar.zst`));
      return { ...kept, before: (await projects(walk)).map((each) => each.id) };
    },
    recorded: async (walk, it) => (await projects(walk)).length > it.before.length,
    ask: async (walk, it) => (await insistent(() => ask(walk, it))).expect(201),
    async reached(walk, it) {
      const made = (await projects(walk)).filter((each) => !it.before.includes(each.id));
      if (made.length !== 1) throw new Error(`there are ${made.length} new projects`);
      assert.deepEqual(inventory(made[0].volumePath), it.original);
      assert.deepEqual(inventory(it.project.volumePath), it.original);
      await nothingIsHalfMade(walk);
    },
  };
}

// Those which only look.
function looking(ask) {
  let kept;
  return {
    prepare: async (walk) => (kept ??= await planted(walk)),
    recorded: async () => false,
    ask,
    async reached(walk, it) {
      assert.deepEqual(inventory(it.project.volumePath), it.original);
      await nothingIsHalfMade(walk);
    },
  };
}

let kept;
const walks = {
  'a project is backed up': {
    async prepare(walk) {
      kept ??= await planted(walk);
      return { ...kept, before: (await backups(walk, kept.project)).filter((each) => each.state === 'complete').length };
    },
    recorded: async (walk, it) => (await backups(walk, it.project)).filter((each) => each.state === 'complete').length > it.before,
    ask: (walk, it) => backUp(walk, it.project),
    async reached(walk, it) {
      const all = await backups(walk, it.project);
      for (const each of all) if (!['complete', 'failed'].includes(each.state)) throw new Error(`a backup is ${each.state}`);
      const complete = all.filter((each) => each.state === 'complete');
      assert.equal(complete.length, it.before + 1);
      for (const each of complete) {
        const bytes = readFileSync(join(walk.server.dataDir, 'backups', it.project.id, `${each.id}.tar.zst`));
        assert.equal(createHash('sha256').update(bytes).digest('hex'), each.sha256);
      }
      assert.deepEqual(inventory(it.project.volumePath), it.original);
      await nothingIsHalfMade(walk);
    },
  },
  'a backup is restored': {
    async prepare(walk) {
      const it = await planted(walk);
      const backup = await backUp(walk, it.project);
      rmSync(join(it.project.volumePath, 'src'), { recursive: true });
      return { ...it, backup, spoilt: inventory(it.project.volumePath) };
    },
    recorded: async (walk, it) => (await find(walk, it.project)).volumeName !== it.project.volumeName,
    ask: async (walk, it) => (await insistent(() => walk.user.post(`/api/projects/${it.project.id}/restore`, { backupId: it.backup.id }))).expect(200),
    async reached(walk, it) {
      const now = await find(walk, it.project);
      if (now.volumeName === it.project.volumeName) {
        assert.deepEqual(inventory(now.volumePath), it.spoilt);
        throw new Error('the project has its old volume');
      }
      assert.deepEqual(inventory(now.volumePath), it.original);
      assert.ok((await walk.user.get('/api/trash')).data.some((each) => each.volumeName === it.project.volumeName), 'the old volume is in the trash');
      assert.deepEqual(inventory(it.project.volumePath), it.spoilt);
      await nothingIsHalfMade(walk);
    },
  },
  'a backup is restored as another project': bringing((walk, it) => walk.user.post(`/api/projects/${it.project.id}/restore`, { backupId: it.backup.id, newProject: { name: 'other' } })),
  'a project is cloned': bringing((walk, it) => walk.user.post(`/api/projects/${it.project.id}/clone`)),
  'a project is imported': bringing((walk, it) => walk.user.send('POST', '/api/projects/import?name=imported', { body: it.archive, headers: { 'Content-Type': 'application/zstd' }, agent: false })),
  'a project is exported': looking(async (walk, it) => (await walk.user.get(`/api/projects/${it.project.id}/export`)).expect(200)),
  'a file is read': looking(async (walk, it) => (await walk.user.get(`/api/projects/${it.project.id}/files/content?path=README.md`)).expect(200)),
};

describe('the server may die at any point while', { concurrency: 3 }, () => {
  for (const [what, steps] of Object.entries(walks)) test(what, (context) => walkThrough(context, { ...steps, all: true }));
});
