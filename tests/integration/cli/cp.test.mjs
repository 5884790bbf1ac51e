// agentdb9 cp: files into a running workspace and out of it, by the API's streams, on a real server and engine.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { exec } from '../../support/commands.mjs';
import { eventually } from '../../support/eventually.mjs';
import { Person } from '../../support/person.mjs';
import { binary, startServer } from '../../support/server.mjs';

let server;
let person;
let api;
let workspace;
let folder;
before(async () => {
  server = await startServer();
  api = await server.user();
  person = new Person();
  await person.login(server, api);
  workspace = await api.createWorkspace({ type: 'vscode', name: 'editor' });
  await api.start(workspace.id);
  folder = mkdtempSync(join(tmpdir(), 'agentdb9-cp-test-'));
});
after(async () => {
  execFileSync('chmod', ['-R', 'u+rwX', folder]);
  rmSync(folder, { recursive: true, force: true });
  await server.close();
});

const here = (...parts) => join(folder, ...parts);
const cp = (...words) => person.run('cp', ...words);
/** A shell's text in the workspace; its output. */
async function inside(text) {
  const data = await exec(api, workspace, ['sh', '-c', text]);
  assert.equal(data.exitCode, 0, `${text}: ${data.stderr}`);
  return data.stdout;
}
/** The same on this machine, where names of any bytes can be written. */
const shell = (text) => execFileSync('sh', ['-c', text], { cwd: folder, env: { ...person.environment, AGENTDB9: binary } }).toString('latin1');
const nothingIsLeft = async () => assert.equal(await inside("find /workspace ~ -name '.agentdb9-copy-*'"), '');

test('a tree goes in and comes out the same: odd names, empty directories, modes, times, links', async () => {
  shell(String.raw`mkdir -p 'tree/a b/empty' && printf one > 'tree/a b/line
break' && printf two > "$(printf 'tree/\377\376')" && printf x > tree/-rf && ln -s /etc/passwd tree/out && ln -s 'a b' tree/in &&
    chmod 750 'tree/a b' && chmod 555 'tree/a b/empty' && chmod 601 tree/-rf && touch -d 2020-01-02T03:04:05Z tree/-rf && touch -d 2021-01-02T03:04:05Z tree`);
  assert.match((await cp(here('tree'), 'editor:')).expect(0).stdout, /^Copied 5 files, 7 B, to 'editor'\.\n$/);
  assert.equal(await inside('stat -c "%a %Y %U" tree/-rf'), '601 1577934245 workspace\n');
  assert.equal(await inside('cat "tree/a b/line\nbreak"; readlink tree/out'), 'one/etc/passwd\n');
  (await cp('editor:tree', here('back'))).expect(0);
  // Times of directories are as the image's tar keeps them.
  const look = "find . -type f -printf '%P %y %m %T@\\n' -o -printf '%P %y %m %l\\n' | sort";
  shell(`cd tree && ${look} > ../one; cd ../back && ${look} > ../two`);
  const whole = (name) => readFileSync(here(name), 'latin1').replace(/(\d+)\.\d+/g, '$1');
  assert.equal(whole('two'), whole('one'));
  shell('diff -r --no-dereference tree back');
  await nothingIsLeft();
});

test('where it goes: into a directory that is there, else under the new name', async () => {
  writeFileSync(here('notes'), 'text');
  await inside('mkdir -p place');
  (await cp(here('notes'), 'editor:place')).expect(0);
  (await cp(here('notes'), 'editor:place/other')).expect(0);
  (await cp(here('notes'), 'editor:~/in-the-home')).expect(0);
  (await cp(here('notes'), here('tree'), 'editor:place/')).expect(0);
  assert.equal(await inside('cat place/notes place/other ~/in-the-home; ls place'), 'texttexttextnotes\nother\ntree\n');
  // What is there is filled, and what it does not meet stays.
  await inside('printf mine > place/tree/mine');
  (await cp(here('tree'), 'editor:place')).expect(0);
  assert.equal(await inside('cat place/tree/mine'), 'mine');
  mkdirSync(here('into'));
  (await cp('editor:place/notes', 'editor:~/in-the-home', here('into'))).expect(0);
  assert.deepEqual(readdirSync(here('into')).sort(), ['in-the-home', 'notes']);
  (await cp('editor:place/notes', here('renamed'))).expect(0);
  assert.equal(readFileSync(here('renamed'), 'utf8'), 'text');
  assert.deepEqual((await cp('editor:place/notes', here('into'), '--json')).expect(0).json, { files: 1, bytes: 4 });
});

