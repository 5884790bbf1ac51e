// A container engine of the test's own, which it may stop, kill and start again: `dockerd` with its own directories,
// socket and, so that its bridges and packet filter meet nobody else's, network namespace. Tests on it run in a
// process in that namespace: inOwnNetwork().
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { eventually } from './eventually.mjs';

/** Why this machine cannot do it; undefined when it can. */
export function whyNoOwnEngine() {
  if (process.getuid?.() !== 0) return 'an engine of one\'s own needs root';
  for (const program of ['dockerd', 'unshare', 'ip']) {
    try {
      execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    } catch {
      return `there is no ${program}`;
    }
  }
  try {
    execFileSync('unshare', ['--net', 'true'], { stdio: 'ignore' });
  } catch {
    return 'a network namespace cannot be made here';
  }
}

/** Runs a test file in a network namespace of its own; answers `{code, output}`. */
export function inOwnNetwork(file, environment) {
  const env = { ...process.env, ...environment };
  delete env.NODE_TEST_CONTEXT;
  return new Promise((resolve, reject) => {
    const child = spawn('unshare', ['--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', process.execPath, '--test', '--test-reporter=spec', file], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout.on('data', (piece) => (output += piece));
    child.stderr.on('data', (piece) => (output += piece));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}

export class OwnEngine {
  constructor() {
    this.directory = mkdtempSync(join(tmpdir(), 'agentdb9-dockerd-'));
    this.socket = join(this.directory, 'docker.sock');
    this.host = `unix://${this.socket}`;
    process.on('exit', () => this.#killAtOnce());
  }

  docker(...words) {
    return execFileSync('docker', ['-H', this.host, ...words], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
  }

  async start() {
    const place = (name) => join(this.directory, name);
    this.process = spawn('dockerd', ['--data-root', place('data'), '--exec-root', place('exec'), '--pidfile', place('pid'), '-H', this.host, '--bridge=none'], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.log = '';
    this.process.stderr.on('data', (piece) => (this.log = (this.log + piece).slice(-20_000)));
    this.exited = new Promise((resolve) => this.process.on('close', resolve));
    await eventually('the engine to answer', () => this.docker('version') !== '', { within: 30_000, every: 50 }).catch((error) => {
      throw new Error(`${error.message}\n${this.log}`);
    });
    return this;
  }
  /** From the engine that this machine has. */
  load(image) {
    const archive = join(this.directory, 'image.tar');
    execFileSync('docker', ['save', '-o', archive, image], { env: { ...process.env, DOCKER_HOST: '' } });
    this.docker('load', '-i', archive);
    rmSync(archive);
  }

  /** As a service manager does: its containers are stopped with it. */
  async stop() {
    this.process.kill('SIGTERM');
    await this.exited;
  }

  /** As when the power goes: the engine, its helper and every process of every container are gone at once. */
  async powerOff() {
    const running = this.docker('ps', '-q').split('\n').filter(Boolean);
    const inside = running.map((id) => Number(this.docker('inspect', '--format', '{{.State.Pid}}', id)));
    const parentOf = (pid) => Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
    // A container's first process has its shim as parent.
    const shims = inside.map(parentOf).filter((pid) => pid > 1 && /containerd-shim/.test(readlinkSync(`/proc/${pid}/exe`)));
    const helper = Number(readFileSync(join(this.directory, 'exec/containerd/containerd.pid'), 'utf8'));
    for (const pid of [this.process.pid, helper, ...shims, ...inside]) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if (error.code !== 'ESRCH') throw error;
      }
    }
    await this.exited;
    // A host that starts again has neither mounts nor what lay under /run.
    this.#unmountAll();
    for (const name of ['pid', 'exec']) rmSync(join(this.directory, name), { recursive: true, force: true });
  }

  /** Everything goes, the engine last. */
  async remove() {
    if (this.process.exitCode !== null || this.process.signalCode !== null) await this.start();
    const all = this.docker('ps', '-aq').split('\n').filter(Boolean);
    if (all.length > 0) this.docker('rm', '-f', ...all);
    await this.stop();
    this.#removeDirectory();
  }
  #killAtOnce() {
    if (this.process?.exitCode === null && this.process.signalCode === null) this.process.kill('SIGTERM');
  }
  #unmountAll() {
    const mounted = readFileSync('/proc/mounts', 'utf8').split('\n').map((line) => line.split(' ')[1]).filter((place) => place?.startsWith(`${this.directory}/`));
    for (const place of mounted.reverse()) execFileSync('umount', ['-l', place]);
  }
  #removeDirectory() {
    this.#unmountAll();
    rmSync(this.directory, { recursive: true, force: true });
  }
}
