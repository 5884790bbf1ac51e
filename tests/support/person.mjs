// Somebody at a command line, with a home of their own: the program as a client, in a pipe or on a terminal.
//
//   const ada = new Person();
//   await ada.login(server, client);              // the account of an ApiClient
//   (await ada.run('workspaces', 'list')).expect(0);
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { run } from './command.mjs';
import { eventually } from './eventually.mjs';
import { binary } from './server.mjs';

const folders = [];
process.on('exit', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export class Person {
  /** `environment`: what is set besides; nothing of the tests' own AGENTDB9_* is. */
  constructor(environment = {}) {
    this.home = mkdtempSync(join(tmpdir(), 'agentdb9-person-'));
    folders.push(this.home);
    this.environment = { PATH: process.env.PATH, HOME: this.home, XDG_CONFIG_HOME: join(this.home, 'config'), LC_ALL: 'C.UTF-8', ...environment };
    this.file = join(this.home, 'config/agentdb9/client.json');
  }

  get stored() {
    return JSON.parse(readFileSync(this.file, 'utf8'));
  }
  /** Changes what is remembered, as time or somebody else would. */
  store(changes) {
    writeFileSync(this.file, JSON.stringify({ ...this.stored, ...changes }));
    chmodSync(this.file, 0o600);
  }

  run(...words) {
    return run(words, { environment: this.environment });
  }
  /** With something on standard input. */
  runWith(input, ...words) {
    return run(words, { environment: this.environment, input });
  }
  /** The same, with more variables. */
  runIn(environment, ...words) {
    return run(words, { environment: { ...this.environment, ...environment } });
  }
  async login(server, { user, password }, ...words) {
    return (await this.runWith(`${password}\n`, 'login', server.api, '--email', user.email, '--password-stdin', ...words)).expect(0);
  }

  /** A command that goes on while the test does something else: `child`, `output()`, `ended`. */
  start(...words) {
    return this.#started(spawn(binary, words, { env: this.environment, stdio: ['pipe', 'pipe', 'pipe'] }), words);
  }
  /** The same on a terminal of 80 columns, by script(1) of util-linux. */
  startOnTerminal(...words) {
    const quoted = [binary, ...words].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
    return this.startShellOnTerminal(`exec ${quoted}`);
  }
  /** A line of sh(1) there; the program is "$AGENTDB9". */
  startShellOnTerminal(line) {
    const environment = { ...this.environment, TERM: 'xterm', SHELL: '/bin/sh', AGENTDB9: binary };
    return this.#started(spawn('script', ['-qec', `stty cols 80; ${line}`, '/dev/null'], { env: environment, stdio: ['pipe', 'pipe', 'pipe'] }), [line]);
  }
  #started(child, words) {
    let text = '';
    child.stdout.on('data', (piece) => (text += piece));
    child.stderr.on('data', (piece) => (text += piece));
    child.stdin.on('error', () => {});
    const ended = new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        child.kill('SIGKILL');
        reject(new Error(`agentdb9 ${words.join(' ')} did not end:\n${text}`));
      }, 60_000);
      child.on('error', reject);
      child.on('close', (code, signal) => {
        clearTimeout(timer);
        resolve({ code, signal });
      });
    });
    const output = () => text;
    const says = (what) => eventually(`agentdb9 ${words.join(' ')} to say ${what}`, () => text.includes(what)).catch((error) => {
      throw new Error(`${error.message}\n${text}`);
    });
    return { child, output, says, ended, type: (line) => child.stdin.write(line) };
  }
}
