// Backups when things go wrong: the server killed, the disk full, an upload that breaks off, an archive that would
// never end.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { eventually } from '../../support/eventually.mjs';
import { startServer } from '../../support/server.mjs';
import { inventory, plant } from '../../support/volume.mjs';

let server, user;
before(async () => {
  server = await startServer({ toml: '[backups]\nimportLimit = 50000000\n' });
  user = await server.user('unlucky');
});
after(() => server.close());

const show = async (project) => (await user.get(`/api/projects/${project.id}`)).expect(200).data;
const operations = async (project) => (await user.get(`/api/projects/${project.id}/operations`)).expect(200).data;
const asynchronous = { headers: { Prefer: 'respond-async' } };

async function bulky(name, megabytes = 40) {
  const project = await user.createProject({ name });
  plant(project.volumePath);
  // Does not compress, so that there is time to interfere.
  for (let i = 0; i < megabytes; ++i) writeFileSync(join(project.volumePath, `bulk${i}`), randomBytes(1 << 20));
  return project;
}

// Kills the server as soon as the project's operation says that it is in this phase, and starts it again.
async function killIn(phase, project, call) {
  const { id } = (await call()).expect(202).data;
  const seen = await eventually(`the phase ${phase}`, async () => (await operations(project)).find((each) => each.id === id && (each.phase === phase || each.finishedAt)), { every: 1 });
  const inTime = seen.finishedAt === null;
  await server.kill();
  await server.restart();
  const ended = (await operations(project)).find((each) => each.id === id);
  if (inTime && ended.state !== 'succeeded') {
    assert.deepEqual([ended.state, ended.errorCode], ['failed', 'server_ended']);
    assert.ok(ended.error.endsWith('.'));
  }
  return { inTime, ended };
}

test('killed in a backup, the server forgets it and leaves nothing of it', async () => {
  const project = await bulky('killed in a backup');
  let interrupted = 0;
  for (const phase of ['copying', 'checking', 'copying']) {
    const { ended } = await killIn(phase, project, () => user.post(`/api/projects/${project.id}/backups`, undefined, asynchronous));
    if (ended.state !== 'failed') continue;
    ++interrupted;
    const backup = (await user.get(`/api/projects/${project.id}/backups/${ended.backupId}`)).expect(200).data;
    assert.equal(backup.state, 'failed');
    const directory = join(server.dataDir, 'backups', project.id);
    await eventually('no file of it to be there', () => !existsSync(directory) || !readdirSync(directory).some((each) => each.startsWith(backup.id)));
  }
  assert.ok(interrupted > 0, 'the server was always too late to die');
  (await user.post(`/api/projects/${project.id}/backups`)).expect(201);
});

test('killed in a restore, a clone or a restore into a new project, it leaves every project as it was', async () => {
  const project = await bulky('killed in a restore');
  const original = inventory(project.volumePath);
  const backup = (await user.post(`/api/projects/${project.id}/backups`)).expect(201).data;
  const calls = [
    ['unpacking', () => user.post(`/api/projects/${project.id}/restore`, { backupId: backup.id }, asynchronous)],
    ['checking the archive', () => user.post(`/api/projects/${project.id}/restore`, { backupId: backup.id }, asynchronous)],
    ['unpacking', () => user.post(`/api/projects/${project.id}/restore`, { backupId: backup.id, newProject: {} }, asynchronous)],
    ['copying', () => user.post(`/api/projects/${project.id}/clone`, undefined, asynchronous)],
  ];
  let interrupted = 0;
  for (const [phase, call] of calls) {
    const before = { project: await show(project), all: (await user.get('/api/projects')).data.length };
    const { ended } = await killIn(phase, project, call);
    if (ended.state !== 'failed') continue;
    ++interrupted;
    assert.equal((await show(project)).volumeName, before.project.volumeName);
    assert.equal((await user.get('/api/projects')).data.length, before.all);
    assert.deepEqual(inventory((await show(project)).volumePath), original);
  }
  assert.ok(interrupted > 1, `only ${interrupted} were interrupted`);
  // What was half filled goes with the next clean-up, and nothing else does.
  const admin = await server.admin();
  (await admin.post('/api/workspaces/cleanup')).expect(200);
  const rows = (await user.get('/api/projects')).data.map((each) => each.volumeName);
  const trash = (await user.get('/api/trash')).data.map((each) => each.volumeName);
  await eventually('only known volumes to be there', async () => {
    (await admin.post('/api/workspaces/cleanup')).expect(200);
    return (await server.engine.volumes()).every((each) => rows.includes(each) || trash.includes(each));
  });
  (await user.post(`/api/projects/${project.id}/restore`, { backupId: backup.id })).expect(200);
  assert.deepEqual(inventory((await show(project)).volumePath), original);
});

test('what a dead server had asked the engine for, and what comes when the next one runs already, does not stay', async () => {
  const project = await bulky('asked for late', 1);
  await server.restart();
  const labels = { 'agentdb9.managed': 'true', 'agentdb9.instance': server.installation, 'agentdb9.helper': 'volume' };
  const words = Object.entries(labels).flatMap(([name, value]) => ['--label', `${name}=${value}`]);
  const id = execFileSync('docker', ['create', ...words, '--mount', `type=volume,source=${project.volumeName},target=/workspace`, 'agentdb9/testapp:local'], { encoding: 'utf8' }).trim();
  await eventually('the helper to be gone', () => !execFileSync('docker', ['ps', '-aq', '--no-trunc'], { encoding: 'utf8' }).includes(id), { every: 250 });
  assert.ok((await show(project)).volumeName, 'the volume is not the helper\'s');
  assert.ok(existsSync(join(project.volumePath, 'bulk0')));
});

