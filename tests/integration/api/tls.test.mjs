// TLS on both listeners: the API, applications and WebSockets by it, renewal while it runs, and what is refused.
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { X509Certificate, createHash, randomBytes } from 'node:crypto';
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect } from 'node:tls';
import WebSocket from 'ws';

import { exchange } from '../../support/api_client.mjs';
import { on } from '../../support/command.mjs';
import { eventually } from '../../support/eventually.mjs';
import { adminEmail, adminPassword, Server, startServer } from '../../support/server.mjs';

const folder = mkdtempSync(join(tmpdir(), 'agentdb9-tls-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const at = (name) => join(folder, name);

function make(name) {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30', '-subj', `/CN=${name}`,
    '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', at(`${name}.key`), '-out', at(`${name}.pem`)], { stdio: 'pipe' });
  chmodSync(at(`${name}.key`), 0o600);
  return readFileSync(at(`${name}.pem`), 'utf8');
}
const ca = [make('first'), make('second'), make('apps')];
const fingerprint = (name) => new X509Certificate(readFileSync(at(`${name}.pem`))).fingerprint256;
// Where the server reads them; a renewal writes here.
const use = (name) => {
  copyFileSync(at(`${name}.pem`), at('live.pem'));
  copyFileSync(at(`${name}.key`), at('live.key'));
  chmodSync(at('live.key'), 0o600);
};
const section = (more = '') => `[server]\ntlsCertificate = "${at('live.pem')}"\ntlsKey = "${at('live.key')}"\n${more}`;

/** The certificate that a new connection is shown. */
const shown = (origin) => new Promise((resolve, reject) => {
  const url = new URL(origin);
  const socket = connect({ host: url.hostname, port: url.port, ca, ALPNProtocols: ['http/1.1'] }, () => {
    resolve(socket.getPeerX509Certificate().fingerprint256);
    socket.end();
  });
  socket.on('error', reject);
});
const curl = (...words) => new Promise((resolve) => {
  execFile('curl', ['-sS', '--max-time', '20', ...words], (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }));
});

