// usage: node bench/lifecycle.mjs [ROUNDS]
// What the server adds to the engine. Interleaved rounds of the same work, once by the engine's own calls and once by the API:
//   start              make a container, start it, wait until the application answers
//   start again        start the container of a stopped workspace, wait until the application answers
//   switch             (no home) make another on the other volume, start it, wait, give it the plain name
//   switch, with home  make another, stop the old one, start it, wait, give it the plain name
// Both sides make the same containers on the same network and ask the application every 5 ms (the server: its own way).
// Needs the engine (DOCKER_HOST or the default socket), the image agentdb9/testapp:local (scripts/images testapp) and the
// release binary, or AGENTDB9_BINARY.
import { answers, BenchServer, engine, median, network, testType, timed } from './support.mjs';

const rounds = Number(process.argv[2] ?? 15);
const server = new BenchServer();
const api = (method, path, body) => server.call(method, path, body);

// ---- by the API ----

async function byApi(type) {
  const projects = [];
  for (const name of ['one', 'two']) projects.push((await api('POST', '/api/projects', { name })).data.id);
  const workspace = (await api('POST', '/api/workspaces', { type, projectId: projects[0] })).data.id;
  const call = (path, body) => api('POST', `/api/workspaces/${workspace}/${path}`, body);
  const times = { start: await timed(() => call('start')) };
  times.switch = await timed(() => call('switch-project', { projectId: projects[1] }));
  await call('stop');
  times['start again'] = await timed(() => call('start'));
  const made = await engine('GET', `/containers/agentdb9-workspace-${workspace}/json`);
  await api('DELETE', `/api/workspaces/${workspace}?force=true`);
  for (const project of projects) await api('DELETE', `/api/projects/${project}`);
  for (const each of (await api('GET', '/api/trash')).data) await api('DELETE', `/api/trash/${each.id}`);
  return { times, made };
}

// ---- by the engine's own calls ----

let nextAddress = 0;
// What the server made, with other names and an address of its own.
function specFrom(made, volumes) {
  const settings = made.NetworkSettings.Networks[network];
  nextAddress += 1;
  const [a, b] = settings.IPAddress.split('.');
  const address = `${a}.${b}.${200 + (nextAddress >> 8)}.${nextAddress & 255}`;
  const mounts = made.HostConfig.Mounts.map((mount, index) => ({ ...mount, Source: volumes[index] }));
  return {
    address,
    body: {
      Image: made.Config.Image,
      Cmd: made.Config.Cmd,
      Env: made.Config.Env,
      Labels: { 'agentdb9.bench': network },
      HostConfig: { ...made.HostConfig, Mounts: mounts },
      NetworkingConfig: { EndpointsConfig: { [network]: { IPAMConfig: { IPv4Address: address } } } },
    },
  };
}

async function byEngine(made, sequential) {
  const label = `${network}_${nextAddress}`;
  const volumes = ['one', 'two', 'home'].map((name) => `${label}_${name}`);
  for (const Name of volumes) await engine('POST', '/volumes/create', { Name, Labels: { 'agentdb9.bench': network } });
  const create = async (spec, name) => (await engine('POST', `/containers/create?name=${name}`, spec.body)).Id;
  const start = (id) => engine('POST', `/containers/${id}/start`);
  const stop = (id) => engine('POST', `/containers/${id}/stop?t=10`);
  const first = specFrom(made, [volumes[0], volumes[2]]);
  const second = specFrom(made, [volumes[1], volumes[2]]);
  let old;
  let fresh;
  const times = {
    start: await timed(async () => {
      old = await create(first, label);
      await start(old);
      await answers(first.address);
    }),
  };
  times.switch = await timed(async () => {
    fresh = await create(second, `${label}-g2`);
    if (sequential) await stop(old);
    await start(fresh);
    await answers(second.address);
    await engine('POST', `/containers/${old}/rename?name=${label}-g1`);
    await engine('POST', `/containers/${fresh}/rename?name=${label}`);
  });
  await stop(fresh);
  times['start again'] = await timed(async () => {
    await start(fresh);
    await answers(second.address);
  });
  for (const id of [old, fresh]) await engine('DELETE', `/containers/${id}?force=true`);
  for (const name of volumes) await engine('DELETE', `/volumes/${name}`);
  return times;
}

try {
  await server.start(testType('plain') + testType('homely', 'homePath = "/home/workspace"\n'));
  const rows = [];
  for (const [type, sequential] of [['plain', false], ['homely', true]]) {
    const samples = {};
    const { made } = await byApi(type); // also warms both sides up
    await byEngine(made, sequential);
    for (let round = 0; round < rounds; round += 1) {
      const ours = (await byApi(type)).times;
      const theirs = await byEngine(made, sequential);
      for (const name of Object.keys(ours)) {
        samples[name] ??= { ours: [], theirs: [] };
        samples[name].ours.push(ours[name]);
        samples[name].theirs.push(theirs[name]);
      }
    }
    for (const [name, { ours, theirs }] of Object.entries(samples))
      rows.push([sequential ? `${name}, with home` : name, median(theirs), median(ours)]);
  }
  console.log(`medians of ${rounds} rounds, in ms`);
  console.log(`${''.padEnd(24)}${'engine'.padStart(8)}${'server'.padStart(8)}${'added'.padStart(8)}${'ratio'.padStart(8)}`);
  for (const [name, theirs, ours] of rows) {
    const cells = [theirs.toFixed(1), ours.toFixed(1), (ours - theirs).toFixed(1), (ours / theirs).toFixed(2)];
    console.log(name.padEnd(24) + cells.map((cell) => cell.padStart(8)).join(''));
  }
} finally {
  await server.close();
}
