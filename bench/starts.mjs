// usage: node bench/starts.mjs [N [ROUNDS]]
// N workspaces (100) of ten users, started at once. Rounds of the same containers, in turns:
//   server   by the API: each start asked for at the same moment, until its operation has succeeded
//   client   by the engine's own client, `docker run` of the same image with the same limits and mounts: all at once, and as many
//            at a time as the server starts (docker.maxParallelStarts, 4); until the container's application answers
// Told are the times from the common beginning, and the server's memory and processor time. Nothing may be lost: N are ready, N
// containers run, each with its own volume. Needs what bench/lifecycle.mjs needs, and the program docker.
import { execFile } from 'node:child_process';

import { answers, BenchServer, engine, network, quantile, testType } from './support.mjs';

const count = Number(process.argv[2] ?? 100);
const rounds = Number(process.argv[3] ?? 3);
const parallel = 4;
const server = new BenchServer();
const docker = (...words) => new Promise((done, fail) => {
  execFile('docker', words, (error, stdout, stderr) => (error ? fail(new Error(stderr)) : done(stdout.trim())));
});

async function byServer(users) {
  const workspaces = [];
  for (let index = 0; index < count; index += 1) {
    const headers = { authorization: `Bearer ${users[index % users.length]}` };
    const { data } = await server.call('POST', '/api/workspaces', { type: 'plain', name: `w${index}` }, headers);
    workspaces.push({ id: data.id, headers });
  }
  const before = server.processor();
  const began = performance.now();
  const times = await Promise.all(workspaces.map(async ({ id, headers }) => {
    const { data } = await server.call('POST', `/api/workspaces/${id}/start`, undefined, headers);
    if (data.status !== 'running') throw new Error(`${id} is ${data.status}`);
    return performance.now() - began;
  }));
  const processor = server.processor() - before;
  const running = await engine('GET', `/containers/json?filters=${encodeURIComponent(JSON.stringify({ network: [network] }))}`);
  const volumes = new Set(running.flatMap((each) => each.Mounts.map((mount) => mount.Name)));
  if (running.length !== count || volumes.size !== count) throw new Error(`${running.length} run on ${volumes.size} volumes`);
  const made = await engine('GET', `/containers/${running[0].Id}/json`);
  for (const { id, headers } of workspaces) await server.call('DELETE', `/api/workspaces/${id}?force=true`, undefined, headers);
  for (const token of users) {
    const headers = { authorization: `Bearer ${token}` };
    for (const project of (await server.call('GET', '/api/projects?limit=200', undefined, headers)).data) await server.call('DELETE', `/api/projects/${project.id}`, undefined, headers);
    for (const each of (await server.call('GET', '/api/trash?limit=200', undefined, headers)).data) await server.call('DELETE', `/api/trash/${each.id}`, undefined, headers);
  }
  return { times, made, processor };
}

// The same container: image, limits, capabilities, mount, init; Docker chooses the address.
function wordsOf(made, name) {
  const host = made.HostConfig;
  return ['run', '-d', '--name', name, '--network', network, '--init', '--security-opt', 'no-new-privileges', '--cap-drop', 'ALL',
    ...(host.CapAdd ?? []).flatMap((each) => ['--cap-add', each]), '--memory', String(host.Memory), '--cpus', String(host.NanoCpus / 1e9), '--pids-limit', String(host.PidsLimit),
    '--restart', 'unless-stopped', '-v', `${name}:/workspace`, ...(made.Config.Env ?? []).flatMap((each) => ['-e', each]), made.Config.Image];
}

async function byClient(made, width) {
  const names = Array.from({ length: count }, (_, index) => `${network}_${index}`);
  const began = performance.now();
  const times = [];
  const waiting = [...names];
  const next = async () => {
    for (let name = waiting.shift(); name; name = waiting.shift()) {
      await docker(...wordsOf(made, name));
      const { NetworkSettings } = await engine('GET', `/containers/${name}/json`);
      await answers(NetworkSettings.Networks[network].IPAddress);
      times.push(performance.now() - began);
    }
  };
  try {
    await Promise.all(Array.from({ length: width }, next));
  } finally {
    for (const name of names) await engine('DELETE', `/containers/${name}?force=true&v=true`).catch(() => {});
    for (const name of names) await engine('DELETE', `/volumes/${name}`).catch(() => {});
  }
  return { times };
}

try {
  await server.start(testType('plain'));
  const users = [];
  for (let index = 0; index < 10; index += 1) {
    const account = { email: `user${index}@example.org`, username: `user${index}`, password: 'bench-password' };
    users.push((await server.call('POST', '/api/auth/register', account)).accessToken);
  }
  const idle = server.memory();
  server.forgetPeak();
  const samples = { 'the server': [], [`docker run, ${parallel} at a time`]: [], 'docker run, all at once': [] };
  const [ours, few, all] = Object.values(samples);
  let processor = 0;
  for (let round = 0; round < rounds; round += 1) {
    const done = await byServer(users);
    processor += done.processor;
    ours.push(done);
    few.push(await byClient(done.made, parallel));
    all.push(await byClient(done.made, count));
  }
  console.log(`${count} starts at once, ${rounds} rounds; seconds from the common beginning until ready, medians of the rounds`);
  console.log(''.padEnd(30) + ['p50', 'p99', 'last'].map((each) => each.padStart(8)).join(''));
  for (const [name, list] of Object.entries(samples)) {
    const cells = [0.5, 0.99, 1].map((share) => quantile(list.map(({ times }) => quantile(times, share)), 0.5) / 1000);
    console.log(name.padEnd(30) + cells.map((each) => each.toFixed(2).padStart(8)).join(''));
  }
  console.log(`the server: ${(processor / rounds / count * 1000).toFixed(1)} ms of processor time a start, ${(idle / 1024).toFixed(1)} MB before, ${(server.memory('VmHWM') / 1024).toFixed(1)} MB at most`);
} finally {
  await server.close();
}
