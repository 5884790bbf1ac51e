// usage: node bench/backup.mjs [ROUNDS [FILES [MEGABYTES]]]
// What a backup costs beside `tar | zstd` on the volume's own directory. Interleaved rounds over one project of
// FILES files (10,000) and MEGABYTES in all (1,000), half of which compress well:
//   tar      tar -C DIRECTORY -c . | zstd -3 > FILE
//   backup   POST /api/projects/:id/backups: copy, compress, flush to the disk, read back and check
//   untar    zstd -d < FILE | tar -C NEW -x
//   restore  POST /api/projects/:id/restore: check, make a volume, unpack, change over
// Prints medians, the ratio of medians, and the server's peak memory. Needs the engine on this machine, to write into its
// volumes' directories, tar, zstd, and the release binary, or AGENTDB9_BINARY.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [rounds, files, megabytes] = [Number(process.argv[2] ?? 5), Number(process.argv[3] ?? 10_000), Number(process.argv[4] ?? 1_000)];
const binary = process.env.AGENTDB9_BINARY ?? fileURLToPath(new URL('../build/release/agentdb9', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'agentdb9-bench-'));
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

const environment = { ...process.env, AGENTDB9_ADMIN_EMAIL: 'a@example.test', AGENTDB9_ADMIN_PASSWORD: 'a bench needs one' };
const server = spawn(binary, ['serve', '--listen', '127.0.0.1:0', '--apps-listen', '127.0.0.1:0', '--data-dir', join(folder, 'data')], {
  env: environment, stdio: ['ignore', 'ignore', 'pipe'],
});
const ended = new Promise((done) => server.on('close', done));
const base = await new Promise((done, fail) => {
  let log = '';
  server.stderr.on('data', (piece) => {
    log += piece;
    const line = log.split('\n').find((each) => each.includes('"event":"serving"'));
    if (line) done(JSON.parse(line).api);
  });
  ended.then(() => fail(new Error(log)));
});

let token;
async function api(method, path, body) {
  const headers = { ...(token ? { authorization: `Bearer ${token}` } : {}), ...(body ? { 'content-type': 'application/json' } : {}) };
  const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body) });
  const parsed = await answer.json();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(parsed)}`);
  return parsed.data ?? parsed;
}
// One that takes longer than the API waits for goes on: its end is waited for.
async function work(project, path, body) {
  const answer = await api('POST', `/api/projects/${project}${path}`, body);
  if (!('phase' in answer)) return answer;
  for (;;) {
    const found = (await api('GET', `/api/projects/${project}/operations`)).find((each) => each.id === answer.id);
    if (found.state === 'failed') throw new Error(found.error);
    if (found.finishedAt) return api('GET', `/api/projects/${project}${found.kind === 'backup' ? `/backups/${found.backupId}` : ''}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
const peakMegabytes = () => Math.round(Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))[1]) / 1024);

function fill(root) {
  const size = Math.floor((megabytes * 1e6) / files);
  const words = Buffer.from('the quick brown fox jumps over the lazy dog; '.repeat(Math.ceil(size / 45)));
  for (let i = 0; i < files; ++i) {
    if (i % 100 === 0) mkdirSync(join(root, `d${i / 100}`));
    const half = Math.floor(size / 2);
    writeFileSync(join(root, `d${Math.floor(i / 100)}`, `f${i}`), Buffer.concat([randomBytes(half), words.subarray(0, size - half)]));
  }
}

const times = { tar: [], backup: [], untar: [], restore: [] };
async function timed(name, action) {
  execFileSync('sync');
  const began = performance.now();
  const result = await action();
  times[name].push((performance.now() - began) / 1000);
  return result;
}

let project;
try {
  token = (await api('POST', '/api/auth/login', { email: environment.AGENTDB9_ADMIN_EMAIL, password: environment.AGENTDB9_ADMIN_PASSWORD })).accessToken;
  project = await api('POST', '/api/projects', { name: 'bench' });
  fill(project.volumePath);
  const idle = peakMegabytes();
  const [archive, target] = [join(folder, 'tar.zst'), join(folder, 'untar')];
  const shell = (line) => execFileSync('bash', ['-c', `set -o pipefail; ${line}`], { env: { ...process.env, archive, target, volume: project.volumePath } });
  // With what a backup promises: that it is on the disk.
  const byTar = () => timed('tar', () => shell('tar -C "$volume" -c . | zstd -3 -q -f -o "$archive" && sync "$archive"'));
  let backup;
  const byServer = async () => (backup = await timed('backup', () => work(project.id, '/backups', {})));
  for (let round = 0; round < rounds; ++round) {
    if (round % 2 === 0) await byTar(), await byServer();
    else await byServer(), await byTar();
    if (round + 1 < rounds) await api('DELETE', `/api/projects/${project.id}/backups/${backup.id}`);
  }
  const afterBackups = peakMegabytes();
  for (let round = 0; round < rounds; ++round) {
    mkdirSync(target);
    await timed('untar', () => shell('zstd -d -q -c "$archive" | tar -C "$target" -x && sync'));
    rmSync(target, { recursive: true });
    await timed('restore', () => work(project.id, '/restore', { backupId: backup.id }));
    for (const each of await api('GET', '/api/trash')) await api('DELETE', `/api/trash/${each.id}`);
  }
  const show = (name) => `${name.padEnd(8)} ${median(times[name]).toFixed(2).padStart(7)} s   (${times[name].map((each) => each.toFixed(2)).join(' ')})`;
  console.log(`${files} files, ${megabytes} MB; archives: tar ${(statSync(archive).size / 1e6).toFixed(0)} MB, backup ${(backup.sizeBytes / 1e6).toFixed(0)} MB`);
  console.log([show('tar'), show('backup'), `backup / tar: ${(median(times.backup) / median(times.tar)).toFixed(2)}`].join('\n'));
  console.log([show('untar'), show('restore'), `restore / untar: ${(median(times.restore) / median(times.untar)).toFixed(2)}`].join('\n'));
  console.log(`server's memory at its peak: ${idle} MB idle, ${afterBackups} MB after the backups, ${peakMegabytes()} MB after the restores`);
} finally {
  if (project) {
    await api('DELETE', `/api/projects/${project.id}`).catch((error) => console.error(error.message));
    for (const each of await api('GET', '/api/trash')) await api('DELETE', `/api/trash/${each.id}`).catch((error) => console.error(error.message));
  }
  server.kill('SIGTERM');
  await ended;
  rmSync(folder, { recursive: true, force: true });
}
