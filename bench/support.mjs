// What the measurements of the lifecycle share: a release server of their own, its API, and the engine's.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const binary = process.env.AGENTDB9_BINARY ?? fileURLToPath(new URL('../build/release/agentdb9', import.meta.url));
const socketPath = (process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock').replace(/^unix:\/\//, '');
export const network = `agentdb9_bench_${process.pid}`;

const agent = new http.Agent({ keepAlive: true });

function safeParse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function request(options, body) {
  return new Promise((done, fail) => {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const call = http.request(
      { agent, ...options, headers: { ...options.headers, ...(text ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } : {}) } },
      (answer) => {
        let received = '';
        answer.on('data', (piece) => (received += piece));
        answer.on('end', () => done({ status: answer.statusCode, body: received ? safeParse(received) : null }));
      },
    );
    call.on('error', fail);
    call.end(text);
  });
}

export const median = (values) => quantile(values, 0.5);
export const quantile = (values, share) => values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))];

export async function timed(work) {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** A call of the engine's; throws where it refuses. */
export async function engine(method, path, body) {
  const answer = await request({ socketPath, method, path: `/v1.41${path}` }, body);
  if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** Waits until the test application answers at an address; asks every 5 ms. */
export async function answers(address) {
  for (;;) {
    const ok = await request({ host: address, port: 8080, path: '/healthz', method: 'GET', timeout: 1000 }).then(
      (answer) => answer.status < 500,
      () => false,
    );
    if (ok) return;
    await new Promise((done) => setTimeout(done, 5));
  }
}

/** The section of a type on the test application. */
export const testType = (name, more = '') =>
  `[workspaceTypes.${name}]\nname = "${name}"\ncontainerImage = "agentdb9/testapp:local"\ndefaultPort = 8080\ncommand = []\n${more}` +
  `[workspaceTypes.${name}.healthCheck]\npath = "/healthz"\n`;

export class BenchServer {
  folder = mkdtempSync(join(tmpdir(), 'agentdb9-bench-'));

  /** With these types on a network of its own; signed in as its admin. */
  async start(types) {
    writeFileSync(join(this.folder, 'config.toml'), `${types}[docker]\nnetwork = "${network}"\n[auth]\nregistration = "open"\nrateLimit = false\n`);
    this.process = spawn(
      binary,
      ['serve', '--config', join(this.folder, 'config.toml'), '--data-dir', join(this.folder, 'data'), '--listen', '127.0.0.1:0', '--apps-listen', '127.0.0.1:0'],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, AGENTDB9_LOGS_FORMAT: 'json', AGENTDB9_ADMIN_EMAIL: 'bench@example.org', AGENTDB9_ADMIN_PASSWORD: 'bench-password' },
      },
    );
    this.exited = new Promise((done) => this.process.once('exit', done));
    let log = '';
    const api = await new Promise((done, fail) => {
      this.process.stderr.on('data', (text) => {
        log += text;
        const line = log.split('\n').slice(0, -1).find((each) => each.includes('"event":"serving"'));
        if (line) done(JSON.parse(line).api);
        if (log.length > 20_000) log = log.slice(log.lastIndexOf('\n', log.length - 10_000) + 1);
      });
      this.exited.then(() => fail(new Error(`the server ended:\n${log}`)));
    });
    this.base = new URL(api);
    this.token = (await this.call('POST', '/api/auth/login', { email: 'bench@example.org', password: 'bench-password' })).accessToken;
    return this;
  }

  /** A call of the API; throws where it refuses. */
  async call(method, path, body, headers = {}) {
    const authorization = this.token ? { authorization: `Bearer ${this.token}` } : {};
    const answer = await request({ host: this.base.hostname, port: this.base.port, method, path, headers: { ...authorization, ...headers } }, body);
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** Kilobytes: resident now (VmRSS), or at most so far (VmHWM). */
  memory(which = 'VmRSS') {
    return Number(new RegExp(`^${which}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${this.process.pid}/status`, 'utf8'))[1]);
  }
  /** From now on the peak is of what comes: signing in hashes passwords, which takes 64 MB for a moment (proc_pid_clear_refs(5)). */
  forgetPeak() {
    writeFileSync(`/proc/${this.process.pid}/clear_refs`, '5');
  }
  /** Seconds of processor time so far. */
  processor() {
    const fields = readFileSync(`/proc/${this.process.pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** Ends it, and everything on its network. */
  async close() {
    this.process.kill('SIGTERM');
    await this.exited;
    const inNetwork = encodeURIComponent(JSON.stringify({ network: [network] }));
    for (const each of await engine('GET', `/containers/json?all=1&filters=${inNetwork}`)) await engine('DELETE', `/containers/${each.Id}?force=true`);
    await engine('DELETE', `/networks/${network}`).catch(() => {});
    rmSync(this.folder, { recursive: true, force: true });
    agent.destroy();
  }
}
