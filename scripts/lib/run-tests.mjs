// usage: node run-tests.mjs ROOT PRESET [PART…]
// Runs the GoogleTest programs of a build, the page's own tests and the node tests, shows what failed, and counts.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, existsSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { run } from 'node:test';

const [root, preset, ...parts] = process.argv.slice(2);
const wanted = (name) => parts.length === 0 || parts.some((part) => name.includes(part));
const minutes = 60_000;
const programLimit = 15 * minutes;
const nodeTestLimit = 10 * minutes;
const total = { passed: 0, failed: 0 };
// Told once more before the closing line: where only the end of the output is kept, it says what failed.
const failures = [];

function report(name, passed, failed, seconds) {
  total.passed += passed;
  total.failed += failed;
  console.log(`${failed ? 'FAILED' : 'passed'}  ${name}: ${passed} passed, ${failed} failed (${seconds.toFixed(1)} s)`);
}

// One program: its output is shown only when it fails.
function runProgram(path, name) {
  return new Promise((done) => {
    const folder = mkdtempSync(join(tmpdir(), 'agentdb9-test-'));
    const results = join(folder, 'results.json');
    const began = Date.now();
    let output = '';
    const child = spawn(path, ['--gtest_brief=1', `--gtest_output=json:${results}`], { cwd: root });
    const keep = (text) => (output = (output + text).slice(-200_000));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const timer = setTimeout(() => {
      keep(`\n${name} did not end within ${programLimit / minutes} minutes\n`);
      child.kill('SIGKILL');
    }, programLimit);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      let passed = 0;
      let failed = 0;
      if (existsSync(results)) {
        const counted = JSON.parse(readFileSync(results, 'utf8'));
        failed = counted.failures + counted.errors;
        passed = counted.tests - failed - counted.disabled;
        for (const suite of counted.testsuites)
          for (const test of suite.testsuite) if (test.failures) failures.push(`${name}: ${suite.name}.${test.name}`);
      }
      // A crash, a sanitizer's report at the end, or no test at all.
      if ((code !== 0 && failed === 0) || passed + failed === 0) {
        failed += 1;
        failures.push(`${name}: ${signal ? `ended by ${signal}` : `exit code ${code}`}`);
      }
      if (failed) console.log(`${output}\n${name}: ${signal ? `ended by ${signal}` : `exit code ${code}`}`);
      report(name, passed, failed, (Date.now() - began) / 1000);
      rmSync(folder, { recursive: true, force: true });
      done();
    });
  });
}

async function runPrograms() {
  const folder = join(root, 'build', preset, 'tests');
  // The build keeps folders of its own there.
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.includes('.') && wanted(entry.name))
    .map((entry) => entry.name)
    .sort();
  const next = async () => {
    for (let name = names.shift(); name; name = names.shift()) await runProgram(join(folder, name), name);
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(2, availableParallelism())) }, next));
}

function output(program, words, cwd) {
  return new Promise((done) => {
    let text = '';
    const child = spawn(process.execPath, [program, ...words], { cwd, timeout: nodeTestLimit });
    const keep = (more) => (text = (text + more).slice(-200_000));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('close', (code) => done({ code, text }));
  });
}

// The page's own: its types, which are one test, and what vitest finds.
async function runWeb() {
  if (!wanted('web')) return;
  const began = Date.now();
  const web = join(root, 'web');
  const modules = join(web, 'node_modules');
  let passed = 0;
  let failed = 0;
  const described = await output(join(modules, 'openapi-typescript', 'bin', 'cli.js'), ['../src/api/openapi.json', '-o', '.generated/api.ts'], web);
  const typed = described.code === 0 ? await output(join(modules, 'typescript', 'bin', 'tsc'), ['--noEmit'], web) : described;
  if (typed.code === 0) passed += 1;
  else {
    failed += 1;
    failures.push('web: the types');
    console.log(`FAILED  web: the types\n${typed.text}`);
  }
  const folder = mkdtempSync(join(tmpdir(), 'agentdb9-test-'));
  const results = join(folder, 'results.json');
  const ran = await output(join(modules, 'vitest', 'vitest.mjs'), ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${results}`], web);
  const counted = existsSync(results) ? JSON.parse(readFileSync(results, 'utf8')) : { numPassedTests: 0, numFailedTests: 0 };
  passed += counted.numPassedTests;
  failed += counted.numFailedTests;
  if (ran.code !== 0 && counted.numFailedTests === 0) failed += 1;
  if (ran.code !== 0) {
    failures.push('web: vitest');
    console.log(`${ran.text}\nFAILED  web: vitest`);
  }
  rmSync(folder, { recursive: true, force: true });
  report('web', passed, failed, (Date.now() - began) / 1000);
}

function testFiles(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.mjs'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((file) => !file.includes('node_modules') && wanted(relative(join(root, 'tests'), file)))
    .sort();
}

async function runNodeTests(name, folder, concurrency) {
  const files = testFiles(folder);
  if (files.length === 0) return;
  const began = Date.now();
  const counts = { passed: 0, failed: 0 };
  const failing = new Set();
  const complaints = new Map();
  const events = run({ files, concurrency, timeout: nodeTestLimit });
  events.on('test:pass', (test) => {
    if (test.details?.type !== 'suite' && !test.skip && !isFile(test, files)) counts.passed += 1;
  });
  events.on('test:fail', (test) => {
    // A test that fails for its children's sake is told by them.
    const cause = test.details?.error?.cause ?? test.details?.error;
    if (test.details?.error?.failureType === 'subtestsFailed') return;
    counts.failed += 1;
    const title = `${relative(root, test.file ?? '')}: ${test.name}`;
    failures.push(title);
    console.log(`FAILED  ${title}\n${cause?.stack ?? cause}`);
    failing.add(test.file);
  });
  // What a file's programs wrote to the standard error is of use only where something failed.
  events.on('test:stderr', ({ file, message }) => complaints.set(file, ((complaints.get(file) ?? '') + message).slice(-20_000)));
  for await (const _ of events);
  for (const file of failing) if (complaints.has(file)) console.log(`what ${relative(root, file)} wrote to its standard error:\n${complaints.get(file)}`);
  report(name, counts.passed, counts.failed, (Date.now() - began) / 1000);
}

// node counts each file as a test around those in it.
function isFile(test, files) {
  return files.includes(test.name) || files.some((file) => relative(process.cwd(), file) === test.name);
}

process.env.AGENTDB9_BINARY ??= join(root, 'build', preset, 'agentdb9');
await runPrograms();
await runWeb();
await runNodeTests('integration', join(root, 'tests', 'integration'), 2);
await runNodeTests('e2e', join(root, 'tests', 'e2e'), 1);
if (total.passed + total.failed === 0) {
  console.log('no test has this name');
  process.exit(2);
}
for (const failure of failures) console.log(`failed: ${failure}`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed ? 1 : 0);