test('killed while it has paused a workspace, it lets that go on', async () => {
  const project = await bulky('killed while paused');
  const workspace = await user.createWorkspace();
  await user.switchProject(workspace.id, project.id);
  await user.start(workspace.id);
  const [container] = await server.engine.running(workspace.id);
  const status = async () => (await server.engine.inspect(container.Id)).State.Status;
  (await user.post(`/api/projects/${project.id}/backups`, { pause: true }, asynchronous)).expect(202);
  await eventually('the workspace to be paused', async () => (await status()) === 'paused', { every: 1 });
  await server.kill();
  await server.restart();
  await eventually('the workspace to go on', async () => (await status()) === 'running');
  // A server that is ended in the ordinary way leaves none paused, either.
  (await user.post(`/api/projects/${project.id}/backups`, { pause: true }, asynchronous)).expect(202);
  await eventually('the workspace to be paused', async () => (await status()) === 'paused', { every: 1 });
  await server.terminate();
  assert.equal(await status(), 'running');
  await server.restart();
  await user.stop(workspace.id);
});

test('somebody who stops a workspace does not wait for its backup', async () => {
  const project = await bulky('stopped while paused');
  const workspace = await user.createWorkspace();
  await user.switchProject(workspace.id, project.id);
  await user.start(workspace.id);
  const operation = (await user.post(`/api/projects/${project.id}/backups`, { pause: true }, asynchronous)).expect(202).data;
  await user.stop(workspace.id);
  await eventually('the backup to end', async () => (await operations(project)).find((each) => each.id === operation.id).finishedAt);
  assert.deepEqual((await server.engine.running(workspace.id)), []);
});

test('a full disk fails the backup with a sentence, and leaves room', async () => {
  const directory = join(server.directory, 'small');
  mkdirSync(directory);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', directory]);
  const small = await startServer({ toml: `[backups]\ndirectory = ${JSON.stringify(directory)}\n` });
  try {
    const owner = await small.user('cramped');
    const project = await owner.createProject({ name: 'too much' });
    for (let i = 0; i < 20; ++i) writeFileSync(join(project.volumePath, `bulk${i}`), randomBytes(1 << 20));
    const answer = await owner.post(`/api/projects/${project.id}/backups`);
    answer.expect(503, 'backup_storage');
    assert.ok(answer.body.message.endsWith('.'));
    const files = readdirSync(directory, { recursive: true }).filter((each) => each.includes('.tar'));
    assert.deepEqual(files, []);
    (await owner.get(`/api/projects/${project.id}/export`)).expect(503, 'backup_storage');
    for (let i = 2; i < 20; ++i) writeFileSync(join(project.volumePath, `bulk${i}`), '');
    (await owner.post(`/api/projects/${project.id}/backups`)).expect(201);
  } finally {
    await small.close();
    execFileSync('umount', [directory]);
  }
});

// An upload that goes on for `bytes`, in pieces, and is ended or broken off.
function upload(bytes, { breakOff = false, declared } = {}) {
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${user.token}`, 'Content-Type': 'application/x-tar', ...(declared ? { 'Content-Length': declared } : {}) };
    const call = request(`${server.api}/api/projects/import`, { method: 'POST', headers, agent: false }, (response) => {
      const pieces = [];
      response.on('data', (piece) => pieces.push(piece));
      response.on('end', () => resolve({ status: response.statusCode, body: JSON.parse(Buffer.concat(pieces).toString()) }));
    });
    call.on('error', (error) => (breakOff || error.code === 'EPIPE' || error.code === 'ECONNRESET' ? resolve({ status: 0 }) : reject(error)));
    const piece = Buffer.alloc(1 << 20);
    let sent = 0;
    const more = () => {
      for (; sent < bytes; sent += piece.length) if (!call.write(piece)) return call.once('drain', () => ((sent += piece.length), more()));
      if (breakOff) return call.destroy();
      call.end();
    };
    more();
  });
}

test('an upload that breaks off, or is too large, leaves nothing', async () => {
  const left = () => readdirSync(join(server.dataDir, 'backups', 'scratch'));
  await upload(20 << 20, { breakOff: true, declared: 30 << 20 });
  await upload(20 << 20, { breakOff: true });
  await eventually('no file to be left', () => left().length === 0);
  const large = await upload(60 << 20);
  if (large.status !== 0) assert.deepEqual([large.status, large.body.code], [413, 'import_too_large']);
  await eventually('no file to be left', () => left().length === 0);
  assert.equal((await user.get('/api/projects')).data.some((each) => each.name === 'Imported project'), false);
});

test('an archive that holds far more than it weighs is refused', async () => {
  const bomb = execFileSync('sh', ['-c', 'head -c 400000000 /dev/zero > "$1/z" && tar -C "$1" --zstd -c z && rm "$1/z"', 'sh', server.directory], { maxBuffer: 1 << 26 });
  assert.ok(bomb.length < 1_000_000);
  const answer = await user.send('POST', '/api/projects/import', { body: bomb, headers: { 'Content-Type': 'application/zstd' }, agent: false });
  answer.expect(413, 'archive_too_large');
});

test('who is not known uploads nothing', async () => {
  const answer = await server.nobody().send('POST', '/api/projects/import', { body: Buffer.alloc(1 << 20), headers: { 'Content-Type': 'application/x-tar' }, agent: false });
  answer.expect(401, 'authentication_required');
});
