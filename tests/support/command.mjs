// The program's commands as a person runs them: words in, exit code and output back.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';

import { binary } from './server.mjs';

export class Outcome {
  constructor(words, code, stdout, stderr) {
    Object.assign(this, { words, code, stdout, stderr });
  }
  get json() {
    return JSON.parse(this.stdout);
  }
  /** Asserts the exit code, with all that was said in the message; returns the outcome. */
  expect(code) {
    assert.equal(this.code, code, `${this.words.join(' ')}: exit code ${this.code}\n${this.stdout}${this.stderr}`);
    return this;
  }
}

/** Runs the program; standard input is `input`, or empty. A command that does not end by itself is a failure. */
export function run(words, { environment = process.env, input = '', within = 60_000 } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(binary, words, { env: environment, stdio: ['pipe', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`agentdb9 ${words.join(' ')} did not end within ${within} ms\n${stdout}${stderr}`));
    }, within);
    child.stdout.on('data', (piece) => (stdout += piece));
    child.stderr.on('data', (piece) => (stderr += piece));
    child.stdin.on('error', () => {});  // it may end without reading
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve(new Outcome(words, code, stdout, stderr));
    });
    child.stdin.end(input);
  });
}

/** A command of the installation that `server` is, or will be. */
export function on(server, ...words) {
  const command = server.command(...words);
  return run(command.words, { environment: command.environment });
}

/** The same with something on standard input. */
export function onWith(server, input, ...words) {
  const command = server.command(...words);
  return run(command.words, { environment: command.environment, input });
}
