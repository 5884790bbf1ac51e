// Looking into a project's volume: whether a workspace runs on it, is stopped, or there never was one.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { startServer } from '../../support/server.mjs';
import { plant } from '../../support/volume.mjs';

let server, user, project;
before(async () => {
  server = await startServer();
  user = await server.user('curious');
  project = await user.createProject({ name: 'looked into' });
  plant(project.volumePath);
});
after(() => server.close());

const list = (path, query = '') => user.get(`/api/projects/${project.id}/files?path=${encodeURIComponent(path)}${query}`);
const content = (path, of = project) => user.get(`/api/projects/${of.id}/files/content?path=${encodeURIComponent(path)}`);

test('a directory is listed with what a person wants to know', async () => {
  const { path, entries, complete } = (await list('')).expect(200).data;
  assert.deepEqual([path, complete], ['', true]);
  assert.deepEqual(entries.map(({ name }) => name), ['README.md', 'binary', 'dangling', 'empty', 'fifo', 'large', 'nothing', 'run.sh', 'secret', 'setuid', 'src', 'sticky']);
  const named = Object.fromEntries(entries.map((each) => [each.name, each]));
  assert.deepEqual(named.secret, { name: 'secret', type: 'file', size: 1, mode: '0600', uid: 1234, gid: 4321, modifiedAt: new Date(1_234_567_890_000).toISOString(), target: null });
  assert.deepEqual([named.dangling.type, named.dangling.target], ['link', 'nowhere']);
  assert.deepEqual([named.src.type, named.fifo.type, named.sticky.mode], ['directory', 'fifo', '1777']);
  const below = (await list('/src/')).expect(200).data;
  assert.ok(below.entries.some(({ name }) => name === 'größe – 大小.txt'));
  assert.ok(!below.entries.some(({ name }) => name === 'er'), 'what lies further down is not listed');
  assert.deepEqual((await list('empty')).expect(200).data.entries, []);
  const short = (await list('', '&limit=3')).expect(200).data;
  assert.deepEqual([short.entries.length, short.complete], [3, false]);
});

test('a file comes as it is, and no browser shows it', async () => {
  for (const path of ['large', 'binary', 'nothing', 'src/größe – 大小.txt', 'src/-dash "quote"\nline', 'src/deep/er/' + 'l'.repeat(200)]) {
    const answer = (await content(path)).expect(200);
    assert.deepEqual(answer.bytes, readFileSync(join(project.volumePath, path)), path);
    assert.match(answer.headers['content-disposition'], /^attachment; /);
    assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    assert.equal(answer.headers['content-type'], 'application/octet-stream');
    const head = await user.send('HEAD', `/api/projects/${project.id}/files/content?path=${encodeURIComponent(path)}`);
    assert.deepEqual([head.status, head.bytes.length, head.headers['content-length']], [200, 0, answer.headers['content-length']]);
  }
});

test('nothing outside of the volume can be read', async () => {
  for (const path of ['../etc/passwd', '/../../etc/passwd', 'src/../../etc/passwd', '..', 'src/absolute/x', '/etc/passwd', 'nowhere']) {
    (await content(path)).expect(404, 'path_not_found');
    (await list(path)).expect(404, 'path_not_found');
  }
  mkdirSync(join(project.volumePath, 'traps'));
  symlinkSync('/etc', join(project.volumePath, 'traps/etc'));
  symlinkSync('/proc/self/environ', join(project.volumePath, 'traps/environ'));
  for (const path of ['traps/etc', 'traps/environ', 'src/absolute']) (await content(path)).expect(409, 'not_a_file');
  for (const path of ['traps/etc/passwd', 'traps/etc/shadow']) (await content(path)).expect(404, 'path_not_found');
  const listed = await list('traps/etc');
  assert.ok(!listed.text.includes('passwd'), listed.text);
});

test('a directory is no file, and a file no directory', async () => {
  (await content('src')).expect(409, 'not_a_file');
  (await content('fifo')).expect(409, 'not_a_file');
  (await list('README.md')).expect(409, 'not_a_directory');
  (await content('')).expect(400, 'invalid_field');
});

test('a workspace may run, be stopped or be broken meanwhile', async () => {
  const workspace = await user.createWorkspace();
  const own = await user.createProject({ name: 'own' });
  await user.switchProject(workspace.id, own.id);
  await user.start(workspace.id);
  await user.writeFile(workspace.id, 'note', 'written by the application');
  assert.equal((await content('note', own)).expect(200).text, 'written by the application');
  await user.stop(workspace.id);
  assert.equal((await content('note', own)).expect(200).text, 'written by the application');
  for (const each of await server.engine.containers(workspace.id)) await server.engine.remove(each.Id);
  assert.equal((await content('note', own)).expect(200).text, 'written by the application');
});

test('the size of a volume is what is in it', async () => {
  const fresh = await user.createProject({ name: 'measured' });
  writeFileSync(join(fresh.volumePath, 'a'), Buffer.alloc(1000));
  mkdirSync(join(fresh.volumePath, 'd'));
  writeFileSync(join(fresh.volumePath, 'd/b'), Buffer.alloc(234));
  symlinkSync('a', join(fresh.volumePath, 'l'));
  const usage = (await user.get(`/api/workspaces/projects/${fresh.id}/volume-size`)).expect(200).data;
  assert.deepEqual([usage.sizeBytes, usage.files, usage.links], [1234, 2, 1]);
  assert.deepEqual((await user.get(`/api/projects/${fresh.id}/volume?measure=true`)).expect(200).data.usage, usage);
  assert.equal((await user.get(`/api/projects/${fresh.id}/volume`)).expect(200).data.usage, undefined);
});

test('a volume that is gone is said to be', async () => {
  const lost = await user.createProject({ name: 'lost' });
  await server.engine.removeVolume(lost.volumeName);
  for (const path of ['files', 'files/content?path=x', 'export']) (await user.get(`/api/projects/${lost.id}/${path}`)).expect(404, 'volume_missing');
});