describe('a server with TLS', () => {
  let server, user, workspace;
  before(async () => {
    use('first');
    server = await startServer({ toml: section(), tls: { ca } });
    user = await server.user('secure');
    workspace = await user.createWorkspace();
    await user.start(workspace.id);
  });
  after(() => server.close());

  const counted = async (outcome) => {
    const line = (await user.get('/metrics')).text.split('\n').find((each) => each.startsWith(`agentdb9_tls_handshakes_total{outcome="${outcome}"}`));
    return Number(line.split(' ')[1]);
  };
  const openSocket = () => new Promise((resolve, reject) => {
    const socket = new WebSocket(`${server.api.replace('https', 'wss')}/api/workspaces/${workspace.id}/proxy/ws`, { ca, headers: { Authorization: `Bearer ${user.token}` } });
    socket.on('open', () => resolve(socket)).on('error', reject);
  });
  const echo = (socket, message) => new Promise((resolve, reject) => {
    socket.once('message', (data) => resolve(data.toString()));
    socket.once('close', (code) => reject(new Error(`closed with ${code}`)));
    socket.send(message);
  });
  const logged = (event, mark) => eventually(`"${event}" in the log`, () => server.log.slice(mark).find((each) => each.event.startsWith(event)));

  test('says https wherever it names itself', async () => {
    assert.match(server.api, /^https:/);
    assert.match(server.apps, /^https:/);
    assert.ok(server.output.includes(`serves on ${server.api}/ (applications on ${server.apps}/)`), server.output);
    const shownSettings = Object.fromEntries((await on(server, 'config', '--json')).expect(0).json.map((each) => [each.key, each.value]));
    assert.equal(shownSettings['server.tlsCertificate'], at('live.pem'));
    assert.equal(shownSettings['server.tlsKey'], at('live.key'));
  });

  test('cookies and tickets are for https', async () => {
    const login = (await server.nobody().post('/api/auth/login', { email: adminEmail, password: adminPassword })).expect(200);
    const cookies = login.headers['set-cookie'] ?? [];
    for (const cookie of cookies) assert.match(cookie, /; Secure/);
    const { url } = (await user.post(`/api/workspaces/${workspace.id}/proxy-ticket`, {})).expect(201).data;
    assert.equal(new URL(url).origin, server.apps);
    const opened = (await exchange(server.apps, 'GET', new URL(url).pathname + new URL(url).search, { agent: server.agent })).expect(303);
    assert.match(opened.headers['set-cookie'][0], /; Secure/);
    const page = await exchange(server.apps, 'GET', opened.headers.location, { agent: server.agent, headers: { Cookie: opened.headers['set-cookie'][0].split(';')[0] } });
    assert.match(page.expect(200).text, /testapp/);
  });

  test('the application hears that its client came by https', async () => {
    const { body } = (await user.application('GET', workspace.id, '/echo')).expect(200);
    const headers = Object.fromEntries(body.headers.map(([name, value]) => [name.toLowerCase(), value]));
    assert.equal(headers['x-forwarded-proto'], 'https');
  });

  test('20 MB pass both ways, whole', async () => {
    const bytes = randomBytes(20 << 20);
    (await user.application('PUT', workspace.id, '/files/large', { body: bytes })).expect(201);
    const back = (await user.application('GET', workspace.id, '/files/large')).expect(200).bytes;
    assert.equal(back.length, bytes.length);
    assert.equal(createHash('sha256').update(back).digest('hex'), createHash('sha256').update(bytes).digest('hex'));
  });

  test('WebSockets pass, small and large', async () => {
    const socket = await openSocket();
    assert.equal(await echo(socket, 'hello'), 'hello');
    const large = 'x'.repeat(300_000);
    assert.equal(await echo(socket, large), large);
    socket.terminate();
  });

  test('plain HTTP is told to use https', async () => {
    for (const origin of [server.api, server.apps]) {
      const answer = (await exchange(origin.replace('https', 'http'), 'GET', '/healthz')).expect(400);
      assert.match(answer.text, /https:\/\//);
      assert.equal(answer.headers.connection, 'close');
    }
    const posted = await curl('-X', 'POST', '--data-binary', 'x'.repeat(100_000), server.api.replace('https', 'http'));
    assert.match(posted.stdout, /https:\/\//);
  });

  test('TLS 1.1 is refused, 1.2 and 1.3 are not; nothing but HTTP/1.1 is spoken', async () => {
    const failed = await counted('failed');
    const old = await curl('-k', '--tlsv1.1', '--tls-max', '1.1', '--ciphers', 'DEFAULT:@SECLEVEL=0', `${server.api}/healthz`);
    assert.equal(old.code, 35, `${old.stdout}${old.stderr}`);
    await eventually('it to be counted', async () => (await counted('failed')) === failed + 1);
    for (const words of [['--tlsv1.2', '--tls-max', '1.2'], ['--tlsv1.3'], ['--http2'], ['--http1.0']]) {
      const good = await curl('--cacert', at('first.pem'), '-w', '%{http_code} %{http_version}', '-o', '/dev/null', ...words, `${server.api}/healthz`);
      assert.match(good.stdout, /^200 1/, `${words}: ${good.stderr}`);
    }
    const only2 = await new Promise((resolve) => {
      const socket = connect({ port: new URL(server.api).port, host: '127.0.0.1', ca, ALPNProtocols: ['h2'] }, () => resolve('connected'));
      socket.on('error', (error) => resolve(error.code));
    });
    assert.match(only2, /NO_APPLICATION_PROTOCOL/);
  });

  test('what is not TLS just ends, and is counted', async () => {
    const failed = await counted('failed');
    const heard = await new Promise((resolve, reject) => {
      const pieces = [];
      const socket = connectPlain(new URL(server.api).port, '127.0.0.1', () => socket.end(Buffer.from([0x16, 3, 1, 0, 5, 9, 9, 9, 9, 9])));
      socket.on('data', (piece) => pieces.push(piece)).on('error', reject).on('close', () => resolve(Buffer.concat(pieces)));
    });
    // An alert at most.
    assert.ok(heard.length <= 7, heard.toString('hex'));
    assert.equal(await counted('failed'), failed + 1);
  });

  test('the doctor finds it well, and says until when the certificate is good', async () => {
    const { checks } = (await on(server, 'doctor', '--json')).json;
    assert.equal(checks.find((each) => each.check === 'server').state, 'ok', JSON.stringify(checks));
    const certificate = checks.find((each) => each.check === 'certificate');
    assert.equal(certificate.state, 'ok');
    assert.ok(certificate.what.includes(at('live.pem')));
  });

  test('SIGHUP renews the certificate for new connections; an open WebSocket lives on', async () => {
    assert.equal(await shown(server.api), fingerprint('first'));
    const socket = await openSocket();
    use('second');
    let mark = server.log.length;
    server.process.kill('SIGHUP');
    await logged('certificates reloaded', mark);
    await eventually('every worker to show it', async () => {
      for (let i = 0; i < 8; ++i) if ((await shown(server.api)) !== fingerprint('second')) return false;
      return true;
    });
    assert.equal(await shown(server.apps), fingerprint('second'));
    assert.equal(await echo(socket, 'still here'), 'still here');

    // Another one's key; then no file at all: what was in force stays so.
    for (const spoil of [() => copyFileSync(at('first.key'), at('live.key')), () => rmSync(at('live.pem'))]) {
      spoil();
      mark = server.log.length;
      server.process.kill('SIGHUP');
      const told = await logged('the certificates are not reloaded', mark);
      assert.equal(told.level, 'error');
      assert.match(told.reason, /live\.(key|pem)/);
      assert.equal(await shown(server.api), fingerprint('second'));
      assert.equal(await echo(socket, 'and on'), 'and on');
      (await user.get('/api/auth/profile')).expect(200);
    }
    assert.ok(!server.log.some((each) => JSON.stringify(each).includes('PRIVATE KEY')));
    use('first');
    mark = server.log.length;
    server.process.kill('SIGHUP');
    await logged('certificates reloaded', mark);
    await eventually('the first one to be back', async () => (await shown(server.api)) === fingerprint('first'));
    socket.terminate();
  });

  test('turning TLS off takes a restart, and is told', async () => {
    const before = server.toml;
    server.configure(before.replace(/\[server\][^[]*$/, ''));
    const mark = server.log.length;
    server.process.kill('SIGHUP');
    await logged('TLS is turned on or off by a restart only', mark);
    (await user.get('/api/auth/profile')).expect(200);
    server.configure(before);
  });
});

test('a renewed certificate is found without being told, and tickets of before open nothing any more', async () => {
  use('first');
  const server = await startServer({ toml: section('tlsRenewSeconds = 3\n'), tls: { ca } });
  const { port } = new URL(server.api);
  // TLS 1.2, where the ticket comes with the handshake: what it resumes, and the session it gives.
  const resume = (session) => new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, ca, session, maxVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] }, () => {
      resolve({ reused: socket.isSessionReused(), session: socket.getSession() });
      socket.end();
    }).on('error', reject);
  });
  try {
    // Within one period of the keys, which may just have ended.
    const { session } = await eventually('a ticket to be taken', async () => {
      const first = await resume();
      return (await resume(first.session)).reused && first;
    });
    use('second');
    await eventually('the second one to be shown', async () => (await shown(server.api)) === fingerprint('second'), { within: 30_000 });
    assert.equal((await resume(session)).reused, false);
  } finally {
    await server.close();
    use('first');
  }
});

