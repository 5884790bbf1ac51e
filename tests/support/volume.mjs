// The files of a volume as they are on the engine's disk: what tests put there, and what they find.
import { createHash } from 'node:crypto';
import { chownSync, linkSync, lstatSync, lutimesSync, mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync, utimesSync, writeFileSync, chmodSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** A tree with one of each that a volume may hold: modes, owners, times, links, odd and long names. */
export function plant(root) {
  const file = (name, content, { mode = 0o644, uid = 1000, gid = 1000, time = 1_600_000_000 } = {}) => {
    const path = join(root, name);
    writeFileSync(path, content);
    chownSync(path, uid, gid);
    chmodSync(path, mode);
    utimesSync(path, time, time);
  };
  const directory = (name, mode = 0o755) => {
    mkdirSync(join(root, name), { recursive: true });
    chmodSync(join(root, name), mode);
  };
  directory('src/deep/er');
  directory('empty', 0o700);
  directory('sticky', 0o1777);
  file('README.md', '# a project\n');
  file('run.sh', '#!/bin/sh\n', { mode: 0o755 });
  file('setuid', 'x', { mode: 0o4755, uid: 0, gid: 0 });
  file('secret', 's', { mode: 0o600, uid: 1234, gid: 4321, time: 1_234_567_890 });
  file('nothing', '');
  file('src/größe – 大小.txt', 'names in any script');
  file('src/deep/er/' + 'l'.repeat(200), 'a long name');
  file('src/-dash "quote"\nline', 'an odd name');
  file('binary', Buffer.from([...Array(256).keys()]));
  file('large', Buffer.alloc(3_000_000, 'large '));
  linkSync(join(root, 'README.md'), join(root, 'src/same.md'));
  symlinkSync('../README.md', join(root, 'src/link'));
  symlinkSync('/etc/passwd', join(root, 'src/absolute'));
  symlinkSync('nowhere', join(root, 'dangling'));
  for (const name of ['src/link', 'src/absolute', 'dangling']) lutimesSync(join(root, name), 1_500_000_000, 1_500_000_000);
  execFileSync('mkfifo', [join(root, 'fifo')]);
  for (const name of ['src/deep/er', 'src/deep', 'src', 'empty', 'sticky']) utimesSync(join(root, name), 1_555_555_555, 1_555_555_555);
}

/** Every entry below `root` by its path: type, mode, owner, time in seconds, content or target, names of one file. */
export function inventory(root) {
  const found = {};
  const first = new Map();
  const walk = (path) => {
    const facts = lstatSync(join(root, path));
    const entry = { mode: facts.mode.toString(8), uid: facts.uid, gid: facts.gid, time: Math.floor(facts.mtimeMs / 1000) };
    if (facts.isSymbolicLink()) {
      entry.target = readlinkSync(join(root, path));
    } else if (facts.isFile()) {
      entry.sha256 = createHash('sha256').update(readFileSync(join(root, path))).digest('hex');
      if (facts.nlink > 1) {
        if (!first.has(facts.ino)) first.set(facts.ino, path);
        entry.same = first.get(facts.ino);
      }
    }
    found[path || '.'] = entry;
    if (facts.isDirectory()) for (const name of readdirSync(join(root, path)).sort()) walk(path ? `${path}/${name}` : name);
  };
  walk('');
  return found;
}
