// Backups, restores, clones, exports and imports against the real engine: what comes back is what was there, and
// whatever goes wrong leaves every project as it was.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { eventually } from '../../support/eventually.mjs';
import { startServer } from '../../support/server.mjs';
import { inventory, plant } from '../../support/volume.mjs';

let server, user, scratch;
before(async () => {
  server = await startServer();
  user = await server.user('careful');
  scratch = mkdtempSync(join(tmpdir(), 'agentdb9-backups-'));
});
after(async () => {
  await server.close();
  rmSync(scratch, { recursive: true, force: true });
});

const show = async (project) => (await user.get(`/api/projects/${project.id}`)).expect(200).data;
const backUp = async (project, body) => (await user.post(`/api/projects/${project.id}/backups`, body)).expect(201).data;
const restore = (project, body, options) => user.post(`/api/projects/${project.id}/restore`, body, options);
const archiveOf = (backup) => join(server.dataDir, 'backups', backup.projectId, `${backup.id}.tar.zst`);
const importArchive = (bytes, name = 'imported') =>
  user.send('POST', `/api/projects/import?name=${encodeURIComponent(name)}`, { body: bytes, headers: { 'Content-Type': 'application/octet-stream' }, agent: false });

async function planted(name = 'planted') {
  const project = await user.createProject({ name, description: 'what it is for', language: 'c++' });
  plant(project.volumePath);
  return project;
}

test('a restore brings back exactly what was there, and the trash keeps what it replaced', async () => {
  const project = await planted();
  const original = inventory(project.volumePath);
  const backup = await backUp(project, { name: 'first' });
  assert.equal(backup.state, 'complete');
  assert.equal(backup.name, 'first');
  assert.equal(backup.consistent, true);
  assert.equal(backup.scheduled, false);
  const bytes = readFileSync(archiveOf(backup));
  assert.equal(backup.sizeBytes, bytes.length);
  assert.equal(backup.sha256, createHash('sha256').update(bytes).digest('hex'));
  assert.equal(statSync(archiveOf(backup)).mode & 0o077, 0, 'others could read it');
  const manifest = JSON.parse(readFileSync(archiveOf(backup).replace('.tar.zst', '.json'), 'utf8'));
  assert.deepEqual([manifest.format, manifest.backupId, manifest.sha256, manifest.project.name], [1, backup.id, backup.sha256, 'planted']);

  rmSync(join(project.volumePath, 'src'), { recursive: true });
  writeFileSync(join(project.volumePath, 'README.md'), 'spoilt');
  const spoilt = inventory(project.volumePath);
  const restored = (await restore(project, { backupId: backup.id })).expect(200).data;
  assert.equal(restored.id, project.id);
  assert.equal(restored.volumeName, `${project.volumeName}-r1`);
  assert.deepEqual(inventory(restored.volumePath), original);

  const trashed = (await user.get('/api/trash')).expect(200).data.find((each) => each.volumeName === project.volumeName);
  assert.equal(trashed.kind, 'replaced');
  (await user.post(`/api/trash/${trashed.id}/restore`)).expect(200);
  const back = await show(project);
  assert.equal(back.volumeName, project.volumeName);
  assert.deepEqual(inventory(back.volumePath), spoilt);
  // A name is never given out twice.
  const again = (await restore(project, { backupId: backup.id })).expect(200).data;
  assert.equal(again.volumeName, `${project.volumeName}-r2`);
  assert.deepEqual(inventory(again.volumePath), original);
});

test('a workspace works with what was restored', async () => {
  const workspace = await user.createWorkspace();
  const project = await user.createProject({ name: 'worked on' });
  await user.switchProject(workspace.id, project.id);
  await user.start(workspace.id);
  await user.writeFile(workspace.id, 'draft', 'one');
  const backup = await backUp(project, { pause: true });
  assert.equal(backup.consistent, true);
  await user.writeFile(workspace.id, 'draft', 'two');
  (await restore(project, { backupId: backup.id })).expect(409, 'project_in_use');
  assert.equal(await user.readFile(workspace.id, 'draft'), 'two');
  await user.stop(workspace.id);
  (await restore(project, { backupId: backup.id })).expect(200);
  await user.start(workspace.id);
  assert.equal(await user.readFile(workspace.id, 'draft'), 'one');
  // The volume that was replaced is held by nothing any more.
  const trashed = (await user.get('/api/trash')).data.find((each) => each.ownerId === project.id);
  (await user.delete(`/api/trash/${trashed.id}`)).expect(200);
  await user.stop(workspace.id);
});

