// A database that fails, vanishes or is not ours: the server says so, does not crash, and recovers.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

import { eventually } from '../../support/eventually.mjs';
import { binary, startServer } from '../../support/server.mjs';

let server, user, file;
beforeEach(async () => {
  server = await startServer();
  user = await server.user();
  file = join(server.dataDir, 'agentdb9.db');
});
afterEach(() => server.close());

const aside = () => join(server.directory, 'aside');
// The database's files, moved elsewhere and back, as when a disk is exchanged.
function move(from, to) {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from).filter((each) => each.startsWith('agentdb9.db') && !each.endsWith('.lock'))) renameSync(join(from, name), join(to, name));
}

async function saysSo() {
  await eventually('/readyz to say so', async () => {
    const { status, body } = await user.get('/readyz');
    return status === 503 && body.checks.database.status === 'down';
  });
  (await user.get('/healthz')).expect(200);
  for (const answer of [await user.get('/api/projects'), await user.post('/api/projects', { name: 'x' }), await server.nobody().post('/api/auth/login', { email: 'a@example.test', password: 'x' })]) {
    answer.expect(503, 'database_unavailable');
    assert.ok(!/sqlite|SQL|\.db/i.test(answer.body.message), answer.body.message);
  }
}
async function recovers() {
  await eventually('it to recover', async () => (await user.get('/readyz')).status === 200);
  assert.equal(server.process.exitCode, null, 'the same process');
  (await user.get('/api/auth/profile')).expect(200);
  await user.createProject();
}

test('the file vanishes and comes back', async () => {
  move(server.dataDir, aside());
  await saysSo();
  assert.ok(!existsSync(file), 'no empty database in its place');
  move(aside(), server.dataDir);
  await recovers();
});

test('something else lies in its place', async () => {
  for (const put of [() => writeFileSync(file, 'not a database at all '.repeat(1000)), () => writeFileSync(file, ''), () => mkdirSync(file)]) {
    move(server.dataDir, aside());
    put();
    await saysSo();
    rmSync(file, { recursive: true, force: true });
    for (const name of readdirSync(server.dataDir).filter((each) => /\.db-(wal|shm|journal)$/.test(each))) rmSync(join(server.dataDir, name));
    move(aside(), server.dataDir);
    await recovers();
  }
});

test('somebody else holds it: calls wait, then say so, then work again', async () => {
  const holder = spawn('sqlite3', [file], { stdio: ['pipe', 'pipe', 'inherit'] });
  const held = new Promise((resolve) => holder.stdout.once('data', resolve));
  holder.stdin.write("BEGIN IMMEDIATE;\nSELECT 'held';\n");
  await held;
  const began = Date.now();
  (await user.post('/api/projects', { name: 'x' })).expect(503, 'database_unavailable');
  assert.ok(Date.now() - began < 15_000);
  (await user.get('/api/projects')).expect(200);
  holder.stdin.end('ROLLBACK;\n');
  await new Promise((resolve) => holder.on('close', resolve));
  await recovers();
});

test('a workspace that runs goes on answering while the database is away', async () => {
  const workspace = await user.createWorkspace();
  await user.start(workspace.id);
  (await user.application('GET', workspace.id, '/env')).expect(200);
  move(server.dataDir, aside());
  await saysSo();
  (await user.application('GET', workspace.id, '/env')).expect(200);
  (await user.post(`/api/workspaces/${workspace.id}/stop`)).expect(503, 'database_unavailable');
  move(aside(), server.dataDir);
  await recovers();
  await user.stop(workspace.id);
});

test('a database of a newer version is refused, and left as it is', async () => {
  await server.terminate();
  const [table] = server.query("SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '%migration%'").split('\n');
  const columns = server.query(`SELECT group_concat(name) FROM pragma_table_info('${table}')`).split(',');
  const row = server.query(`SELECT * FROM ${table} ORDER BY 1 DESC LIMIT 1`).split('|');
  const newer = columns.map((_, index) => (index === 0 ? (/^\d+$/.test(row[0]) ? '9999' : "'9999_breaking_future'") : `'${/^\d{4}_/.test(row[index]) ? '9999_breaking_future' : row[index]}'`));
  server.query(`INSERT INTO ${table} VALUES (${newer.join()})`);
  copyFileSync(file, aside());
  for (const command of ['serve', 'migrate']) {
    const { words, environment } = server.command(command);
    const result = spawnSync(binary, words, { env: environment, encoding: 'utf8', timeout: 20_000 });
    assert.equal(result.status, 1, `${command}: ${result.stderr}`);
    assert.match(result.stderr, /newer/);
  }
  assert.equal(spawnSync('cmp', [file, aside()]).status, 0);
});
