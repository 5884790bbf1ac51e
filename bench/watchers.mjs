// usage: node bench/watchers.mjs [N [SECONDS]]
// What watching costs: N watchers (1000) follow the log of one workspace, which prints 20 lines of 100 bytes a second, for SECONDS
// (20). Told are the processor time and memory of the server and of the engine, how many streams of the engine's the watchers take,
// and whether each got every line. The same with a tenth of the watchers by `docker logs -f`, the engine's own way, for the cost of one.
// At last nobody watches: the streams of the engine's then. Needs what bench/lifecycle.mjs needs, and the program docker.
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import http from 'node:http';

import { BenchServer, engine, network, testType } from './support.mjs';

const count = Number(process.argv[2] ?? 1000);
const seconds = Number(process.argv[3] ?? 20);
const perSecond = 20;
const server = new BenchServer();
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

const ticks = (pid) => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
};
const resident = (pid) => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
const enginePid = Number(readFileSync('/var/run/docker.pid', 'utf8'));

async function metric(name, of) {
  const answer = await fetch(new URL('/metrics', server.base));
  return Number(new RegExp(`^${name}\\{of="${of}"\\} (\\S+)$`, 'm').exec(await answer.text())[1]);
}
async function until(what, predicate) {
  for (let tries = 0; !(await predicate()); tries += 1) {
    if (tries > 600) throw new Error(`${what} did not come about`);
    await pause(100);
  }
}

const mark = Buffer.from('a line that is followed');
function countLines(watcher, piece) {
  const bytes = watcher.rest ? Buffer.concat([watcher.rest, piece]) : piece;
  let at = 0;
  for (let found = bytes.indexOf(mark); found >= 0; found = bytes.indexOf(mark, at)) {
    watcher.lines += 1;
    at = found + mark.length;
  }
  watcher.rest = bytes.subarray(Math.max(at, bytes.length - mark.length + 1));
}

function follow(path) {
  return new Promise((done, fail) => {
    const watcher = { lines: 0 };
    const call = http.get({ host: server.base.hostname, port: server.base.port, path, agent: false, headers: { authorization: `Bearer ${server.token}` } }, (answer) => {
      if (answer.statusCode !== 200) return fail(new Error(`${path}: ${answer.statusCode}`));
      answer.on('data', (piece) => countLines(watcher, piece));
      answer.on('error', () => {});
      return done(watcher);
    });
    call.on('error', fail);
    watcher.close = () => call.destroy();
  });
}

function followByClient(container) {
  const watcher = { lines: 0 };
  const child = spawn('docker', ['logs', '-f', '--tail', '0', container], { stdio: ['ignore', 'pipe', 'ignore'] });
  child.stdout.on('data', (piece) => countLines(watcher, piece));
  watcher.close = () => new Promise((ended) => child.on('exit', ended).kill('SIGTERM'));
  return watcher;
}

/** Prints for a while; what that cost the server and the engine, in seconds of processor time, and how many lines there were. */
async function print(container) {
  const before = { server: server.processor(), engine: ticks(enginePid) };
  const lines = perSecond * seconds;
  const script = `exec >/proc/1/fd/1; i=0; while [ $i -lt ${lines} ]; do echo "a line that is followed $i ${'x'.repeat(70)}"; i=$((i+1)); sleep ${1 / perSecond}; done`;
  execFileSync('docker', ['exec', '-d', container, 'sh', '-c', script]);
  await pause((seconds + 1) * 1000);
  return { lines, server: server.processor() - before.server, engine: ticks(enginePid) - before.engine };
}

const allGot = (watchers, lines) => until('that each watcher has every line', () => watchers.every((each) => each.lines >= lines));
function told(what, watchers, cost) {
  if (!watchers.length) return console.log(`${what}: server ${cost.server.toFixed(2)} s, engine ${cost.engine.toFixed(2)} s; ${cost.lines} lines in ${seconds} s`);
  const lost = watchers.filter((each) => each.lines !== cost.lines).length;
  const each = (cpu) => `${cpu.toFixed(2)} s, ${((cpu * 1e6) / watchers.length / cost.lines).toFixed(1)} µs a line and watcher`;
  return console.log(`${what}: server ${each(cost.server)}; engine ${each(cost.engine)}; ${cost.lines} lines in ${seconds} s, ${lost} of ${watchers.length} watchers without some`);
}

try {
  await server.start(testType('plain'));
  const { data } = await server.call('POST', '/api/workspaces', { type: 'plain', name: 'watched' });
  await server.call('POST', `/api/workspaces/${data.id}/start`);
  const [container] = (await engine('GET', `/containers/json?filters=${encodeURIComponent(JSON.stringify({ network: [network] }))}`)).map((each) => each.Id);
  const streams = () => metric('agentdb9_monitoring_engine_streams', 'log');

  told('nobody watches', [], await print(container));
  const memory = { server: server.memory(), engine: resident(enginePid) };
  const watchers = [];
  while (watchers.length < count) watchers.push(...(await Promise.all(Array.from({ length: Math.min(50, count - watchers.length) }, () => follow(`/api/workspaces/${data.id}/logs/stream?tail=0`)))));
  await until('the watchers', async () => (await metric('agentdb9_monitoring_watchers', 'log')) === count);
  await until('the stream of the engine\'s', async () => (await streams()) > 0);
  await pause(1000);
  console.log(`${count} watchers: ${await streams()} stream of the engine's; memory of the server ${memory.server} → ${server.memory()} KB, ` +
    `${((server.memory() - memory.server) / count).toFixed(1)} KB each; of the engine ${memory.engine} → ${resident(enginePid)} KB`);
  const cost = await print(container);
  await allGot(watchers, cost.lines);
  told(`${count} watchers`, watchers, cost);
  console.log(`memory of the server with them: ${server.memory()} KB`);
  for (const each of watchers) each.close();
  await until('that nobody watches', async () => (await streams()) === 0);
  console.log(`nobody watches any more: ${await streams()} streams of the engine's`);

  const clients = Array.from({ length: Math.ceil(count / 10) }, () => followByClient(container));
  await pause(5000);
  const byClient = await print(container);
  await allGot(clients, byClient.lines);
  told(`${clients.length} × docker logs -f`, clients, byClient);
  await Promise.all(clients.map((each) => each.close()));
} finally {
  await server.close();
}
