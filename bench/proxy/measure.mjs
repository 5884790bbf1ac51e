// One measurement of one proxy, in a fresh process of it. Each returns numbers by name, and the errors that were seen.
import { secureMeasurements } from './https.mjs';
import { Process, sleep } from './processes.mjs';
import { startPeer } from './peers.mjs';
import { kLarge, kSmall } from './upstream.mjs';

const kWarmUpSeconds = 0.5;
const kIdleSockets = 2000;
const kSettle = 1500; // for allocators that give back late

// Load whose connections stand already. go() lets it begin; its end brings what it reports.
export async function open(bench, mode, options) {
  const words = Object.entries(options).map(([name, value]) => `${name}=${value}`);
  const process = new Process('load', bench.cpus.load, bench.programs.load, [mode, ...words]);
  const first = await process.line();
  return {
    process,
    first, // "open", or a report of what went wrong
    async go() {
      process.child.stdin.end();
      await process.ended;
      const report = first === 'open' ? process.output.at(-1) : first;
      if (!report) throw process.failure('no report');
      return JSON.parse(report);
    },
  };
}

export const load = async (bench, mode, options) => (await open(bench, mode, options)).go();

async function timed(bench, proxy, mode, options) {
  const request = { port: proxy.port, token: bench.token('token'), ...options };
  const warm = await load(bench, mode, { ...request, seconds: kWarmUpSeconds });
  const opened = await open(bench, mode, { ...request, seconds: bench.seconds });
  const before = proxy.cpuSeconds();
  const report = await opened.go();
  const cpu = proxy.cpuSeconds() - before;
  return {
    rate: report.done / report.seconds,
    cpuMicroseconds: (cpu / report.done) * 1e6,
    busy: cpu / report.seconds / bench.workers,
    megabytesPerSecond: report.bytes / report.seconds / 1e6,
    p50: report.p50,
    p99: report.p99,
    errors: { ...warm.errors, ...report.errors },
  };
}

const http = (name, options) => (bench, proxy) => timed(bench, proxy, 'http', { target: bench.path + name, ...options });

async function idle(bench, proxy) {
  const options = { port: proxy.port, target: bench.path, token: bench.token('token') };
  await load(bench, 'websocket', { ...options, connections: 1, seconds: 0.1 });
  await sleep(kSettle);
  const before = proxy.memoryKilobytes();
  const held = await open(bench, 'idle', { ...options, connections: kIdleSockets });
  await sleep(kSettle);
  const kilobytes = (proxy.memoryKilobytes() - before) / kIdleSockets;
  return { kilobytes, errors: (await held.go()).errors };
}

// By the name that --only takes. `behind`: which of the upstreams; `secure`: the proxy speaks TLS.
export const measurements = {
  '1k': { behind: 'http', run: http('1k', { connections: 64, bytes: kSmall }) },
  latency: { behind: 'http', run: http('1k', { connections: 16, bytes: kSmall, rate: 2000 }) },
  '10m': { behind: 'http', run: http('10m', { connections: 8, bytes: kLarge }) },
  websocket: {
    behind: 'echo',
    run: (bench, proxy) => timed(bench, proxy, 'websocket', { target: bench.path, connections: 100, bytes: 64 }),
  },
  idle: { behind: 'echo', run: idle },
  ...secureMeasurements,
};

export async function measure(name, peer, bench) {
  const { behind, secure, run } = measurements[name];
  const tls = secure ? bench.tls : undefined;
  const proxy = await startPeer(peer, { ...bench.place(bench.workers), upstream: bench[behind].port, tls });
  try {
    return await run(bench, proxy);
  } finally {
    await proxy.stop();
  }
}
