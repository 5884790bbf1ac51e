// A PostgreSQL server of the test's own, in a directory that goes with it. It listens on a socket in there only.
//
//   const postgres = await startPostgres();
//   after(() => postgres.close());
//   postgres.url                                   // of its database
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { eventually } from './eventually.mjs';

// Debian keeps the servers apart by version; the newest will do.
function programs() {
  const base = '/usr/lib/postgresql';
  const versions = (existsSync(base) ? readdirSync(base) : []).filter((each) => existsSync(join(base, each, 'bin/initdb')));
  if (versions.length === 0) throw new Error('no PostgreSQL server is installed; scripts/test installs one');
  return join(base, versions.sort((a, b) => Number(a) - Number(b)).at(-1), 'bin');
}

// PostgreSQL refuses to run as root.
function itsUser() {
  if (process.getuid() !== 0) return {};
  const id = (flag) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

const open = new Set();
process.on('exit', () => {
  for (const server of open) server.closeAtOnce();
});

export class Postgres {
  constructor() {
    this.bin = programs();
    this.user = itsUser();
    this.directory = mkdtempSync(join(tmpdir(), 'agentdb9-postgres-'));
    this.data = join(this.directory, 'data');
    mkdirSync(this.data);
    chmodSync(this.data, 0o700);
    for (const each of [this.directory, this.data]) if (this.user.uid) chownSync(each, this.user.uid, this.user.gid);
    open.add(this);
    execFileSync(join(this.bin, 'initdb'), ['-D', this.data, '-A', 'trust', '-U', 'postgres', '--no-sync', '-E', 'UTF8', '--locale=C'], {
      ...this.user, cwd: '/', stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.url = `postgresql:///agentdb9?user=postgres&host=${this.directory}`;
  }

  async start() {
    const words = ['-D', this.data, '-k', this.directory, '-c', 'listen_addresses=', '-c', 'fsync=off', '-c', 'shared_buffers=16MB'];
    this.process = spawn(join(this.bin, 'postgres'), words, { ...this.user, cwd: '/', stdio: 'ignore' });
    this.exited = new Promise((resolve) => this.process.on('close', resolve));
    await eventually('PostgreSQL to answer', () => this.query('SELECT 1', 'postgres') === '1', { within: 60_000 });
    return this;
  }

  /** Ends every session and the server; what is committed stays. */
  async stop() {
    this.process.kill('SIGINT');
    await this.exited;
  }

  query(sql, database = 'agentdb9') {
    const words = ['-h', this.directory, '-U', 'postgres', '-d', database, '-qAt', '-v', 'ON_ERROR_STOP=1', '-c', sql];
    return execFileSync(join(this.bin, 'psql'), words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  }

  async close() {
    if (!open.has(this)) return;
    this.process?.kill('SIGQUIT');
    await this.exited;
    this.closeAtOnce();
  }
  closeAtOnce() {
    open.delete(this);
    this.process?.kill('SIGQUIT');
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

export async function startPostgres() {
  const server = await new Postgres().start();
  server.query('CREATE DATABASE agentdb9', 'postgres');
  return server;
}
