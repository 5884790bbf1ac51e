// What happens under clients that behave badly, or are many. Each measures one proxy and returns a row of a table.
import { startPeer } from './peers.mjs';
import { sleep } from './processes.mjs';
import { load, open } from './measure.mjs';
import { kLarge, startEcho } from './upstream.mjs';

const kAbandoned = 5000;
const kPatienceSeconds = 30;
const kSlowReaders = 200;
const kPacedSockets = 2000;
const kPacedBytes = 4000;
const kPacedRate = 10; // messages a second on each: 40 KB/s
const megabytes = (kilobytes) => (kilobytes / 1024).toFixed(1);

const options = (bench, proxy) => ({ port: proxy.port, target: bench.path, token: bench.token('token') });

// Clients that are frozen: no byte, no FIN, no answer to a close frame. Then the application ends (for ours also: its
// workspace is stopped while the application still runs), and all that belongs to them has to go.
async function abandoned(bench, peer, how) {
  const echo = await startEcho(bench.programs.echo, bench.cpus.upstream);
  const proxy = await startPeer(peer, { ...bench.place(bench.workers), upstream: echo.port });
  const look = () => ({ descriptors: proxy.descriptors(), kilobytes: proxy.memoryKilobytes() });
  try {
    await load(bench, 'websocket', { ...options(bench, proxy), connections: 1, seconds: 0.1 });
    await sleep(500);
    const base = look();
    const { process, first } = await open(bench, 'idle', { ...options(bench, proxy), connections: kAbandoned });
    if (first !== 'open') throw new Error(`${peer.name}: ${first}`);
    process.child.kill('SIGSTOP');
    const full = look();
    const began = Date.now();
    if (how === 'stop') proxy.child.kill('SIGUSR1');
    else await echo.stop('SIGKILL');
    const waited = () => (Date.now() - began) / 1000;
    while (proxy.descriptors() > base.descriptors && waited() < kPatienceSeconds) await sleep(100);
    const took = waited();
    await sleep(1000);
    const after = look();
    process.child.kill('SIGKILL');
    const back = after.descriptors <= base.descriptors;
    return [
      how === 'stop' ? `${peer.name}, workspace stopped` : `${peer.name}, application ended`,
      ...[base, full, after].map((each) => `${each.descriptors}`),
      back ? `${took.toFixed(1)} s` : `not in ${kPatienceSeconds} s`,
      ...[base, full, after].map((each) => megabytes(each.kilobytes)),
    ];
  } finally {
    await proxy.stop();
    await echo.stop();
  }
}

async function slowReaders(bench, peer) {
  const proxy = await startPeer(peer, { ...bench.place(bench.workers), upstream: bench.http.port });
  try {
    const request = { ...options(bench, proxy), target: `${bench.path}10m` };
    await load(bench, 'http', { ...request, bytes: kLarge, connections: 1, seconds: 0.2 });
    await sleep(500);
    const base = proxy.memoryKilobytes();
    const held = await open(bench, 'slow', { ...request, connections: kSlowReaders });
    await sleep(1000); // until what is read ahead is read
    const before = proxy.cpuSeconds();
    await sleep(bench.seconds * 1000);
    const cpu = (proxy.cpuSeconds() - before) / bench.seconds;
    const used = proxy.memoryKilobytes() - base;
    const report = await held.go();
    const errors = Object.entries(report.errors).map(([what, count]) => `${count} ${what}`);
    return [peer.name, (used / kSlowReaders).toFixed(1), `${(cpu * 100).toFixed(1)} %`, `${report.done}`, errors.join(', ') || '0'];
  } finally {
    await proxy.stop();
  }
}

async function paced(bench, peer) {
  const proxy = await startPeer(peer, { ...bench.place(bench.workers), upstream: bench.echo.port });
  let watching;
  try {
    await load(bench, 'websocket', { ...options(bench, proxy), connections: 1, seconds: 0.1 });
    await sleep(500);
    const base = proxy.memoryKilobytes();
    let most = base;
    const numbers = { connections: kPacedSockets, bytes: kPacedBytes, rate: kPacedRate, seconds: bench.seconds };
    const opened = await open(bench, 'websocket', { ...options(bench, proxy), ...numbers });
    const before = proxy.cpuSeconds();
    watching = setInterval(() => (most = Math.max(most, proxy.memoryKilobytes())), 500);
    const report = await opened.go();
    const cpu = proxy.cpuSeconds() - before;
    const sent = report.done + (report.lost ?? 0);
    const errors = Object.entries(report.errors).map(([what, count]) => `${count} ${what}`);
    return [
      peer.name,
      `${sent}`,
      `${report.lost ?? '?'}`,
      `${errors.join(', ') || '0'}`,
      ...['p50', 'p99', 'max'].map((each) => `${((report[each] ?? NaN) / 1000).toFixed(1)}`),
      ((cpu / report.done) * 1e6).toFixed(1),
      ((most - base) / kPacedSockets).toFixed(1),
    ];
  } finally {
    clearInterval(watching);
    await proxy.stop();
  }
}

export const scenarios = {
  abandoned: {
    title: `${kAbandoned} WebSockets whose client is frozen`,
    head: ['', 'descriptors: base', 'open', 'after', 'back in', 'MB: base', 'open', 'after'],
    rows: async (bench, peer) => [
      await abandoned(bench, peer, 'end'),
      ...(peer.ours ? [await abandoned(bench, peer, 'stop')] : []),
    ],
  },
  'slow-readers': {
    title: `${kSlowReaders} readers of 10 MB, one byte a second each`,
    head: ['', 'KB/reader', 'CPU', 'bytes read', 'errors'],
    rows: async (bench, peer) => [await slowReaders(bench, peer)],
  },
  paced: {
    title: `${kPacedSockets} WebSockets, ${(kPacedBytes * kPacedRate) / 1000} KB/s each, both ways`,
    head: ['', 'messages', 'lost', 'errors', 'p50 ms', 'p99 ms', 'max ms', 'µs CPU/msg', 'KB/socket at most'],
    rows: async (bench, peer) => [await paced(bench, peer)],
  },
};
