// usage: node bench/boot.mjs [ROUNDS]
// How long from exec to ready on an existing database, and how much memory the idle server holds. Measures the release
// binary (or AGENTDB9_BINARY); prints the medians. Needs no engine.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const rounds = Number(process.argv[2] ?? 11);
const binary =
  process.env.AGENTDB9_BINARY ?? fileURLToPath(new URL('../build/release/agentdb9', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'agentdb9-bench-'));
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

// Ready: the line that says so has come, and /healthz answers.
async function round() {
  const began = performance.now();
  const server = spawn(
    binary,
    ['serve', '--data-dir', join(folder, 'data'), '--listen', '127.0.0.1:0', '--apps-listen', '127.0.0.1:0'],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, AGENTDB9_LOGS_FORMAT: 'json' } },
  );
  let log = '';
  const api = await new Promise((done, fail) => {
    server.stderr.on('data', (text) => {
      log += text;
      const line = log.split('\n').find((each) => each.includes('"event":"serving"'));
      if (line) done(JSON.parse(line).api);
    });
    server.on('exit', () => fail(new Error(`the server ended:\n${log}`)));
  });
  const answer = await fetch(`${api}/healthz`);
  if (!answer.ok) throw new Error(`/healthz answered ${answer.status}`);
  const ready = performance.now() - began;
  await new Promise((done) => setTimeout(done, 1000));
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
  const kilobytes = Number(/^VmRSS:\s+(\d+)/m.exec(status)[1]);
  server.removeAllListeners('exit');
  const ended = new Promise((done) => server.on('exit', done));
  server.kill('SIGTERM');
  await ended;
  return { ready, megabytes: kilobytes / 1024 };
}

try {
  await round(); // makes the database and the first admin
  const results = [];
  for (let i = 0; i < rounds; i += 1) results.push(await round());
  console.log(`boot to ready: ${median(results.map((each) => each.ready)).toFixed(0)} ms (median of ${rounds})`);
  console.log(`idle memory:   ${median(results.map((each) => each.megabytes)).toFixed(1)} MB resident`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
