// Before anything is measured: does each proxy answer as it has to, and pass on what it should and nothing else?
import { request } from 'node:http';
import { startPeer } from './peers.mjs';
import { largeBody, smallBody } from './upstream.mjs';

function get(port, path, token) {
  return new Promise((done, fail) => {
    const headers = { host: 'app.example.test', ...(token ? { authorization: `Bearer ${token}` } : {}) };
    const asked = request({ port, path, headers, host: '127.0.0.1', agent: false }, (answer) => {
      const pieces = [];
      answer.on('data', (piece) => pieces.push(piece));
      answer.on('end', () => done({ status: answer.statusCode, body: Buffer.concat(pieces) }));
      answer.on('error', fail);
    });
    asked.on('error', fail).end();
  });
}

// Throws for a wrong answer; returns remarks.
export async function checkAnswers(peer, bench) {
  const proxy = await startPeer(peer, { ...bench.place(1), upstream: bench.http.port });
  const expect = (what, got, wanted) => {
    if (got !== wanted) throw new Error(`${peer.name}: ${what} is ${got}, not ${wanted}`);
  };
  try {
    const token = bench.token('token');
    const ask = (name, credential = token) => get(proxy.port, bench.path + name, credential);
    const small = await ask('1k');
    expect('the status of 1 KB', small.status, 200);
    expect('the body of 1 KB as sent', small.body.equals(Buffer.from(smallBody)), true);
    expect('the body of 10 MB as sent', (await ask('10m')).body.equals(largeBody), true);
    const seen = Object.fromEntries((await ask('seen')).body.toString().split(';').map((each) => each.split('=')));
    expect('Host', seen.host, 'app.example.test');
    expect('X-Forwarded-For', seen.x_forwarded_for.replace('::ffff:', ''), '127.0.0.1');
    expect('X-Forwarded-Host', seen.x_forwarded_host, 'app.example.test');
    expect('X-Forwarded-Proto', seen.x_forwarded_proto, 'http');
    if (!peer.keepsAuthorization) expect('Authorization, as the application sees it', seen.authorization, '');
    if (peer.authenticates) {
      expect('the status without a token', (await ask('1k', '')).status, 401);
      expect('the status with a forged token', (await ask('1k', token.slice(0, -8) + 'AAAAAAAA')).status, 401);
    }
    if (peer.ours) expect("the status with a stranger's token", (await ask('1k', bench.token('strangers'))).status, 404);
    const checked = peer.ours ? 'token and owner are checked' : peer.authenticates ? 'the token is checked' : 'no authentication';
    return `${checked}${peer.keepsAuthorization ? '; cannot drop Authorization' : ''}`;
  } finally {
    await proxy.stop();
  }
}
