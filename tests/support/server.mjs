// The real server for tests from outside: its own data directory, ports, network and objects on the engine, all
// of which go when the test ends, however it ends.
//
//   const server = await startServer();          // `agentdb9 serve`, ready
//   after(() => server.close());
//   const alice = await server.user('alice');     // a fresh account's client
//   const admin = await server.admin();
//
// The program is AGENTDB9_BINARY, else build/dev/agentdb9.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { ApiClient, exchange } from './api_client.mjs';
import { Contract } from './contract.mjs';
import { Engine, removeEverything } from './engine.mjs';
import { eventually } from './eventually.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
export const binary = process.env.AGENTDB9_BINARY ?? join(root, 'build/dev/agentdb9');

export const adminEmail = 'admin@example.test';
export const adminPassword = 'the admin knows this';
export const userPassword = 'a user knows this';

// Three types of the catalogue on the small test application, one for each way of living: one that overlaps
// when its project is switched, one that keeps a home, one that wants its prefix.
const catalogue = `
[workspaceTypes.spreadsheet]
containerImage = "agentdb9/testapp:local"
defaultPort = 8080
command = []
[workspaceTypes.spreadsheet.healthCheck]
path = "/healthz"

[workspaceTypes.vscode]
containerImage = "agentdb9/testapp:local"
defaultPort = 8080
command = []
homePath = "/home/workspace"
[workspaceTypes.vscode.healthCheck]
path = "/healthz"

[workspaceTypes.notebook]
containerImage = "agentdb9/testapp:local"
defaultPort = 8080
command = []
stripPrefix = false
env = {}
homePath = ""
[workspaceTypes.notebook.healthCheck]
path = "/healthz"
`;

/** A type on the test application that its environment makes behave: slow, failing, stubborn. */
export function testType(name, environment = {}, more = '') {
  const env = Object.entries(environment).map(([key, value]) => `${key} = ${JSON.stringify(String(value))}`).join(', ');
  return `
[workspaceTypes.${name}]
containerImage = "agentdb9/testapp:local"
defaultPort = 8080
env = { ${env} }
${more}
[workspaceTypes.${name}.healthCheck]
path = "/healthz"
`;
}

