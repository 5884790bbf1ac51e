// Images that come from a registry: fetched before anybody waits for them, or at a first start; with a registry that is slow, breaks
// off, is gone, or does not have them; and put away again.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';

import { on } from '../../support/command.mjs';
import { engineCall } from '../../support/engine.mjs';
import { eventually } from '../../support/eventually.mjs';
import { docker, startRegistry } from '../../support/registry.mjs';
import { startServer } from '../../support/server.mjs';

const patience = { within: 60_000 };
const builtIn = ['vscode', 'spreadsheet', 'notebook', 'database', 'design'];
const type = (name, image) => `[workspaceTypes.${name}]\ncontainerImage = "${image}"\ndefaultPort = 8080\ncommand = []\n[workspaceTypes.${name}.healthCheck]\npath = "/healthz"\n`;
const types = (images) => builtIn.map((name) => type(name, images[name] ?? 'agentdb9/testapp:local')).join('');
const isThere = async (image) => (await engineCall('GET', `/images/${image}/json`)).status === 200;

let registry;
before(async () => (registry = await startRegistry()));
after(() => registry.close());

test('what the types name is fetched at the start, and put away when none names it any more', async () => {
  const [image, kept] = [await registry.put('desk'), await registry.put('kept')];
  const section = '[cleaning]\nprefetchMinutes = 60\nimageDays = 7\n';
  const server = await startServer({ types: false, toml: types({ vscode: image }) + section });
  try {
    const admin = await server.admin();
    const user = await server.user();
    const cleaning = async () => (await admin.get('/api/admin/cleaning')).expect(200).data;
    const state = async (name) => (await cleaning()).images.find((each) => each.image === name);
    const fetched = await eventually('the image to be fetched', async () => {
      const now = await state(image);
      return now.pulledAt && now;
    }, patience);
    assert.deepEqual([fetched.onEngine, fetched.pulling, fetched.problem, fetched.types], [true, false, null, ['vscode']]);
    assert.ok(await isThere(image));
    const [did] = (await eventually('the round to be over', async () => (await cleaning()).duties.find((each) => each.duty === 'prefetch').lastRun)).done === 1 ? [true] : [false];
    assert.ok(did);
    const before = registry.pulls;
    const workspace = await user.createWorkspace({ type: 'vscode' });
    await user.start(workspace.id);
    await user.writeFile(workspace.id, 'work', 'hours of it');
    assert.equal(registry.pulls, before, 'nobody waited for the registry');
    // The type has another image now; what somebody else fetched by the old name's neighbour is theirs.
    await docker('pull', '--quiet', kept);
    server.configure(server.toml.replace(image, kept));
    await server.restart();
    const again = await server.admin();
    const clean = async (dryRun = '') => (await again.post(`/api/workspaces/cleanup${dryRun}`)).expect(200).data.duties.find((each) => each.duty === 'images').items;
    const of = (items, name) => items.find((each) => each.name === name);
    assert.equal(of(await clean(), image), undefined, 'a workspace was made with it');
    (await user.delete(`/api/workspaces/${workspace.id}`)).expect(200);
    assert.match(of(await clean(), image).why, /not for 7 days yet/);
    const longAgo = server.query("SELECT value FROM agentdb9_settings WHERE name = 'images.pulled'").replace(/"unnamedSince":"[^"]+"/, '"unnamedSince":"2020-01-01T00:00:00.000Z"');
    server.query(`UPDATE agentdb9_settings SET value = '${longAgo}' WHERE name = 'images.pulled'`);
    // Somebody else's container stands on it.
    const other = await server.engine.createContainer(`agentdb9-test-${randomUUID()}`, { Image: image });
    assert.equal(of(await clean(), image).outcome, 'kept');
    await server.engine.remove(other);
    assert.equal(of(await clean('?dryRun=true'), image).outcome, 'would');
    assert.ok(await isThere(image));
    assert.equal(of(await clean(), image).outcome, 'done');
    assert.ok(!await isThere(image));
    assert.ok(await isThere(kept));
    assert.equal(of(await clean(), kept), undefined);
  } finally {
    await server.close();
  }
});

