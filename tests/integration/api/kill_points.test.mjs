// kill -9 at every point where the server's state, or the engine's, changes, in each kind of a workspace's and a
// project's operation. Their files: kill_points_files.test.mjs; how it is done: tests/support/kill_walk.mjs.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';

import { filesOf } from '../../support/engine.mjs';
import { eventually } from '../../support/eventually.mjs';
import { walkThrough, within } from '../../support/kill_walk.mjs';

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