const open = new Set();
// A test that is ended from outside, or by an error that nobody caught, leaves nothing behind either.
process.on('exit', () => {
  for (const server of open) server.closeAtOnce();
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

export class Server {
  /**
   * `registration`: "open" or "closed"; `rateLimit`; `toml`: more sections; `environment`: more variables, an
   * undefined one is taken away; `types: false` leaves the catalogue as it is built in; `program`: another one than
   * `binary`; `postgres`: the database (postgres_server.mjs) instead of SQLite; `beside`: another server with which it
   * shares everything but the data directory; `tls: { ca }`: it is reached by https, with certificates of that CA.
   */
  constructor({ registration = 'open', rateLimit = false, toml = '', environment = {}, types = true, program = binary, postgres, beside, tls } = {}) {
    this.program = program;
    this.network = beside?.network ?? `agentdb9_test_${randomBytes(5).toString('hex')}`;
    this.postgres = postgres ?? beside?.postgres;
    this.directory = mkdtempSync(join(tmpdir(), 'agentdb9-test-'));
    this.dataDir = join(this.directory, 'data');
    this.configFile = join(this.directory, 'agentdb9.toml');
    this.environment = this.postgres ? { AGENTDB9_DATABASE_URL: this.postgres.url, AGENTDB9_JWT_SECRET: 'what all servers of these tests know', ...environment } : environment;
    this.log = [];
    this.agent = tls ? new SecureAgent({ keepAlive: true, maxSockets: 64, ca: tls.ca }) : new Agent({ keepAlive: true, maxSockets: 64 });
    this.listen = '127.0.0.1:0';
    this.appsListen = '127.0.0.1:0';
    this.configure(`[auth]\nregistration = "${registration}"\nrateLimit = ${rateLimit}\n[docker]\nnetwork = "${this.network}"\n` +
      (types ? catalogue : '') + toml);
    open.add(this);
  }

  configure(toml) {
    this.toml = toml;
    writeFileSync(this.configFile, toml);
  }

  /** The environment and arguments of a command of this installation. */
  command(...words) {
    const environment = { ...process.env };
    for (const name of Object.keys(environment)) if (name.startsWith('AGENTDB9_')) delete environment[name];
    Object.assign(environment, { AGENTDB9_ADMIN_EMAIL: adminEmail, AGENTDB9_ADMIN_PASSWORD: adminPassword }, this.environment);
    for (const [name, value] of Object.entries(environment)) if (value === undefined) delete environment[name];
    return { words: [...words, '--config', this.configFile, '--data-dir', this.dataDir], environment };
  }

  #spawn() {
    const { words, environment } = this.command('serve', '--listen', this.listen, '--apps-listen', this.appsListen);
    const child = spawn(this.program, words, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    this.process = child;
    this.output = '';
    const mark = this.log.length;
    child.stdout.on('data', (piece) => (this.output += piece));
    this.exited = new Promise((resolve) => {
      child.on('error', (error) => resolve({ error }));
      child.on('close', (code, signal) => resolve({ code, signal }));
    });
    createInterface({ input: child.stderr }).on('line', (line) => {
      let entry;
      try {
        entry = JSON.parse(line);
      } catch {
        entry = { event: line, level: 'text' };
      }
      this.log.push(entry);
      if (process.env.AGENTDB9_TEST_LOG) process.stderr.write(line + '\n');
    });
    return mark;
  }

  /** Starts the program and waits until it serves. On the same ports as before, when there was a before. */
  async start() {
    for (let tries = 0; ; ++tries) {
      const mark = this.#spawn();
      let ended;
      this.exited.then((end) => (ended = end));
      const serving = await eventually('the server to serve', () => ended ?? this.log.slice(mark).find((each) => each.event === 'serving'), {
        within: 30_000, every: 5,
      });
      if (!ended) {
        this.api = serving.api;
        this.apps = serving.applications;
        this.listen = new URL(serving.api).host;
        this.appsListen = new URL(serving.applications).host;
        this.installation ??= this.query("SELECT value FROM agentdb9_settings WHERE name = 'installationId'");
        this.engine ??= new Engine(this.installation);
        this.contract ??= new Contract((await exchange(this.api, 'GET', '/api/openapi.json', { agent: this.agent })).expect(200).body);
        return this;
      }
      const told = this.log.slice(mark).map((each) => JSON.stringify(each)).join('\n');
      // Between two starts somebody's outgoing connection may have been given the port.
      if (tries >= 20 || !/in use/.test(told)) throw new Error(`the server ended with ${JSON.stringify(ended)}:\n${told}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** kill -9: no goodbye. */
  async kill() {
    this.process.kill('SIGKILL');
    return this.exited;
  }
  /** SIGTERM; how it ended. */
  async terminate() {
    this.process.kill('SIGTERM');
    return this.exited;
  }
  async restart() {
    if (this.process.exitCode === null && this.process.signalCode === null) await this.terminate();
    return this.start();
  }

  /** Asks the database from outside, through its own program. */
  query(sql) {
    if (this.postgres) return this.postgres.query(sql);
    return execFileSync('sqlite3', ['-cmd', '.timeout 5000', join(this.dataDir, 'agentdb9.db'), sql], { encoding: 'utf8' }).trim();
  }

  events(name) {
    return this.log.filter((each) => each.event === name);
  }

  nobody() {
    return new ApiClient(this);
  }
  async login(email, password) {
    const { body } = (await this.nobody().post('/api/auth/login', { email, password })).expect(200);
    return new ApiClient(this, { token: body.accessToken, refreshToken: body.refreshToken, user: body.user, password });
  }
  admin() {
    return this.login(adminEmail, adminPassword);
  }
  /** A fresh account, logged in. Where registration is closed, the tests log in as admin. */
  async user(name = 'user') {
    const email = `${name}-${randomBytes(4).toString('hex')}@example.test`;
    const answer = await this.nobody().post('/api/auth/register', { email, username: name, password: userPassword });
    const { body } = answer.expect(201);
    return new ApiClient(this, { token: body.accessToken, refreshToken: body.refreshToken, user: body.user, password: userPassword });
  }

  /** Ends the program and removes everything that it made. */
  async close() {
    if (!open.has(this)) return;
    this.agent.destroy();
    if (this.process?.exitCode === null && this.process.signalCode === null) {
      this.process.kill('SIGKILL');
      await this.exited;
    }
    this.closeAtOnce();
  }
  closeAtOnce() {
    open.delete(this);
    this.process?.kill('SIGKILL');
    removeEverything(this.installation, this.network);
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export async function startServer(options) {
  const server = new Server(options);
  try {
    return await server.start();
  } catch (error) {
    server.closeAtOnce();
    throw error;
  }
}
