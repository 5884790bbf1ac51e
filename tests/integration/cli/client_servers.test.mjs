// The program as a client of servers that are away, elsewhere, restarted, of another kind, or behind TLS.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { EngineProxy } from '../../support/engine_proxy.mjs';
import { eventually } from '../../support/eventually.mjs';
import { Person } from '../../support/person.mjs';
import { startServer, testType } from '../../support/server.mjs';
import { TcpProxy } from '../../support/tcp_proxy.mjs';

/** A server of our own that answers as `handler` says, and keeps what it was asked. */
async function strange(handler) {
  const asked = [];
  const http = createServer((request, response) => {
    asked.push({ url: request.url, headers: request.headers });
    handler(request, response);
  });
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${http.address().port}`, asked, close: () => new Promise((resolve) => { http.close(resolve); http.closeAllConnections(); }) };
}

/** Has a process a file of this name open? */
const opens = ({ pid }, name) => readdirSync(`/proc/${pid}/fd`).some((each) => {
  try {
    return readlinkSync(`/proc/${pid}/fd/${each}`).endsWith(`/${name}`);
  } catch {
    return false; // it has closed it
  }
});

/** Has a signal come that a process hears later? */
const holdsBack = ({ pid }, signal) => (BigInt(`0x${/^ShdPnd:\s*(\w+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]}`) >> BigInt(signal - 1)) & 1n;

describe('a server', () => {
  let server;
  before(async () => (server = await startServer({ toml: testType('slow', { START_DELAY: 2500 }) })));
  after(() => server.close());

  test('that is restarted while an operation is followed is waited for', async () => {
    const api = await server.user('restart');
    const person = new Person();
    await person.login(server, api);
    const workspace = await api.createWorkspace({ type: 'slow', name: 'steady' });
    const command = person.start('ws', 'start', 'steady');
    await eventually('the start to run', async () => (await api.get(`/api/workspaces/${workspace.id}/operations`)).data.some((each) => each.state === 'running'));
    await server.kill();
    await server.start();
    assert.equal((await command.ended).code, 0, command.output());
    assert.match(command.output(), /^Started 'steady'/);
  });

  test('that is away is told by its address, with the way on', async () => {
    const api = await server.user('away');
    const person = new Person();
    await person.login(server, api);
    const workspace = await api.createWorkspace({ type: 'slow', name: 'lost' });
    const followed = person.start('ws', 'start', 'lost', '--timeout', '2');
    await eventually('the start to run', async () => (await api.get(`/api/workspaces/${workspace.id}/operations`)).data.some((each) => each.state === 'running'));
    await server.kill();
    try {
      for (const words of [['whoami'], ['ws', 'list'], ['ws', 'start', 'x'], ['login', server.api, '--email', 'a@example.test', '--password-stdin']]) {
        const { stderr } = (await person.runWith(`${api.password}\n`, ...words)).expect(4);
        assert.ok(stderr.includes(`The server at ${server.api} cannot be reached`) && stderr.includes('agentdb9 login'), stderr);
      }
      assert.equal((await followed.ended).code, 4, followed.output());
      assert.match(followed.output(), /recorded there and goes on: 'agentdb9 workspaces status/);
      // Its session ends by itself; here it is forgotten.
      const gone = (await person.run('logout')).expect(0);
      assert.match(gone.stderr, /could not be ended at the server/);
      assert.ok(!existsSync(person.file));
    } finally {
      await server.start();
    }
  });

  test('gets no token that another one gave', async () => {
    const api = await server.user('loyal');
    const person = new Person();
    await person.login(server, api);
    const other = await strange((request, response) => response.end('{}'));
    try {
      const { stderr } = (await person.runIn({ AGENTDB9_URL: other.url }, 'whoami')).expect(1);
      assert.ok(stderr.includes(other.url) && stderr.includes(server.api), stderr);
      assert.deepEqual(other.asked, []);
      // The same server by another spelling is the same.
      (await person.runIn({ AGENTDB9_URL: `${server.api}/` }, 'whoami')).expect(0);
      assert.match((await new Person({ AGENTDB9_TOKEN: 'adb9_x' }).run('whoami')).expect(2).stderr, /set AGENTDB9_URL/);
      assert.match((await new Person({ AGENTDB9_URL: server.api, AGENTDB9_TOKEN: 'two words' }).run('whoami')).expect(2).stderr, /AGENTDB9_TOKEN holds no token/);
    } finally {
      await other.close();
    }
  });

  test('that renews a session while Ctrl-C comes has not done so in vain', async () => {
    const api = await server.user('renewed');
    const person = new Person();
    await person.login(server, api);
    let answer;
    const slow = await strange((request, response) => (answer = () => response.end('{"accessToken":"next","refreshToken":"next-one","expiresIn":900}')));
    try {
      person.store({ url: slow.url, accessExpiresAt: 1 });
      const command = person.start('whoami');
      await eventually('the renewal to be asked for', () => slow.asked.some((each) => each.url === '/api/auth/refresh'));
      command.child.kill('SIGINT');
      // Another command meanwhile waits for this one, and spends nothing.
      const other = person.start('whoami');
      await eventually('the other one to wait', () => opens(other.child, 'client.json.lock'));
      answer();
      assert.equal((await command.ended).signal, 'SIGINT');
      assert.equal(person.stored.refreshToken, 'next-one');
      await eventually('the other one to go on with it', () => slow.asked.some((each) => each.headers.authorization === 'Bearer next'));
      other.child.kill('SIGKILL');
      assert.equal(slow.asked.filter((each) => each.url === '/api/auth/refresh').length, 1);
    } finally {
      await slow.close();
    }
  });

  test('that renews a session while files are read to be copied has not done so in vain either', async () => {
    const api = await server.user('copying');
    const person = new Person();
    await person.login(server, api);
    let answer;
    const row = { id: '4cfd8a55-3c1e-4f36-8a4c-0c7a9b1b6d31', name: 'desk' };
    const slow = await strange((request, response) => {
      if (request.url === '/api/auth/refresh') answer = () => response.end('{"accessToken":"next","refreshToken":"next-one","expiresIn":900}');
      else response.end(JSON.stringify({ success: true, data: [row] }));
    });
    try {
      // Good for the look at the workspace, and no longer when there is something to send.
      const old = Math.floor(Date.now() / 1000) + 4;
      person.store({ url: slow.url, accessExpiresAt: old + 20 });
      const command = person.start('cp', '-', 'desk:big');
      await eventually('it to read', () => slow.asked.length > 0);
      await eventually('the token to be old', () => Date.now() / 1000 > old);
      assert.ok(!answer);
      // More than a pipe holds.
      command.child.stdin.end(Buffer.alloc(1 << 20));
      await eventually('the renewal to be asked for', () => answer);
      command.child.kill('SIGTERM');
      await eventually('the signal to wait, or to have ended it', () => command.child.signalCode || holdsBack(command.child, 15));
      answer();
      assert.equal((await command.ended).signal, 'SIGTERM');
      assert.equal(person.stored.refreshToken, 'next-one');
    } finally {
      await slow.close();
    }
  });

  test('that sends elsewhere is not followed there', async () => {
    const there = await strange((request, response) => response.end('{"success":true,"data":{}}'));
    const here = await strange((request, response) => response.writeHead(307, { Location: `${there.url}/api/auth/profile` }).end());
    try {
      const { stderr } = (await new Person({ AGENTDB9_URL: here.url, AGENTDB9_TOKEN: 'adb9_secret' }).run('whoami')).expect(1);
      assert.ok(stderr.includes(there.url) && !stderr.includes('adb9_secret'), stderr);
      assert.equal(here.asked[0].headers.authorization, 'Bearer adb9_secret');
      assert.deepEqual(there.asked, []);
    } finally {
      await here.close();
      await there.close();
    }
  });

  test('of another kind, broken or silent is told as such', async () => {
    const cases = [
      [(request, response) => response.end('<html>hello'), 1, /is no AgentDB9 server \(HTTP status 200\)/],
      [(request, response) => response.writeHead(502).end('<html>bad gateway'), 4, /does not reach its server \(HTTP status 502\)/],
      [(request, response) => response.socket.destroy(), 4, /cannot be reached/],
      [() => {}, 4, /did not answer within 1 s/],
      [(request, response) => response.end('{"success":true,"data":7}'), 1, /cannot be read; is the server of another version/],
      [(request, response) => response.end('{"success":true,"data":[7]}'), 1, /cannot be read; is the server of another version/],
    ];
    for (const [handler, code, sentence] of cases) {
      const other = await strange(handler);
      try {
        const person = new Person({ AGENTDB9_URL: other.url, AGENTDB9_TOKEN: 'adb9_secret' });
        const told = (await person.run('ws', 'list', '--timeout', '1')).expect(code);
        assert.match(told.stderr, sentence);
        assert.ok(!told.stderr.includes('adb9_secret'));
      } finally {
        await other.close();
      }
    }
  });

  test('cannot make the terminal obey', async () => {
    const hostile = 'a\u001b[2J\u009b31m\nb';
    const row = { id: '4cfd8a55-3c1e-4f36-8a4c-0c7a9b1b6d31', name: hostile, createdAt: '2027-01-31T12:00:00.000Z' };
    const other = await strange((request, response) => response.writeHead(request.url.includes('?') ? 200 : 409).end(
      JSON.stringify(request.url.includes('?') ? { success: true, data: [row] } : { success: false, error: hostile, code: 'x', requestId: hostile })));
    try {
      const person = new Person({ AGENTDB9_URL: other.url, AGENTDB9_TOKEN: 'adb9_secret' });
      const told = [(await person.run('projects', 'list')).expect(0), (await person.run('projects', 'show', 'a')).expect(3), (await person.run('projects', 'create', 'x')).expect(1)];
      for (const each of told) {
        assert.match(each.stdout + each.stderr, /a\?\[2J\?31m\sb/);
        assert.ok(!/[\u001b\u009b]/.test(each.stdout + each.stderr), JSON.stringify(each));
      }
      assert.equal(told[0].stdout.split('\n').length, 3, 'a row is a line');
    } finally {
      await other.close();
    }
  });

  test('by plain http on another machine is warned of', async () => {
    const person = new Person();
    assert.match((await person.runWith('x\n', 'login', 'http://agentdb9.invalid', '--email', 'a@example.test', '--password-stdin')).expect(4).stderr, /warning: .*plain http to another machine/);
    assert.match((await person.runIn({ AGENTDB9_URL: 'http://agentdb9.invalid', AGENTDB9_TOKEN: 'adb9_x' }, 'whoami')).expect(4).stderr, /warning: AGENTDB9_URL is http:\/\//);
    assert.ok(!(await person.runWith('x\n', 'login', 'https://agentdb9.invalid', '--email', 'a@example.test', '--password-stdin')).expect(4).stderr.includes('warning'));
    const secret = (await person.run('login', 'https://ada:hunter2@work.example.org')).expect(2);
    assert.ok(!secret.stderr.includes('hunter2'));
  });
});

describe('a server without its engine', () => {
  let server, engine;
  before(async () => {
    engine = await new EngineProxy().open();
    server = await startServer({ environment: { DOCKER_HOST: engine.host } });
  });
  after(async () => {
    await server.close();
    await engine.remove();
  });

  test('has what was asked for recorded, and that is said', async () => {
    const api = await server.user('engineless');
    const person = new Person();
    await person.login(server, api);
    const workspace = await api.createWorkspace({ name: 'waiting' });
    await engine.close();
    const { stderr } = (await person.run('ws', 'start', 'waiting')).expect(4);
    assert.match(stderr, /container engine does not answer\. What you asked for is recorded, and goes on by itself/);
    assert.match((await person.run('ws', 'status', 'waiting')).expect(0).stdout, /^health +unknown$/m);
    await engine.open();
    await eventually('it to run', async () => (await api.get(`/api/workspaces/${workspace.id}`)).data.status === 'running', { within: 30_000 });
  });

  test('for a moment only is waited for', async () => {
    const api = await server.user('moment');
    const person = new Person();
    await person.login(server, api);
    await api.createWorkspace({ name: 'soon' });
    await engine.close();
    const command = person.startOnTerminal('ws', 'start', 'soon');
    await command.says('the container engine does not answer');
    await engine.open();
    assert.equal((await command.ended).code, 0, command.output());
    assert.match(command.output(), /Started 'soon'/);
  });
});

describe('by https', () => {
  const folder = mkdtempSync(join(tmpdir(), 'agentdb9-client-tls-'));
  const at = (name) => join(folder, name);
  let server, api;
  before(async () => {
    for (const name of ['own', 'other']) {
      execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30', '-subj', `/CN=${name}`,
        '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', at(`${name}.key`), '-out', at(`${name}.pem`)], { stdio: 'pipe' });
      chmodSync(at(`${name}.key`), 0o600);
    }
    server = await startServer({ toml: `[server]\ntlsCertificate = "${at('own.pem')}"\ntlsKey = "${at('own.key')}"\n`, tls: { ca: readFileSync(at('own.pem'), 'utf8') } });
    api = await server.user('tls');
  });
  after(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('a certificate counts when its authority is known, and only for its name', async () => {
    const person = new Person();
    const login = (url, ...words) => person.runWith(`${api.password}\n`, 'login', url, '--email', api.user.email, '--password-stdin', ...words);
    for (const words of [[], ['--cacert', at('other.pem')]]) {
      const { stderr } = (await login(server.api, ...words)).expect(4);
      assert.match(stderr, /The certificate of https:\/\/127\.0\.0\.1:\d+ is not accepted \(.+\)\. .*--cacert FILE/);
      assert.ok(!stderr.includes(api.password));
    }
    (await login(server.api.replace('127.0.0.1', 'localhost'), '--cacert', at('own.pem'))).expect(4);
    assert.match((await login(server.api, '--cacert', at('nowhere.pem'))).expect(2).stderr, /nowhere\.pem cannot be read/);
    assert.ok(!existsSync(person.file));
    (await login(server.api, '--cacert', at('own.pem'))).expect(0);
  });

  test('Ctrl-C gives a shell up whose connection does not come about', async (t) => {
    const workspace = await api.createWorkspace({ name: 'far' });
    await api.start(workspace.id);
    const proxy = await new TcpProxy(new URL(server.api)).open();
    t.after(() => proxy.close());
    const person = new Person({ AGENTDB9_URL: proxy.url.replace('http', 'https'), AGENTDB9_TOKEN: (await api.post('/api/auth/tokens', { name: 'far' })).expect(201).data.token, AGENTDB9_CACERT: at('own.pem') });
    const shell = person.startShellOnTerminal('"$AGENTDB9" shell far; echo "code=$?"');
    await shell.says('$ ');
    proxy.silent = true;
    proxy.cut();
    await eventually('another try', () => proxy.swallowed > 0);
    shell.type('\x03');
    await shell.says('given up');
    await shell.says('code=1');
    await shell.ended;
  });

  test('the authority is remembered with the login, or named by the environment', async () => {
    const person = new Person();
    await person.login(server, api, '--cacert', at('own.pem'));
    (await person.run('whoami')).expect(0);
    person.store({ accessExpiresAt: 1 });
    (await person.run('ws', 'list')).expect(0);
    (await person.run('whoami', '--cacert', at('other.pem'))).expect(4);
    // Again without naming it, and without a word: the same server.
    await person.login(server, api);
    const token = (await person.run('token', 'create', 'tls')).expect(0).stdout.trim();
    const environment = { AGENTDB9_URL: server.api, AGENTDB9_TOKEN: token };
    (await new Person({ ...environment, AGENTDB9_CACERT: at('own.pem') }).run('whoami')).expect(0);
    (await new Person(environment).run('whoami')).expect(4);
    (await person.run('logout')).expect(0);
  });
});