test('standard input and output', async () => {
  (await person.runWith('piped in', 'cp', '-', 'editor:from input')).expect(0);
  assert.equal((await cp('editor:from input', '-')).expect(0).stdout, 'piped in');
  assert.match((await cp('editor:place', '-')).expect(1).stderr, /Only a file/);
  assert.match((await cp('-', here('notes'), 'editor:')).expect(2).stderr, /alone/);
});

test('nothing outside of the project and the home, by no path and no link', async () => {
  for (const path of ['/etc/passwd', '../etc/passwd', '~/../other', '/workspaces', '/'])
    assert.match((await cp(`editor:${path}`, here('never'))).expect(2).stderr, /must lie in the project/);
  await inside('ln -s /tmp out; ln -s /etc/hostname file; mkdir -p real; ln -s real alias');
  assert.match((await cp('editor:out/x', here('never'))).expect(2).stderr, /by a link, out of the project/);
  assert.match((await cp(here('notes'), 'editor:out')).expect(2).stderr, /by a link, out of the project/);
  assert.match((await cp(here('notes'), 'editor:out/notes')).expect(2).stderr, /by a link, out of the project/);
  assert.equal(await inside('ls /tmp | grep -c notes || true'), '0\n');
  // A link is copied as one; one that is in the way of a file is replaced, and not written through.
  (await cp('editor:file', here('link'))).expect(0);
  assert.equal(shell('readlink link').trim(), '/etc/hostname');
  (await cp(here('notes'), 'editor:file')).expect(0);
  assert.equal(await inside('cat file; test -L file || echo replaced'), 'textreplaced\n');
  // A link that stays inside leads there.
  (await cp(here('notes'), 'editor:alias')).expect(0);
  assert.equal(await inside('cat real/notes'), 'text');
  assert.ok(!existsSync(here('never')));
  await nothingIsLeft();
});

test('what a copy meets: files and directories do not take one another\'s place', async () => {
  await inside('mkdir -p meet/notes; printf file > meet/tree');
  assert.match((await cp(here('notes'), 'editor:meet')).expect(1).stderr, /a file where a directory is/);
  assert.match((await cp(here('tree'), 'editor:meet')).expect(1).stderr, /where a file or link is/);
  assert.equal(await inside('cat meet/tree; ls meet/notes'), 'file');
  symlinkSync(tmpdir(), here('into', 'place'));
  assert.match((await cp('editor:place', here('into'))).expect(1).stderr, /nothing is written through it/);
  await nothingIsLeft();
});

test('mistakes are told with what to do', async () => {
  for (const [words, code, said] of [
    [['editor:none', here('never')], 3, /no file or directory of this path/],
    [[here('none'), 'editor:'], 3, /cannot be read: No such file/],
    [[here('notes'), 'editor:none/deeper'], 1, /make it first/],
    [[here('notes'), 'editor:none/'], 1, /make it first/],
    [[here('notes'), here('other')], 2, /names a workspace/],
    [['editor:a', 'editor:b'], 2, /in two steps/],
    [[here('notes'), 'nobodys:'], 3, /No workspace of yours/],
    [['editor:notes', `${here('none')}/`], 2, /is no directory/],
    [[here('notes')], 2, /Name what is to be copied/],
  ]) assert.match((await cp(...words)).expect(code).stderr, said);
  const stopped = await api.createWorkspace({ type: 'spreadsheet', name: 'resting' });
  assert.match((await cp(here('notes'), 'resting:')).expect(1).stderr, /not running/);
  assert.match((await cp('resting:a', here('never'))).expect(1).stderr, /not running/);
  assert.ok(stopped.id);
  await inside('mkdir -p closed && printf x > closed/file && chmod 000 closed/file');
  assert.match((await cp('editor:closed', here('never'))).expect(4).stderr, /before it was whole.*exec editor -- tar/);
  await inside('chmod 600 closed/file; chmod 555 closed');
  assert.match((await cp(here('notes'), 'editor:closed')).expect(1).stderr, /may not write there/);
  await inside('chmod 755 closed');
});

