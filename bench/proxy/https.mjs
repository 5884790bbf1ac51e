// The same requests by https: what TLS costs a proxy, for each request, each handshake and each idle connection. The
// load is wrk, which has TLS and, unlike our own, knows no bodies: only statuses and broken connections are errors.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { Process, sleep } from './processes.mjs';

const kIdleConnections = 1000;
const kSettle = 1500; // for allocators that give back late
const kAtOnce = 50;

// A certificate of the kind that most servers have: P-256, signed by itself.
export function makeCertificate(folder) {
  const files = { certificate: join(folder, 'certificate.pem'), key: join(folder, 'key.pem') };
  const subject = ['-subj', '/CN=127.0.0.1', '-days', '2'];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', ['req', ...kind, ...subject, '-keyout', files.key, '-out', files.certificate], { stdio: 'ignore' });
  return files;
}

const number = (pattern, text) => Number(pattern.exec(text)?.[1] ?? 0);
const units = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 };

function parse(text) {
  const [, done, seconds, amount, unit] = /(\d+) requests in ([\d.]+)s, ([\d.]+)([KMG]?B) read/.exec(text) ?? [];
  if (!done) throw new Error(`wrk says: ${text}`);
  const errors = {};
  const refused = number(/Non-2xx or 3xx responses: (\d+)/, text);
  if (refused) errors['other status'] = refused;
  const [, connecting, reading, writing, late] = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text) ?? [];
  const broken = Number(connecting ?? 0) + Number(reading ?? 0) + Number(writing ?? 0) + Number(late ?? 0);
  if (broken) errors['broken connection'] = broken;
  return { done: Number(done), seconds: Number(seconds), bytes: Number(amount) * units[unit], errors };
}

const request = (bench, proxy, name) => ({ address: `https://127.0.0.1:${proxy.port}${bench.path}${name}`, authorization: `Bearer ${bench.token('token')}` });

async function wrk(bench, proxy, { name, connections, close }, seconds) {
  const { address, authorization } = request(bench, proxy, name);
  const headers = ['-H', `Authorization: ${authorization}`, ...(close ? ['-H', 'Connection: close'] : [])];
  const load = new Process('wrk', bench.cpus.load, 'wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, ...headers, address]);
  await load.ended;
  return parse(load.output.join('\n') + load.errors);
}

const timed = (options) => async (bench, proxy) => {
  const warm = await wrk(bench, proxy, options, 1);
  const before = proxy.cpuSeconds();
  const report = await wrk(bench, proxy, options, Math.ceil(bench.seconds));
  const cpu = proxy.cpuSeconds() - before;
  return {
    rate: report.done / report.seconds,
    cpuMicroseconds: (cpu / report.done) * 1e6,
    busy: cpu / report.seconds / bench.workers,
    megabytesPerSecond: report.bytes / report.seconds / 1e6,
    errors: { ...warm.errors, ...report.errors },
  };
};

// One request on a connection of its own, which stays.
function keepOpen(bench, proxy) {
  const { address, authorization } = request(bench, proxy, '1k');
  const { pathname } = new URL(address);
  return new Promise((done, fail) => {
    const socket = connect({ host: '127.0.0.1', port: proxy.port, rejectUnauthorized: false });
    socket.once('secureConnect', () => socket.write(`GET ${pathname} HTTP/1.1\r\nHost: app.example.test\r\nAuthorization: ${authorization}\r\n\r\n`));
    socket.once('data', (bytes) => (bytes.toString().startsWith('HTTP/1.1 200') ? done(socket) : fail(new Error(bytes.toString().split('\r\n')[0]))));
    socket.once('error', fail);
  });
}

async function idle(bench, proxy) {
  (await keepOpen(bench, proxy)).destroy();
  await sleep(kSettle);
  const before = proxy.memoryKilobytes();
  const sockets = [];
  while (sockets.length < kIdleConnections)
    sockets.push(...(await Promise.all(Array.from({ length: kAtOnce }, () => keepOpen(bench, proxy)))));
  await sleep(kSettle);
  const kilobytes = (proxy.memoryKilobytes() - before) / kIdleConnections;
  const gone = sockets.filter((each) => each.destroyed || each.readyState !== 'open').length;
  for (const socket of sockets) socket.destroy();
  return { kilobytes, errors: gone ? { 'closed while idle': gone } : {} };
}

// As in measure.mjs.
export const secureMeasurements = {
  https: { behind: 'http', secure: true, run: timed({ name: '1k', connections: 64 }) },
  https10m: { behind: 'http', secure: true, run: timed({ name: '10m', connections: 8 }) },
  handshake: { behind: 'http', secure: true, run: timed({ name: '1k', connections: 16, close: true }) },
  httpsidle: { behind: 'http', secure: true, run: idle },
};
