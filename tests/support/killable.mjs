// A server that kills itself where it is told to (tests/support/kill_points), and what must be true of the engine
// whatever happens.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { binary, Server } from './server.mjs';

export class KillableServer extends Server {
  #word = 0;

  constructor(options = {}) {
    super({ ...options, program: join(dirname(binary), 'agentdb9_killable') });
    this.points = join(this.directory, 'kill-points');
    mkdirSync(this.points);
    this.environment = { ...this.environment, KILL_POINTS: this.points };
  }

  #order(text) {
    this.word = `w${++this.#word}`;
    writeFileSync(join(this.points, 'orders'), `${this.word} ${text}\n`);
  }
  /** From now on what is passed is noted. */
  count() {
    this.#order('count');
  }
  /** `point`: "NAME NUMBER before" or "… after"; counting begins now. */
  dieAt(point) {
    this.#order(`kill ${point}`);
  }
  /** No point matters any more. */
  spare() {
    rmSync(join(this.points, 'orders'), { force: true });
  }
  /** What was passed since the last order. */
  passed() {
    let text = '';
    try {
      text = readFileSync(join(this.points, 'passed'), 'utf8');
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
    return text.split('\n').filter((line) => line.startsWith(`${this.word} `)).map((line) => line.slice(this.word.length + 1));
  }
  get isDead() {
    return this.process.exitCode !== null || this.process.signalCode !== null;
  }
}

/** Throws when two containers of the installation that run, or may run again by themselves, have one volume. */
export async function noVolumeIsShared(engine) {
  const holders = new Map();
  for (const each of await engine.containers()) {
    if (!['running', 'restarting', 'paused'].includes(each.State)) continue;
    for (const { Name } of each.Mounts.filter((mount) => mount.Type === 'volume')) {
      assert.ok(!holders.has(Name), `the volume ${Name} is mounted by ${holders.get(Name)} and ${each.Names}, and both run`);
      holders.set(Name, each.Names);
    }
  }
}

/** Looks at it again and again until `work` has ended; answers what `work` does. */
export async function noVolumeIsSharedDuring(engine, work) {
  let ended = false;
  const watch = async () => {
    for (; !ended; await pause(20)) await noVolumeIsShared(engine);
  };
  const seen = watch().then(() => undefined, (error) => error);
  try {
    return await work();
  } finally {
    ended = true;
    const error = await seen;
    if (error) throw error;
  }
}