test('applications may have a certificate of their own', async () => {
  use('first');
  const server = await startServer({ toml: section(`appsTlsCertificate = "${at('apps.pem')}"\nappsTlsKey = "${at('apps.key')}"\n`), tls: { ca } });
  try {
    assert.equal(await shown(server.api), fingerprint('first'));
    assert.equal(await shown(server.apps), fingerprint('apps'));
  } finally {
    await server.close();
  }
});

describe('a server does not start', () => {
  const refused = async (toml, pattern) => {
    const server = new Server({ toml });
    try {
      const outcome = await on(server, 'serve', '--listen', '127.0.0.1:0', '--apps-listen', '127.0.0.1:0');
      assert.notEqual(outcome.code, 0);
      assert.match(outcome.stderr, pattern);
      assert.doesNotMatch(outcome.stderr + outcome.stdout, /PRIVATE KEY|[A-Za-z0-9+/]{60}/, 'no key');
    } finally {
      await server.close();
    }
  };

  test('with another certificate\'s key', () => {
    use('first');
    copyFileSync(at('second.key'), at('live.key'));
    return refused(section(), /live\.key does not belong to the certificate .*live\.pem/);
  });
  test('without the file', () => {
    use('first');
    rmSync(at('live.key'));
    return refused(section(), /live\.key cannot be opened: No such file/);
  });
  test('with one of the two only', () => refused(`[server]\ntlsCertificate = "${at('live.pem')}"\n`, /server\.tlsCertificate is set, but server\.tlsKey is not/));
  test('with something else in the file', () => {
    use('first');
    writeFileSync(at('live.pem'), 'hello\n');
    return refused(section(), /live\.pem has no certificate/);
  });
});
