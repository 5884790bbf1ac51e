// usage: node build.mjs OUT
// What CMake runs: builds the page into OUT/dist and packs it into OUT/page_files.{hpp,cpp}. Says how much a browser
// loads before it shows anything, and refuses more than it may be.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { firstLoad, pack } from './pack.mjs';

const web = fileURLToPath(new URL('..', import.meta.url));
const out = resolve(process.argv[2] ?? 'dist');
const mostBytesAtFirst = 150_000;

function fail(why) {
  console.error(`error: ${why}`);
  process.exit(1);
}

if (!existsSync(join(web, 'node_modules', 'vite'))) {
  fail(`the npm packages of the page are missing: run 'npm ci --ignore-scripts' in ${web} (scripts/run and scripts/test do it)`);
}

function run(program, ...words) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(web, 'node_modules', program), ...words], { cwd: web, encoding: 'utf8' });
  if (status !== 0) fail(`${program}:\n${stdout}${stderr}`);
}

const dist = join(out, 'dist');
rmSync(dist, { recursive: true, force: true });
mkdirSync(out, { recursive: true });
run('vite/bin/vite.js', 'build', '--outDir', dist, '--emptyOutDir', '--logLevel', 'warn');
const files = pack(dist, out);
const { script, style } = firstLoad(files);
const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
console.log(`the page's first load: ${kilobytes(script)} of script and ${kilobytes(style)} of style, compressed; all ${files.length} files: ` +
  kilobytes(files.reduce((sum, each) => sum + (each.brotli ?? each.bytes).length, 0)));
if (script > mostBytesAtFirst) fail(`the page's first load is more than ${kilobytes(mostBytesAtFirst)} of script: load what is seldom used when it is (lazy() in src/app.tsx)`);