test('a paused workspace goes on, and one that was not is called what it is', async () => {
  const workspace = await user.createWorkspace();
  const project = await user.createProject({ name: 'running' });
  await user.switchProject(workspace.id, project.id);
  await user.start(workspace.id);
  await user.writeFile(workspace.id, 'file', 'x');
  const [container] = await server.engine.running(workspace.id);
  const loose = await backUp(project);
  assert.equal(loose.consistent, false);
  const firm = await backUp(project, { pause: true });
  assert.equal(firm.consistent, true);
  const after = await server.engine.inspect(container.Id);
  assert.equal(after.State.Status, 'running');
  assert.equal(await user.readFile(workspace.id, 'file'), 'x');
  await user.stop(workspace.id);
});

test('a backup becomes a new project, also when its own is gone', async () => {
  const project = await planted('lost');
  const original = inventory(project.volumePath);
  const backup = await backUp(project);
  const twin = (await restore(project, { backupId: backup.id, newProject: { name: 'twin' } })).expect(201).data;
  assert.deepEqual([twin.name, twin.description, twin.language, twin.workspaceId], ['twin', 'what it is for', 'c++', null]);
  assert.deepEqual(inventory(twin.volumePath), original);

  (await user.delete(`/api/projects/${project.id}`)).expect(200);
  const [trashed] = (await user.get('/api/trash')).data.filter((each) => each.ownerId === project.id);
  (await user.delete(`/api/trash/${trashed.id}`)).expect(200);
  (await restore(project, { backupId: backup.id })).expect(404, 'project_not_found');
  assert.deepEqual((await user.get(`/api/projects/${project.id}/backups`)).expect(200).data.map((each) => each.id), [backup.id]);
  const risen = (await restore(project, { backupId: backup.id, newProject: {} })).expect(201).data;
  assert.equal(risen.name, 'lost');
  assert.deepEqual(inventory(risen.volumePath), original);
  assert.ok((await user.get('/api/backups')).expect(200).data.some((each) => each.id === backup.id));
});

test('a clone is the same and stays apart', async () => {
  const project = await planted('original');
  const original = inventory(project.volumePath);
  const clone = (await user.post(`/api/projects/${project.id}/clone`)).expect(201).data;
  assert.equal(clone.name, 'original (copy)');
  assert.notEqual(clone.volumeName, project.volumeName);
  assert.deepEqual(inventory(clone.volumePath), original);
  writeFileSync(join(clone.volumePath, 'README.md'), 'changed');
  assert.deepEqual(inventory(project.volumePath), original);
  const named = (await user.post(`/api/projects/${project.id}/clone`, { name: 'n'.repeat(100) })).expect(201).data;
  assert.equal(named.name, 'n'.repeat(100));
  assert.equal((await user.post(`/api/projects/${named.id}/clone`)).expect(201).data.name.length <= 100, true);
});