test('a new image under the same name is another\'s, and stays', async () => {
  const image = await registry.put('renewed');
  const server = await startServer({ types: false, toml: types({ vscode: image }) + '[cleaning]\nprefetchMinutes = 60\nimageDays = 7\n' });
  try {
    const admin = await server.admin();
    await eventually('the image to be fetched', async () => (await admin.get('/api/admin/cleaning')).expect(200).data.images.find((each) => each.image === image).pulledAt, patience);
    await docker('tag', 'agentdb9/testapp:local', image);
    server.configure(server.toml.replace(image, 'agentdb9/testapp:local'));
    await server.restart();
    const again = await server.admin();
    await eventually('it to be forgotten', async () => !(await again.get('/api/admin/cleaning')).expect(200).data.images.some((each) => each.image === image), patience);
    (await again.post('/api/workspaces/cleanup')).expect(200);
    assert.ok(await isThere(image));
  } finally {
    await server.close();
  }
});

const asked = { headers: { Prefer: 'respond-async' } };

// Without fetching before: at a first start.
async function atFirstStart(name, work, { megabytes, image: given, environment } = {}) {
  const image = given ?? await registry.put(name, { megabytes });
  const server = await startServer({ types: false, toml: types({ vscode: image }), environment });
  try {
    const user = await server.user();
    const workspace = await user.createWorkspace({ type: 'vscode' });
    const of = `/api/workspaces/${workspace.id}`;
    const start = async () => (await user.post(`${of}/start`, undefined, asked)).expect(202);
    const operation = async () => (await user.get(`${of}/status`)).expect(200).data.operation;
    const ended = () => eventually('the operation to end', async () => {
      const now = await operation();
      return ['succeeded', 'failed'].includes(now.state) && now;
    }, patience);
    const halfway = () => eventually('the pull to be halfway', async () => {
      const now = await operation();
      return now.phase === 'pulling' && now.progress >= 20 && registry.held.size > 0 && now;
    }, patience);
    await work({ server, user, workspace, image, of, start, operation, ended, halfway });
  } finally {
    await server.close();
  }
}

test('a first start fetches it, and tells how far it is', () => atFirstStart('first', async ({ user, workspace, start, ended, halfway, server }) => {
  const held = registry.hold();
  try {
    assert.equal((await user.get('/api/workspaces/types')).expect(200).data.find((each) => each.type === 'vscode').available, true);
    await start();
    const half = await halfway();
    assert.ok(half.progress < 90, `${half.progress} percent`);
    assert.match((await on(server, 'doctor')).stdout, /vscode: .* is pulled at its first start/);
  } finally {
    held.release();
  }
  assert.equal((await ended()).state, 'succeeded');
  await user.writeFile(workspace.id, 'a', 'b');
}, { megabytes: 24 }));

for (const [what, act, state] of [
  ['stopping', async ({ user, workspace }) => user.stop(workspace.id), 'stopped'],
  ['stopping by force', async ({ user, of }) => (await user.post(`${of}/stop?force=true`)).expect(200), 'stopped'],
  ['deleting', async ({ user, of }) => (await user.delete(of)).expect(200)],
]) {
  test(`${what} does not wait for an image, and the engine gives the pull up`, () => atFirstStart('given-up', async (scene) => {
    const held = registry.hold();
    try {
      await scene.start();
      await scene.halfway();
      const began = performance.now();
      await act(scene);
      assert.ok(performance.now() - began < 10_000, 'the pull would take for ever');
      await eventually('the engine to give it up', () => registry.held.size === 0, patience);
      if (state) assert.equal((await scene.user.get(`${scene.of}/status`)).expect(200).data.phase, state);
      assert.ok(!await isThere(scene.image));
    } finally {
      held.release();
    }
    if (!state) return;
    await scene.user.start(scene.workspace.id);
    await scene.user.writeFile(scene.workspace.id, 'a', 'b');
  }, { megabytes: 24 }));
}

test('a registry that is gone is told; one that goes and comes back while it is asked is not', () => atFirstStart('unsteady', async ({ user, workspace, start, ended, halfway, image }) => {
  let gone = await registry.vanish();
  await start();
  const refused = await ended();
  await gone.returns();
  assert.deepEqual([refused.state, refused.errorCode], ['failed', 'image_unavailable']);
  assert.match(refused.error, new RegExp(image));
  const held = registry.hold();
  await start();
  await halfway();
  gone = await registry.vanish();
  held.release();
  assert.ok(!await isThere(image));
  await gone.returns();
  assert.equal((await ended()).state, 'succeeded', 'the engine asks again by itself');
  await user.writeFile(workspace.id, 'a', 'b');
}, { megabytes: 24 }));

