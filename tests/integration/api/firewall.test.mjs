// What workspaces reach by network, tried from inside their containers: not this host, not one another, not a cloud's
// metadata service; names and the rest of the world as the operator says.
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { after, before, test } from 'node:test';

import { run } from '../../support/command.mjs';
import { eventually } from '../../support/eventually.mjs';
import { Server } from '../../support/server.mjs';

const listing = (...words) => execFileSync('nft', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
function whyNot() {
  if (process.getuid?.() !== 0) return 'rules need root';
  try {
    listing('list', 'tables');
  } catch {
    return 'this system has no nftables';
  }
}
const skip = whyNot();

// A service of this host that listens on all its addresses, as people start them without a thought.
let service, port;
before(async () => {
  service = createServer((socket) => socket.on('error', () => {}).end('a service of the host\n'));
  await new Promise((resolve) => service.listen(0, '0.0.0.0', resolve));
  ({ port } = service.address());
});
after(() => service.close());

function asked(server, ...command) {
  const { words, environment } = server.command(...command);
  return run(words, { environment });
}

// What a connection from inside of the container brings: the first words, 'refused' at once, or 'nothing'.
function reach(container, host, to) {
  return new Promise((resolve, reject) => {
    execFile('docker', ['exec', container, 'busybox', 'sh', '-c', 'printf "GET / HTTP/1.0\\r\\n\\r\\n" | busybox nc -w 2 "$0" "$1"', host, String(to)], { timeout: 30_000 }, (error, stdout, stderr) => {
      if (stdout) return resolve(stdout.trim());
      if (/refused|unreachable/i.test(stderr)) return resolve('refused');
      if (error?.killed) return reject(new Error('the container does not end'));
      resolve('nothing');
    });
  });
}

async function running(server, name = 'reaching') {
  const user = await server.user(name);
  const workspace = await user.createWorkspace();
  await user.start(workspace.id);
  const [{ Id }] = await server.engine.running(workspace.id);
  const { Gateway, IPAddress } = (await server.engine.inspect(Id)).NetworkSettings.Networks[server.network];
  return { user, workspace, id: Id, gateway: Gateway, address: IPAddress };
}

async function withServer(environment, work, prepare = () => {}) {
  const server = new Server({ environment });
  try {
    await prepare(server);
    await server.start();
    await work(server);
  } finally {
    await server.close();
  }
}

// A machine beyond this host: a namespace at the other end of a cable.
class Elsewhere {
  constructor() {
    this.name = `adb9-${randomBytes(4).toString('hex')}`;
    const third = randomBytes(1)[0];
    this.near = `10.254.${third}.1`;
    this.address = `10.254.${third}.2`;
  }
  ip(...words) {
    execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'] });
  }
  async open() {
    const [here, there] = [`${this.name}a`, `${this.name}b`];
    this.ip('netns', 'add', this.name);
    this.ip('link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', this.name);
    this.ip('addr', 'add', `${this.near}/30`, 'dev', here);
    this.ip('link', 'set', here, 'up');
    const inside = ['netns', 'exec', this.name, 'ip'];
    this.ip(...inside, 'addr', 'add', `${this.address}/30`, 'dev', there);
    this.ip(...inside, 'link', 'set', there, 'up');
    this.ip(...inside, 'route', 'add', 'default', 'via', this.near);
    const script = "const s = require('net').createServer((c) => c.on('error', () => {}).end('elsewhere\\n')); s.listen(9000, '0.0.0.0', () => console.log('listens'));";
    this.process = spawn('ip', ['netns', 'exec', this.name, process.execPath, '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.exited = new Promise((resolve) => this.process.on('close', resolve));
    await new Promise((resolve) => this.process.stdout.once('data', resolve));
    return this;
  }
  async close() {
    this.process?.kill('SIGKILL');
    await this.exited;
    execFileSync('ip', ['netns', 'del', this.name], { stdio: 'ignore' });
  }
}

test('a workspace does not reach this host, which reaches it', { skip }, () => withServer({}, async (server) => {
  const { user, workspace, id, gateway } = await running(server);
  assert.equal(await reach(id, gateway, port), 'refused');
  assert.equal(await reach(id, '169.254.169.254', 80), 'refused');
  await user.writeFile(workspace.id, 'note', 'the proxy reaches it');
  assert.equal(await user.readFile(workspace.id, 'note'), 'the proxy reaches it');
  const doctor = await asked(server, 'doctor');
  assert.match(doctor.stdout, /kept from this host's services/);
}));

test('with the firewall off it does, and doctor says so', { skip }, () => withServer({ AGENTDB9_DOCKER_FIREWALL: 'off' }, async (server) => {
  const { id, gateway } = await running(server);
  assert.equal(await reach(id, gateway, port), 'a service of the host');
  const doctor = await asked(server, 'doctor');
  assert.match(doctor.stdout, new RegExp(`may reach this host: ports .*\\b${port}\\b`));
}));

test('a port of this host that the operator lists is reached, no other', { skip }, () => withServer({ AGENTDB9_DOCKER_HOST_PORTS: String(port) }, async (server) => {
  const { id, gateway } = await running(server);
  assert.equal(await reach(id, gateway, port), 'a service of the host');
  assert.equal(await reach(id, gateway, port === 1 ? 2 : port - 1), 'refused');
}));

for (const [environment, reached] of [[{}, false], [{ AGENTDB9_DOCKER_FIREWALL: 'off' }, true]]) {
  test(`on a network that was there before, workspaces ${reached ? 'reach one another without the firewall' : 'do not reach one another'}`, { skip }, () =>
    withServer(environment, async (server) => {
      const one = await running(server, 'one');
      const other = await running(server, 'other');
      const answer = await reach(one.id, other.address, 8080);
      if (reached) assert.match(answer, /^HTTP\/1/);
      else assert.equal(answer, 'nothing');
    }, (server) => execFileSync('docker', ['network', 'create', server.network], { stdio: 'ignore' })));
}

test('the rest of the world is reached as far as the operator lists it', { skip }, async () => {
  const elsewhere = await new Elsewhere().open();
  try {
    for (const [egress, seen] of [['all', 'elsewhere'], ['192.0.2.0/24', 'refused'], [`192.0.2.0/24,${elsewhere.address}`, 'elsewhere'], ['10.254.0.0/16,10.0.0.0/8', 'elsewhere']]) {
      await withServer({ AGENTDB9_DOCKER_EGRESS: egress }, async (server) => {
        const { id } = await running(server);
        assert.equal(await reach(id, elsewhere.address, 9000), seen, `egress ${egress}`);
      });
    }
  } finally {
    await elsewhere.close();
  }
});

test('rules that somebody flushed come back, and those of a network that is gone go', { skip }, () => withServer({}, async (server) => {
  await running(server);
  const id = execFileSync('docker', ['network', 'inspect', '-f', '{{.Id}}', server.network], { encoding: 'utf8' });
  const table = `agentdb9.br-${id.slice(0, 12)}`;
  const gone = `agentdb9.br-${randomBytes(6).toString('hex')}`;
  assert.match(listing('list', 'table', 'inet', table), /chain input/);
  listing('delete', 'table', 'inet', table);
  listing('add', 'table', 'inet', gone);
  const printed = await asked(server, 'firewall');
  assert.equal(printed.code, 0, printed.stderr);
  assert.match(printed.stdout, new RegExp(`table inet ${table} \\{`));
  const doctor = await asked(server, 'doctor');
  assert.match(doctor.stdout, /agentdb9 firewall \| sudo nft -f -/);
  await server.restart();
  await eventually('the rules to be there', () => listing('list', 'tables').includes(table));
  await eventually('the others to be gone', () => !listing('list', 'tables').includes(gone));
}));

// Without the right to: a start goes on, and one that must have the rules says what is missing.
test('a server that may not set rules says so', { skip }, async () => {
  for (const firewall of ['auto', 'required']) {
    const server = new Server({ environment: { AGENTDB9_DOCKER_FIREWALL: firewall } });
    const real = server.program;
    server.command = ((command) => (...words) => {
      const made = command.call(server, ...words);
      return words[0] === 'serve' ? { ...made, words: ['--bounding-set=-net_admin', '--inh-caps=-net_admin', real, ...made.words] } : made;
    })(server.command);
    server.program = 'setpriv';
    try {
      await server.start();
      const user = await server.user('bound');
      const workspace = await user.createWorkspace();
      const answer = await user.post(`/api/workspaces/${workspace.id}/start`);
      if (firewall === 'auto') answer.expect(200);
      else answer.expect(409, 'firewall_missing');
      const warning = server.log.find((each) => each.event === "workspaces are not kept from this host's services");
      assert.match(warning.reason, /not permitted/i);
      if (firewall === 'required') assert.match(answer.body.message, /CAP_NET_ADMIN/);
    } finally {
      await server.close();
    }
  }
});