test('a whole project goes to another installation as one file', async () => {
  const project = await planted('traveller');
  const original = inventory(project.volumePath);
  const exported = (await user.get(`/api/projects/${project.id}/export`)).expect(200);
  assert.match(exported.headers['content-disposition'], /^attachment; filename="traveller.tar.zst"/);
  assert.equal(exported.headers['x-content-type-options'], 'nosniff');
  assert.equal(Number(exported.headers['content-length']), exported.bytes.length);
  assert.equal(exported.headers.etag, `"${createHash('sha256').update(exported.bytes).digest('hex')}"`);
  const arrived = (await importArchive(exported.bytes, 'arrived')).expect(201).data;
  assert.equal(arrived.name, 'arrived');
  assert.deepEqual(inventory(arrived.volumePath), original);
  const backup = await backUp(project);
  const downloaded = (await user.get(`/api/projects/${project.id}/backups/${backup.id}/download`)).expect(200);
  assert.equal(createHash('sha256').update(downloaded.bytes).digest('hex'), backup.sha256);
  assert.deepEqual(inventory((await importArchive(downloaded.bytes)).expect(201).data.volumePath), original);
  assert.deepEqual(readdirSync(join(server.dataDir, 'backups', 'scratch')), [], 'something is left of a transfer');
});

test('what people make with tar is imported, plain and compressed', async () => {
  const tree = join(scratch, 'tree');
  mkdirSync(tree);
  plant(tree);
  const original = inventory(tree);
  for (const format of ['gnu', 'pax', 'ustar']) {
    const options = format === 'ustar' ? ['--exclude=*大小*', '--exclude=*lll*', '--exclude=*quote*'] : [];
    for (const [name, more] of [['plain', []], ['gzip', ['-z']], ['zstd', ['--zstd']]]) {
      const bytes = execFileSync('tar', ['-C', tree, `--format=${format}`, ...options, ...more, '-c', '.'], { maxBuffer: 1 << 28 });
      const project = (await importArchive(bytes, `${format} ${name}`)).expect(201).data;
      if (format !== 'ustar') assert.deepEqual(inventory(project.volumePath), original, `${format} ${name}`);
    }
  }
  const empty = (await importArchive(execFileSync('tar', ['-c', '-T', '/dev/null']), 'empty')).expect(201).data;
  assert.deepEqual(Object.keys(inventory(empty.volumePath)), ['.']);
});

test('an archive that must not be is refused, and leaves nothing', async () => {
  const volumes = (await server.engine.volumes()).length;
  const projects = (await user.get('/api/projects')).data.length;
  const make = (...words) => execFileSync('python3', ['-c', `
import io, sys, tarfile
out = tarfile.open(fileobj=sys.stdout.buffer, mode='w|')
def add(name, type=tarfile.REGTYPE, link='', data=b''):
    info = tarfile.TarInfo(name); info.type = type; info.linkname = link; info.size = len(data)
    out.addfile(info, io.BytesIO(data))
${words.join('\n')}
out.close()`]);
  const whole = make("add('a', data=b'x' * 100000)");
  const compressed = execFileSync('zstd', ['-c'], { input: whole });
  const bad = {
    'above the root': make("add('../x', data=b'x')"),
    'absolute': make("add('/etc/x', data=b'x')"),
    'through a link': make("add('l', tarfile.SYMTYPE, '/etc')", "add('l/x', data=b'x')"),
    'a hard link out': make("add('l', tarfile.LNKTYPE, '../../etc/passwd')"),
    'a device': make("add('d', tarfile.CHRTYPE)"),
    'cut off': whole.subarray(0, 50_000),
    'cut off when compressed': compressed.subarray(0, compressed.length - 10),
    'a flipped bit': Buffer.from(compressed.map((byte, index) => (index === compressed.length >> 1 ? byte ^ 0x40 : byte))),
    'no archive': Buffer.from('this is a letter, and not at all an archive\n'.repeat(50)),
    'a page': Buffer.from('<html></html>'),
  };
  for (const [what, bytes] of Object.entries(bad)) {
    const answer = await importArchive(bytes, what);
    assert.equal(answer.status, 400, `${what}: ${answer.status} ${answer.text.slice(0, 300)}`);
    assert.equal(answer.code, 'archive_invalid', what);
  }
  assert.equal((await user.get('/api/projects')).data.length, projects);
  assert.equal((await server.engine.volumes()).length, volumes);
});

