// The completion in the shells that it is for, and the manual page in the program that shows it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { run } from '../../support/command.mjs';
import { binary } from '../../support/server.mjs';

const folder = mkdtempSync(join(tmpdir(), 'agentdb9-completion-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const scripts = {};
before(async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    scripts[shell] = join(folder, `_agentdb9.${shell}`);
    writeFileSync(scripts[shell], (await run(['completion', shell])).expect(0).stdout);
  }
  writeFileSync(join(folder, 'own authority.pem'), '');
});

const environment = { PATH: `${dirname(binary)}:${process.env.PATH}`, HOME: folder, LC_ALL: 'C.UTF-8', TERM: 'dumb' };
const shell = (program, ...words) => execFileSync(program, words, { env: environment, cwd: folder, encoding: 'utf8' }).split('\n').filter((line) => line !== '');

/** What each shell offers after the words; the last one is being typed. */
const offers = {
  bash: (words) => shell('bash', '--norc', '-c',
    `source "$1"; shift; complete -p agentdb9 > /dev/null || exit 9
     COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _agentdb9; printf '%s\\n' "\${COMPREPLY[@]}"`, 'bash', scripts.bash, 'agentdb9', ...words),
  // Outside of a line that is being edited the widgets' own functions tell what they were given.
  zsh: (words) => shell('zsh', '-f', '-c',
    `compdef() { defined=$2 }
     _files() { print -l *(N) }
     _describe() { local list=\${@[-1]}; print -l -- \${\${(P)list}%%:*} }
     compadd() { shift; print -l -- "$@" }
     script=$1; shift; words=("$@"); CURRENT=$#; PREFIX=\${@[-1]}
     source $script; [[ $defined == agentdb9 ]] || exit 9
     _agentdb9`, 'zsh', scripts.zsh, 'agentdb9', ...words).filter((each) => each.startsWith(words.at(-1))),
  fish: (words) => shell('fish', '--no-config', '-c', 'source $argv[1]; complete -C "$argv[2]"', scripts.fish, ['agentdb9', ...words].join(' ')).map((line) => line.split('\t')[0]),
};

for (const [name, offer] of Object.entries(offers)) {
  describe(`completion in ${name}`, () => {
    test('offers commands, by any name of the one before', () => {
      const all = offer(['']);
      for (const each of ['serve', 'login', 'workspaces', 'token', 'completion']) assert.ok(all.includes(each), `${each} in ${all}`);
      assert.deepEqual(offer(['works']), ['workspaces']);
      for (const before of ['workspaces', 'ws']) assert.deepEqual(offer([before, 'st']).sort(), ['start', 'status', 'stop']);
      assert.deepEqual(offer(['user', 'reset']), ['reset-password']);
    });

    test('offers options after a dash, those of the command alone', () => {
      assert.deepEqual(offer(['ws', 'start', '--no']), ['--no-wait']);
      assert.deepEqual(offer(['ws', 'start', 'name', '--js']), ['--json']);
      assert.deepEqual(offer(['ws', 'list', '--no']), []);
    });

    test('knows which options take a value, and which', () => {
      assert.deepEqual(offer(['user', 'set-role', 'ada', 'a']), ['admin']);
      assert.deepEqual(offer(['completion', 'z']), ['zsh']);
      // The word after an option is its value, not a command.
      assert.deepEqual(offer(['ws', 'create', '--type', 'vscode', '--pro']), ['--project']);
      assert.deepEqual(offer(['whoami', '--cacert', 'own']).map((each) => each.replaceAll('\\', '')), ['own authority.pem']);
    });
  });
}

describe('the manual page', () => {
  test('has every command, and nothing that roff complains of', async () => {
    const { stdout } = (await run(['man'])).expect(0);
    for (const each of ['agentdb9 serve', 'agentdb9 login', 'agentdb9 workspaces switch', 'agentdb9 token create'])
      assert.ok(stdout.includes(`\n.SS ${each}\n`), each);
    for (const each of ['NAME', 'SYNOPSIS', 'OPTIONS', 'ENVIRONMENT', 'FILES']) assert.ok(stdout.includes(`\n.SH ${each}\n`), each);
    // A line that begins like a request is one that this program makes.
    const requests = new Set(stdout.split('\n').filter((line) => /^[.']/.test(line)).map((line) => line.split(' ')[0]));
    assert.deepEqual([...requests].filter((each) => !['.\\"', '.TH', '.nh', '.ad', '.SH', '.SS', '.TP', '.PP', '.br', '.RS', '.RE', '.nf', '.fi', '.B', '.I', '.BR'].includes(each)), []);
    assert.equal(stdout.match(/^\.nf$/gm).length, stdout.match(/^\.fi$/gm).length);
  });

  test('a shell that is not known is refused', async () => {
    assert.match((await run(['completion', 'tcsh'])).expect(2).stderr, /bash/);
  });
});
