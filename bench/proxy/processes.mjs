// Processes that the measurements start: pinned to processors, ended with this one, and looked at by /proc.
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';

export const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const kTicksPerSecond = Number(execFileSync('getconf', ['CLK_TCK']));
const kPatience = 15_000;
const running = new Set();

export class Process {
  // `cpus`: as `taskset -c` takes them.
  constructor(name, cpus, command, args, env = {}) {
    this.name = name;
    this.errors = '';
    this.output = [];
    // The kernel ends it should this process die without having done so.
    this.child = spawn('setpriv', ['--pdeathsig', 'TERM', 'taskset', '-c', cpus, command, ...args], {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.pid = this.child.pid;
    running.add(this);
    this.child.stderr.on('data', (text) => (this.errors = (this.errors + text).slice(-4000)));
    this.child.stdin.on('error', () => {}); // it has ended: ended() tells
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      this.output.push(line);
      this.lineCame?.();
    });
    this.ended = new Promise((done) => {
      this.child.on('error', (error) => (this.errors += error.message));
      this.child.on('close', (code, signal) => {
        this.over = true;
        running.delete(this);
        this.lineCame?.();
        done(signal ?? code);
      });
    });
  }

  failure(what) {
    return new Error(`${this.name}: ${what}\n${this.errors}`);
  }

  // Its next line of output.
  async line() {
    for (const until = Date.now() + kPatience * 4; this.output.length === 0; ) {
      if (this.over) throw this.failure('ended too early');
      if (Date.now() > until) throw this.failure('says nothing');
      await Promise.race([new Promise((done) => (this.lineCame = done)), sleep(500)]);
    }
    return this.output.shift();
  }

  async listens(port) {
    for (const until = Date.now() + kPatience; ; await sleep(20)) {
      if (this.over) throw this.failure('ended instead of listening');
      if (Date.now() > until) throw this.failure('does not listen');
      const open = await new Promise((done) => {
        const socket = connect(port, '127.0.0.1', () => done(true));
        socket.on('error', () => done(false));
        socket.on('connect', () => socket.destroy());
      });
      if (open) return;
    }
  }

  async stop(signal = 'SIGTERM') {
    if (this.over) return;
    this.child.kill(signal);
    const hard = setTimeout(() => this.family().forEach((pid) => kill(pid)), 5000);
    await this.ended;
    clearTimeout(hard);
  }

  // It and all that it has started.
  family() {
    const parents = new Map();
    for (const entry of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
      const stat = read(`/proc/${entry}/stat`);
      parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
    }
    const found = [this.pid];
    for (let i = 0; i < found.length; i += 1)
      for (const [pid, parent] of parents) if (parent === found[i]) found.push(pid);
    return found;
  }

  sum(value) {
    return this.family().reduce((sum, pid) => sum + value(pid), 0);
  }

  // Seconds of processor time so far, user and system.
  cpuSeconds() {
    return this.sum((pid) => {
      const fields = read(`/proc/${pid}/stat`).split(') ').at(-1).split(' ');
      return (Number(fields[11]) + Number(fields[12])) / kTicksPerSecond;
    });
  }

  // Proportional set size: shared pages count once.
  memoryKilobytes() {
    return this.sum((pid) => Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0));
  }

  descriptors() {
    return this.sum((pid) => readdirSync(`/proc/${pid}/fd`).length);
  }
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it ended in between
  }
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it ended in between
  }
}

export async function stopAll() {
  await Promise.all([...running].map((each) => each.child.kill('SIGCONT') && each.stop()));
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.on('listening', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

// Seconds of processor time so far: of all processes, and of this one with all that it has started.
export function processorUse() {
  const [user, nice, system, , , irq, softirq, steal] = read('/proc/stat').split('\n')[0].split(/\s+/).slice(1).map(Number);
  const all = (user + nice + system + irq + softirq + steal) / kTicksPerSecond;
  const mine = read('/proc/self/stat').split(') ').at(-1).split(' ');
  const ended = (Number(mine[13]) + Number(mine[14])) / kTicksPerSecond;
  const own = process.cpuUsage();
  const living = [...running].reduce((sum, each) => sum + each.cpuSeconds(), 0);
  return { at: Date.now(), all, own: ended + living + (own.user + own.system) / 1e6 };
}

// The part of the processors that others took since `before`.
export function othersShare(before) {
  const now = processorUse();
  const seconds = ((now.at - before.at) / 1000) * availableParallelism();
  return Math.max(0, now.all - before.all - (now.own - before.own)) / seconds;
}

// Who runs where. With processors enough nobody shares; with one to spare, upstream and load share it; else all share.
export function placement(workers) {
  const count = availableParallelism();
  const range = (from, to) => (from === to ? `${from}` : `${from}-${to}`);
  const all = range(0, count - 1);
  if (count <= workers) return { proxy: all, upstream: all, load: all, all };
  const proxy = range(0, workers - 1);
  if (count === workers + 1) return { proxy, upstream: `${workers}`, load: `${workers}`, all };
  return { proxy, upstream: range(workers + 1, count - 1), load: `${workers}`, all };
}