test('an image that the registry does not have is told, and the type is said not to be there', async () => {
  const image = `${registry.name}/nobody-made-this:1`;
  await atFirstStart('', async ({ user, start, ended }) => {
    assert.equal((await user.get('/api/workspaces/types')).expect(200).data.find((each) => each.type === 'vscode').available, false);
    await start();
    const refused = await ended();
    assert.deepEqual([refused.state, refused.errorCode], ['failed', 'image_unavailable']);
    assert.match(refused.error, /nobody-made-this.*containerImage/);
  }, { image });
});

test('of two that wait for the same image one may give up, and the other gets it', () => atFirstStart('shared', async ({ user, workspace, start, ended, halfway }) => {
  const other = await user.createWorkspace({ type: 'vscode' });
  const held = registry.hold();
  try {
    await start();
    await halfway();
    (await user.post(`/api/workspaces/${other.id}/start`, undefined, asked)).expect(202);
    await eventually('the other to wait, too', async () => (await user.get(`/api/workspaces/${other.id}/status`)).data.operation.phase === 'pulling', patience);
    await user.stop(workspace.id);
  } finally {
    held.release();
  }
  await ended();
  await eventually('the other to run', async () => (await user.get(`/api/workspaces/${other.id}`)).data.phase === 'running', patience);
}, { megabytes: 24 }));

const login = 'robot:hush:hush';
// As `docker login` writes it.
const logins = (entries) => JSON.stringify({ auths: entries });
const entry = { auth: Buffer.from(login).toString('base64') };

async function atLockedRegistry(work, environment = () => ({})) {
  const image = await registry.put('private');
  const directory = mkdtempSync(join(tmpdir(), 'agentdb9-logins-'));
  const file = join(directory, 'config.json');
  registry.lock(login);
  try {
    await atFirstStart('', (scene) => work({ ...scene, file }), { image, environment: { DOCKER_CONFIG: directory, ...environment(file) } });
  } finally {
    registry.lock(undefined);
    rmSync(directory, { recursive: true, force: true });
  }
}

test('a registry that asks who comes is told what `docker login` left, as soon as it is there', () => atLockedRegistry(async ({ user, server, workspace, start, ended, file }) => {
  const refused = async () => {
    await start();
    const end = await ended();
    assert.deepEqual([end.state, end.errorCode], ['failed', 'image_unavailable']);
    return end.error;
  };
  assert.match(await refused(), /docker login/);
  writeFileSync(file, logins({ [registry.name]: { auth: Buffer.from('robot:wrong').toString('base64') } }));
  assert.match(await refused(), /docker login/);
  writeFileSync(file, JSON.stringify({ auths: { [registry.name]: {} }, credsStore: 'pass' }));
  assert.match(await refused(), /docker-credential-pass/);
  writeFileSync(file, '{');
  assert.match(await refused(), /not JSON/);
  assert.equal((await user.get('/api/workspaces/types')).expect(200).data.find((each) => each.type === 'vscode').available, false);
  writeFileSync(file, logins({ 'https://another.example/v1/': { auth: 'eDp5' }, [`http://${registry.name}/v2/`]: entry }));
  await start();
  assert.equal((await ended()).state, 'succeeded');
  await user.writeFile(workspace.id, 'a', 'b');
  const shown = JSON.stringify((await user.get(`/api/workspaces/${workspace.id}/operations`)).expect(200).body);
  for (const secret of ['hush', entry.auth]) assert.ok(!shown.includes(secret) && !JSON.stringify(server.log).includes(secret), 'the password is told');
  assert.ok(!shown.includes(file), 'where the operator keeps it is told to users');
}));

test('the operator may keep logins in a file of the server\'s own', () => atLockedRegistry(async ({ start, ended, file, user }) => {
  writeFileSync(`${file}.own`, logins({ [registry.name]: entry }));
  assert.equal((await user.get('/api/workspaces/types')).expect(200).data.find((each) => each.type === 'vscode').available, true);
  await start();
  assert.equal((await ended()).state, 'succeeded');
}, (file) => ({ AGENTDB9_DOCKER_REGISTRY_LOGINS: `${file}.own` })));