test('another user\'s workspace is not there, whatever the path', async () => {
  const stranger = await server.user();
  for (const path of ['a', '../etc', ''])
    (await stranger.get(`/api/workspaces/${workspace.id}/files?path=${encodeURIComponent(path)}`)).expect(404, 'workspace_not_found');
  (await stranger.send('PUT', `/api/workspaces/${workspace.id}/files?path=a`, { body: 'x', headers: { 'Content-Type': 'application/x-tar' } })).expect(404, 'workspace_not_found');
  (await server.nobody().get(`/api/workspaces/${workspace.id}/files?path=a`)).expect(401);
  (await api.get(`/api/workspaces/${workspace.id}/files`)).expect(400, 'invalid_field');
  (await api.send('PUT', `/api/workspaces/${workspace.id}/files?path=a`, { body: 'no tar at all'.repeat(100), headers: { 'Content-Type': 'application/x-tar' } })).expect(409);
  await nothingIsLeft();
});

test('one that breaks off leaves nothing under its name', async () => {
  await inside('printf before > broken');
  const url = new URL(server.api);
  const tar = execFileSync('tar', ['-cf', '-', '-C', folder, 'notes']);
  const call = request({ host: url.hostname, port: url.port, method: 'PUT', path: `/api/workspaces/${workspace.id}/files?path=broken`,
    headers: { Authorization: `Bearer ${api.token}`, 'Content-Type': 'application/x-tar', 'Transfer-Encoding': 'chunked' } });
  call.on('error', () => {});
  // All of the file has come, but not the archive's end.
  call.write(tar.subarray(0, 1024));
  await eventually('it to be unpacked', async () => (await inside("find . -maxdepth 1 -name '.agentdb9-copy-*'")) !== '');
  call.destroy();
  await eventually('what had come to be gone', async () => (await inside("find . -maxdepth 1 -name '.agentdb9-copy-*'")) === '');
  assert.equal(await inside('cat broken'), 'before');
});

test('Ctrl-C leaves nothing half, on either side', async () => {
  writeFileSync(here('big'), '');
  truncateSync(here('big'), 4e9);
  const child = spawn(binary, ['cp', here('big'), 'editor:big'], { env: person.environment, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.on('close', resolve));
  await eventually('it to have begun', async () => (await inside("find . -maxdepth 1 -name '.agentdb9-copy-*'")) !== '');
  child.kill('SIGINT');
  assert.equal(await ended, 130);
  await eventually('what had come to be gone', async () => (await inside("find . -maxdepth 1 -name '.agentdb9-copy-*'")) === '');
  assert.equal(await inside('test -e big || echo none'), 'none\n');
  await inside('mkdir -p out-of; truncate -s 4000000000 out-of/big');
  const back = spawn(binary, ['cp', 'editor:out-of', here('half')], { env: person.environment, stdio: 'ignore' });
  const gone = new Promise((resolve) => back.on('close', resolve));
  await eventually('it to have begun', () => existsSync(here('half')) && readdirSync(here('half')).length > 0);
  back.kill('SIGINT');
  assert.equal(await gone, 130);
  assert.deepEqual(readdirSync(here('half')), []);
});