test('a damaged or missing file of a backup restores nothing', async () => {
  const project = await planted('damaged');
  const original = inventory(project.volumePath);
  const same = async () => {
    assert.equal((await show(project)).volumeName, project.volumeName);
    assert.deepEqual(inventory(project.volumePath), original);
  };
  for (const spoil of [(path) => truncateSync(path, 1000), (path) => truncateSync(path, 0), (path) => {
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1] ^= 1;
    writeFileSync(path, bytes);
  }]) {
    const backup = await backUp(project);
    spoil(archiveOf(backup));
    (await restore(project, { backupId: backup.id })).expect(400, 'archive_invalid');
    (await restore(project, { backupId: backup.id, newProject: {} })).expect(400, 'archive_invalid');
    await same();
  }
  const backup = await backUp(project);
  rmSync(archiveOf(backup));
  (await restore(project, { backupId: backup.id })).expect(409, 'backup_missing');
  (await user.get(`/api/projects/${project.id}/backups/${backup.id}/download`)).expect(409, 'backup_missing');
  await same();
  assert.ok(!(await user.get('/api/trash')).data.some((each) => each.ownerId === project.id));
});

test('a backup is deleted with its file, and failures leave none', async () => {
  const project = await planted('tidy');
  const backup = await backUp(project);
  (await user.delete(`/api/projects/${project.id}/backups/${backup.id}`)).expect(200);
  (await user.get(`/api/projects/${project.id}/backups/${backup.id}`)).expect(404, 'backup_not_found');
  assert.ok(!existsSync(join(server.dataDir, 'backups', project.id)));
  await server.engine.removeVolume(project.volumeName);
  (await user.post(`/api/projects/${project.id}/backups`)).expect(409, 'volume_missing');
  const [failed] = (await user.get(`/api/projects/${project.id}/backups`)).expect(200).data;
  assert.equal(failed.state, 'failed');
  assert.ok(failed.error.endsWith('.'), failed.error);
  (await restore(project, { backupId: failed.id })).expect(409, 'backup_not_complete');
  await eventually('nothing of it to be left', () => !existsSync(join(server.dataDir, 'backups', project.id)) || readdirSync(join(server.dataDir, 'backups', project.id)).length === 0);
});

test('what is asked for twice at once is done once', async () => {
  const project = await planted('wanted');
  writeFileSync(join(project.volumePath, 'bulk'), Buffer.alloc(60_000_000, randomUUID()));
  const answers = await Promise.all([...Array(6)].map(() => user.post(`/api/projects/${project.id}/backups`)));
  const made = answers.filter((each) => each.status === 201);
  assert.ok(made.length >= 1);
  for (const each of answers) if (each.status !== 201) each.expect(409, 'project_busy');
  assert.equal((await user.get(`/api/projects/${project.id}/backups`)).data.length, made.length);
});

test('a backup that is not waited for tells how far it is', async () => {
  const project = await planted('followed');
  writeFileSync(join(project.volumePath, 'bulk'), Buffer.alloc(30_000_000, randomUUID()));
  const operation = (await user.post(`/api/projects/${project.id}/backups`, undefined, { headers: { Prefer: 'respond-async' } })).expect(202).data;
  assert.equal(operation.kind, 'backup');
  const path = `/api/projects/${project.id}/operations`;
  const ended = await eventually('it to end', async () => (await user.get(path)).expect(200).data.find((each) => each.id === operation.id && each.finishedAt));
  assert.deepEqual([ended.state, ended.phase, ended.progress, ended.requestedBy], ['succeeded', 'done', 100, user.user.id]);
  const backup = (await user.get(`/api/projects/${project.id}/backups/${ended.backupId}`)).expect(200).data;
  assert.equal(backup.state, 'complete');
  const events = await fetch(`${server.api}/api/projects/${project.id}/events`, { headers: { Authorization: `Bearer ${user.token}` } });
  assert.equal(events.headers.get('content-type'), 'text/event-stream');
  const reader = events.body.getReader();
  const text = new TextDecoder().decode((await reader.read()).value);
  await reader.cancel();
  assert.match(text, /^event: operation\n/);
  assert.equal(JSON.parse(/^data: (.*)$/m.exec(text)[1]).id, operation.id);
});
