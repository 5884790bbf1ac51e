// usage: node bench/proxy.mjs [--rounds N] [--seconds S] [--workers 1|2|both] [--only 1k,latency,10m,websocket,idle,
//                              https,https10m,handshake,httpsidle] [--peers nginx,haproxy,haproxy-jwt,caddy,chp,ours] [--quick]
//        node bench/proxy.mjs --scenario abandoned|slow-readers|paced [--workers 1|2|both] [--peers …] [--seconds S]
// Our data plane, which checks a token and the owner on every request, beside proxies that check nothing (haproxy-jwt: the
// token). Installs and builds what is missing, loads 127.0.0.1 only, in interleaved rounds, and prints medians; in brackets
// the ratio to nginx. --quick: one round of two seconds, to try it. Ends with 1 when a round was not valid.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { checkAnswers } from './proxy/answers.mjs';
import { scenarios } from './proxy/extras.mjs';
import { makeCertificate } from './proxy/https.mjs';
import { measure, measurements } from './proxy/measure.mjs';
import { peers as allPeers } from './proxy/peers.mjs';
import { Process, othersShare, placement, processorUse, stopAll } from './proxy/processes.mjs';
import { busyTable, mainTable, table } from './proxy/table.mjs';
import { startEcho, startHttp } from './proxy/upstream.mjs';

const kQuiet = 0.05;
const sources = fileURLToPath(new URL('..', import.meta.url));
const { values: given } = parseArgs({
  options: {
    rounds: { type: 'string' }, seconds: { type: 'string' }, workers: { type: 'string', default: 'both' },
    only: { type: 'string' }, peers: { type: 'string' }, scenario: { type: 'string' }, quick: { type: 'boolean' },
  },
});
const positive = (name, value) => {
  if (value > 0) return value;
  console.error(`error: --${name} is a number above zero`);
  return process.exit(2);
};
const rounds = positive('rounds', Math.floor(given.rounds ?? (given.quick ? 1 : 5)));
const seconds = positive('seconds', Number(given.seconds ?? (given.quick ? 2 : given.scenario ? 15 : 5)));
const workerCounts = given.workers === 'both' ? [1, 2] : [positive('workers', Math.floor(given.workers))];

function chosen(text, known, what) {
  const names = text?.split(',') ?? known;
  const strange = names.filter((each) => !known.includes(each));
  if (strange.length) throw new Error(`there is no ${what} ${strange.join(', ')}; there are ${known.join(', ')}`);
  return known.filter((each) => names.includes(each));
}

function prepare() {
  const only = chosen(given.only, Object.keys(measurements), 'measurement');
  if (given.scenario) chosen(given.scenario, Object.keys(scenarios), 'scenario');
  const output = execFileSync(join(sources, 'bench/proxy/install'), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = output.trim().split('\n');
  const programs = lines.pop();
  if (lines.length) console.error(lines.join('\n'));
  const built = (name) => join(sources, 'build/release/bench', `bench_proxy_${name}`);
  const known = allPeers({ server: built('server'), programs, sources });
  const wanted = chosen(given.peers, known.map((each) => each.name), 'peer');
  const found = [];
  for (const peer of known.filter((each) => wanted.includes(each.name))) {
    peer.found = peer.version();
    if (peer.found) found.push(peer);
    else console.error(`${peer.name} is not installed: the others go on without it`);
  }
  return { only, peers: found, built };
}

async function compare(bench, peers, only) {
  const samples = Object.fromEntries(only.map((name) => [name, {}]));
  let invalid = 0;
  for (const name of only) {
    for (let round = 1; round <= rounds; round += 1) {
      for (const peer of peers.filter((each) => each.secure || !measurements[name].secure)) {
        const { errors, ...numbers } = await measure(name, peer, bench);
        const bad = Object.entries(errors).map(([what, count]) => `${count} × ${what}`);
        invalid += bad.length > 0;
        (samples[name][peer.name] ??= []).push(bad.length ? undefined : numbers);
        const shown = Object.entries(numbers).filter(([, value]) => value !== undefined);
        console.error(`${name} round ${round} ${peer.name}: ${shown.map(([what, value]) => `${what} ${value.toFixed(2)}`).join(', ')}`);
        if (bad.length) console.error(`*** INVALID: ${name}, round ${round}, ${peer.name}: ${bad.join('; ')}`);
      }
    }
  }
  const names = peers.map((each) => each.name);
  console.log(`\n${mainTable(samples, names)}\n\n${busyTable(samples, names)}\n`);
  return invalid;
}

async function runScenario(bench, peers) {
  const { title, head, rows } = scenarios[given.scenario];
  const lines = [];
  let failed = 0;
  for (const peer of peers) {
    try {
      const made = await rows(bench, peer);
      for (const row of made) console.error(row.join(' | '));
      lines.push(...made);
    } catch (error) {
      failed += 1;
      console.error(`*** INVALID: ${error.message}`);
      lines.push([`${peer.name}: INVALID`, ...head.slice(1).map(() => '–')]);
    }
  }
  console.log(`\n${title}\n\n${table(head, lines)}\n`);
  return failed;
}

const began = Date.now();
const folder = mkdtempSync(join(tmpdir(), 'agentdb9-bench-'));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.once(signal, () => stopAll().finally(() => (rmSync(folder, { recursive: true, force: true }), process.exit(130))));
let invalid = 0;
try {
  const { only, peers, built } = prepare();
  const secret = randomBytes(24).toString('hex');
  const server = (...words) => execFileSync(built('server'), words, { encoding: 'utf8' }).trim();
  const path = server('path');
  const tls = makeCertificate(folder);
  for (const workers of workerCounts) {
    const bench = {
      workers, seconds, path, tls, cpus: placement(workers), programs: { load: built('load'), echo: built('echo') },
      token: (kind) => server(kind, secret),
      place: (count) => ({ folder, secret, workers: count, cpus: bench.cpus.proxy }),
    };
    for (const cpu of cpus().keys()) new Process('spin', `${cpu}`, built('load'), ['spin']);
    bench.http = await startHttp(folder, bench.cpus.upstream, workers);
    bench.echo = await startEcho(built('echo'), bench.cpus.upstream);
    const taking = peers.filter((each) => workers <= (each.mostWorkers ?? workers));
    for (const peer of workers === workerCounts[0] ? peers : [])
      console.error(`${peer.name} ${peer.found}: answers as it has to; ${await checkAnswers(peer, bench)}`);
    console.log(`## ${workers} worker${workers > 1 ? 's' : ''}: proxy on processor ${bench.cpus.proxy}, upstream on ${bench.cpus.upstream}, load on ${bench.cpus.load}`);
    const before = processorUse();
    invalid += given.scenario ? await runScenario(bench, taking) : await compare(bench, taking, only);
    const others = othersShare(before);
    console.log(`Other processes took ${Math.round(others * 100)} % of the processors${others > kQuiet ? ': too much for these figures to be more than a try.' : '.'}\n`);
    await stopAll();
  }
  console.log(`${peers.map((each) => `${each.name} ${each.found}`).join(', ')}; node ${process.version}; ${cpus()[0].model} × ${cpus().length}`);
  console.log(`${given.scenario ?? `${rounds} rounds`}, ${seconds} s each; took ${Math.round((Date.now() - began) / 1000)} s`);
  if (invalid) console.log(`*** ${invalid} measurements were not valid and do not count; what went wrong stands above.`);
} catch (error) {
  console.error(`error: ${error.message}`);
  invalid += 1;
} finally {
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = invalid ? 1 : 0;
