// Tried from outside: floods, what comes too slowly, and what is as large as it likes. Meanwhile the others are answered,
// the server's memory stays where it was, and whoever is refused hears why.
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import WebSocket from 'ws';

import { Scene } from '../../support/attack_scene.mjs';
import { eventually } from '../../support/eventually.mjs';
import { RawConnection } from '../../support/raw_http.mjs';

const MB = 1 << 20;
// What the server may grow by, whatever passes through it: code that is used for the first time, sockets' own
// buffers, an allocator's slack. A copy of any of these bodies would be several times as much.
const growth = 30 * MB;

/** How far the server's resident memory rises above what it has now while `work` runs, at its highest, in bytes. */
async function growthDuring(server, work) {
  const { pid } = server.process;
  const field = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;
  writeFileSync(`/proc/${pid}/clear_refs`, '5');  // proc(5): the peak begins anew
  const base = field('VmRSS');
  const result = await work();
  return { result, grown: field('VmHWM') - base };
}

describe('floods', () => {
  // Others than the tests' own, which the limits of an address are not to hit.
  const from = '127.0.0.9';
  const limits = '[proxy]\nheadSeconds = 2\nbodySeconds = 2\nidleSeconds = 4\ntotalSeconds = 6\nconnectionsPerAddress = 300\n';
  let scene, server, alice, mallory;
  before(async () => {
    scene = await Scene.start('host names', { toml: limits });
    ({ server, alice, mallory } = scene);
    // A connection that this server ends for its idleness may be one that would be used again just then.
    server.agent.destroy();
    server.agent = new Agent();
  });
  after(() => scene?.close());

  const apps = (method, path, headers = []) => scene.text(method, scene.at(mallory, path), [mallory.bearer, ...headers]);
  const api = (method, path, headers = []) => scene.text(method, scene.atApi(path), [mallory.bearer, ...headers]);

  /** Runs an attack while Alice goes on with her work: she is answered all the time, and memory stays. */
  async function meanwhile(attack) {
    let ended = false;
    let answered = 0;
    const work = (async () => {
      for (; !ended; ++answered) {
        assert.equal((await scene.ask(scene.at(alice, '/status/200'), [alice.bearer])).status, 200);
        assert.equal((await scene.ask(scene.atApi('/api/workspaces'), [alice.bearer])).status, 200);
      }
    })();
    const { result, grown } = await growthDuring(server, async () => {
      try {
        return await attack();
      } finally {
        ended = true;
        await work;
      }
    });
    assert.ok(answered > 0, 'nobody else was answered');
    assert.ok(grown < growth, `the server grew by ${(grown / MB).toFixed(1)} MB`);
    return result;
  }

  /** Sends `start` and then `piece` again and again, until the server ends it; what it answered, and how much it took. */
  async function endless(origin, start, piece, { most = 64 * MB } = {}) {
    const connection = new RawConnection(origin, { from });
    let sent = start.length;
    await connection.write(start);
    for (; sent < most && (await connection.write(piece)); sent += piece.length) await new Promise(setImmediate);  // it has to hear, too
    const [answer] = await connection.answers();
    connection.close();
    return { answer, sent };
  }

  test('a head without an end is refused, however it grows', async () => {
    const line = (origin) => (origin === server.apps ? apps : api);
    const block = 'a'.repeat(64 * 1024);
    const floods = {
      'a request line': (at) => [`GET ${at.path}`, block, 431],
      'a method': () => ['', block, 431],
      'a query': (at) => [`GET ${at.path}?`, '%41=&'.repeat(10_000), 431],
      'a value': (at) => [`${at.open}X: `, block, 431],
      'a name': (at) => [at.open, block, 431],
      'fields': (at) => [at.open, 'X: y\r\n'.repeat(10_000), 431],
      'cookies': (at) => [at.open, 'Cookie: agentdb9_app=x\r\n'.repeat(2_000), 431],
      'spaces': (at) => [`${at.open}X:`, ' '.repeat(64 * 1024), 431],
      'zeros of a length': (at) => [`${at.open}Content-Length: `, '0'.repeat(64 * 1024), 431],
      'empty lines': () => ['', '\r\n'.repeat(10_000), 400],
      'bare LFs': () => ['', '\n'.repeat(10_000), 400],
      'NULs': (at) => [`${at.open}X: `, '\0'.repeat(64 * 1024), 431],
    };
    await meanwhile(async () => {
      for (const [origin, path] of [[server.apps, scene.at(mallory, '/x').target], [server.api, '/api/workspaces']]) {
        const open = line(origin)('GET', origin === server.apps ? '/x' : path).slice(0, -2);
        for (const [what, make] of Object.entries(floods)) {
          const seen = await scene.witness(() => endless(origin, ...make({ path, open })));
          assert.equal(seen.result.answer?.status, make({ path, open })[2], `${what} at ${origin}`);
          assert.ok(seen.result.sent < 32 * MB, `${what}: the server took ${seen.result.sent} bytes`);
          assert.deepEqual([...seen.mallory, ...seen.alice].filter(({ url }) => url === '/x'), [], what);
        }
        // Those that do end, as well.
        const whole = { '10,000 fields': 'X: y\r\n'.repeat(10_000), 'a megabyte': `X: ${'y'.repeat(MB)}\r\n`, 'a field too many': 'X: y\r\n'.repeat(200) };
        for (const [what, fields] of Object.entries(whole)) {
          const seen = await scene.witness(() => endless(origin, `${open}${fields}\r\n`, '', { most: 0 }));
          assert.deepEqual([seen.result.answer?.status, seen.result.answer?.code], [431, 'head_too_large'], what);
          assert.deepEqual([...seen.mallory, ...seen.alice].filter(({ url }) => url === '/x'), [], what);
        }
      }
    });
  });

  test('chunks, extensions and trailers without an end stop where the limits are', async () => {
    const chunked = ['Transfer-Encoding: chunked'];
    const doors = {
      'an application': [server.apps, apps('POST', '/x', chunked)],
      'the API': [server.api, api('POST', '/api/projects', [...chunked, 'Content-Type: application/json'])],
    };
    const floods = {
      'an extension': ['5;', 'a'.repeat(64 * 1024)],
      'a size': ['', '0'.repeat(64 * 1024)],
      'trailers': ['0\r\n', 'X: y\r\n'.repeat(10_000)],
      'one trailer': ['0\r\nX: ', 'y'.repeat(64 * 1024)],
    };
    await meanwhile(async () => {
      for (const [where, [origin, open]] of Object.entries(doors)) {
        for (const [what, [start, piece]] of Object.entries(floods)) {
          const seen = await scene.witness(() => endless(origin, open + start, piece));
          assert.equal(seen.result.answer?.status, 400, `${what} to ${where}`);
          assert.ok(seen.result.sent < 32 * MB, `${what} to ${where}: the server took ${seen.result.sent} bytes`);
          assert.ok(seen.mallory.every((each) => each.bodyLength === null), `${what}: the application took it for whole`);
        }
      }
      // A byte a chunk: the API stops at its largest body; an application may take it all, and not for whole when it breaks off.
      const small = '1\r\na\r\n'.repeat(20_000);
      const refused = await endless(server.api, doors['the API'][1], small);
      assert.deepEqual([refused.answer?.status, refused.answer?.code], [413, 'body_too_large']);
      const seen = await scene.witness(async () => {
        const connection = new RawConnection(server.apps, { from });
        await connection.write(doors['an application'][1]);
        for (let i = 0; i < 40; ++i) assert.ok(await connection.write(small));
        connection.close();
      });
      assert.ok(seen.mallory.every((each) => each.url === '/x' && each.bodyLength === null), JSON.stringify(seen.mallory));
    });
  });

  test('credentials and bodies of nobody are not kept, however many and large', async () => {
    const cookie = await scene.cookie(mallory);
    const place = scene.at(mallory, '/status/200');
    const large = (i) => String(i).padStart(30_000, 'x');
    const credentials = {
      'cookies': [(i) => [`Cookie: agentdb9_app=${large(i)}`], 401],
      'tokens': [(i) => [`Authorization: Bearer ${large(i)}`], 401],
      'tokens of an application\'s own': [(i) => [cookie, `Authorization: Bearer ${large(i)}`], 200],
    };
    for (const [what, [headers, status]] of Object.entries(credentials)) {
      await meanwhile(async () => {
        const connection = new RawConnection(server.apps, { from });
        for (let i = 0; i < 2_000; ++i) {
          await connection.write(scene.text('GET', place, headers(i)));
          assert.equal((await connection.answer()).status, status, what);
        }
        connection.close();
      });
    }
    const megabyte = 'x'.repeat(MB - 1);  // and the last byte never comes
    const bodies = { 'declared': [['Content-Length: 1048576'], megabyte], 'in chunks': [['Transfer-Encoding: chunked'], `100000\r\n${megabyte}`] };
    for (const [what, [headers, body]] of Object.entries(bodies)) {
      await meanwhile(async () => {
        const crowd = Array.from({ length: 200 }, () => new RawConnection(server.api, { from: '127.0.0.11' }));
        await Promise.all(crowd.map(async (each) => {
          await each.write(scene.text('POST', scene.atApi('/api/projects'), ['Content-Type: application/json', ...headers]));
          await each.write(body);
          const answer = await each.answer();
          assert.deepEqual([answer?.status, answer?.code], [413, 'body_too_large'], what);
        }));
        for (const each of crowd) each.close();
      });
    }
  });

  test('answers that nobody reads wait outside', async () => {
    const reads = { 'a document of the server': scene.text('GET', scene.atApi('/api/openapi.json')), 'an application\'s': apps('GET', '/stream?bytes=100000000') };
    for (const [what, text] of Object.entries(reads)) {
      await meanwhile(async () => {
        const origin = what.startsWith('an ') ? server.apps : server.api;
        const crowd = Array.from({ length: 250 }, () => new RawConnection(origin, { from: '127.0.0.12' }));
        await Promise.all(crowd.map((each) => each.opened));
        for (const each of crowd) each.socket.pause();
        await Promise.all(crowd.map((each) => each.write(text.repeat(30))));
        // What the first ones have asked for is answered before what comes last.
        assert.equal((await scene.ask(scene.atApi('/api/openapi.json'))).status, 200);
        for (const each of crowd) each.close();
      });
    }
  });

  test('heads and bodies that come too slowly hear so, and the others do not wait for them', async () => {
    const body = 'x'.repeat(100);
    const slow = {
      'a head, a byte now and then': [server.apps, '', apps('GET', '/x'), 408],
      'a head for the API': [server.api, '', api('GET', '/api/workspaces'), 408],
      'a head that stops': [server.apps, apps('GET', '/x').slice(0, -2), '', 408],
      'a body for the API, a byte now and then': [server.api, api('POST', '/api/projects', ['Content-Type: application/json', 'Content-Length: 100']), body, 408],
      'a body for the API that stops': [server.api, api('POST', '/api/projects', ['Content-Type: application/json', 'Content-Length: 100']), '', 408],
      'a body for an application that stops': [server.apps, apps('POST', '/x', ['Content-Length: 100']), '', 408],
      'chunks that stop': [server.apps, apps('POST', '/x', ['Transfer-Encoding: chunked']) + '5\r\nhe', '', 408],
      'a body for an application, a byte now and then': [server.apps, apps('POST', '/x', ['Content-Length: 100']), body, 504],
    };
    const attack = async ([what, [origin, start, rest, status]]) => {
      const connection = new RawConnection(origin, { from });
      await connection.write(start);
      let ended = false;
      const answers = connection.answers({ within: 30_000 }).finally(() => (ended = true));
      let sent = 0;
      for (; sent < rest.length && !ended && (await connection.write(rest[sent])); ++sent) await pause(200);
      assert.deepEqual((await answers).map((each) => each.status), [status], what);
      assert.ok(rest === '' || sent < rest.length, `${what}: it was waited for to the last byte`);
    };
    // Eight of each at once.
    await meanwhile(() => Promise.all(Array(8).fill(Object.entries(slow)).flat().map(attack)));
    assert.ok((await scene.received(mallory)).every(({ url, bodyLength }) => url !== '/x' || bodyLength === null), 'one was taken for whole');
  });

  test('of 500 connections that do nothing, those over the limit are refused, and nobody else suffers', async () => {
    for (const [what, text] of [['nothing at all', ''], ['half a head', apps('GET', '/x').slice(0, 40)]]) {
      await meanwhile(async () => {
        const connections = Array.from({ length: 500 }, (_, i) => new RawConnection(i % 2 ? server.apps : server.api, { from: '127.0.0.10' }));
        await Promise.all(connections.map((each) => each.opened));
        await Promise.all(connections.map((each) => text && each.write(text)));
        await eventually(`200 of 500 with ${what} to be refused`, () => connections.filter((each) => each.bytesHeard > 0 || each.closed).length >= 200);
        // The rest is ended by the server, not by us, and then there is room again.
        const ends = await Promise.all(connections.map((each) => each.answers({ within: 30_000 })));
        const answers = ends.flat();
        assert.ok(ends.every((each) => each.length <= 1));
        // Of those over the limit a crowd is told, one by one; of so many at once the others just end.
        const told = answers.filter((each) => each.status === 429);
        assert.ok(told.length > 0 && told.length <= 200, `${what}: ${told.length} were told`);
        for (const answer of told) assert.ok(answer.code === 'too_many_connections' && Number(answer.headers['retry-after']) > 0, answer.text);
        const slow = answers.filter((each) => each.status !== 429);
        assert.ok(slow.every((each) => text && each.status === 408), what);
        // On a slow machine the first are over before the last have come.
        if (text) assert.ok(slow.length >= 300 && slow.length < 500, `${slow.length} of 500 had a place`);
        const next = new RawConnection(server.apps, { from: '127.0.0.10' });
        await next.write(apps('GET', '/status/200', ['Connection: close']));
        assert.deepEqual((await next.answers()).map((each) => each.status), [200]);
      });
    }
  });

  test('after all that, the server is well and has logged no failure of its own', () => scene.isWell());
});

describe('200 MB', () => {
  const total = 200 * MB;
  const block = randomBytes(MB);
  let scene, server, mallory;
  before(async () => {
    scene = await Scene.start('paths');
    ({ server, mallory } = scene);
    // What is used for the first time is not what is measured.
    await Promise.all([mirrored(4 * MB, {}), echoed(4)]);
  });
  after(() => scene?.close());

  // Each block has its number, so that none can stand for another.
  const numbered = (i) => {
    const piece = Buffer.from(block);
    piece.writeUInt32BE(i);
    return piece;
  };

  /** Sends `bytes` to the application, which sends them back while they come; the hashes of both. */
  function mirrored(bytes, { chunked = false }) {
    const { host, target } = scene.at(mallory, chunked ? '/x' : '/mirror');
    const [sent, heard] = [createHash('sha256'), createHash('sha256')];
    return new Promise((resolve, reject) => {
      const headers = { Host: host, Authorization: `Bearer ${mallory.client.token}`, ...(chunked ? {} : { 'Content-Length': bytes }) };
      const call = request(server.apps, { method: 'POST', path: target, headers }, (response) => {
        let text = '';
        response.on('data', (piece) => (chunked ? (text += piece) : heard.update(piece)));
        response.on('error', reject);
        response.on('end', () => resolve({ status: response.statusCode, sent: sent.digest('hex'), heard: heard.digest('hex'), text }));
      });
      call.on('error', reject);
      (async () => {
        for (let i = 0; i < bytes / MB; ++i) {
          const piece = numbered(i);
          sent.update(piece);
          if (!call.write(piece)) await new Promise((next) => call.once('drain', next));
        }
        call.end();
      })();
    });
  }

  /** Sends so many messages of a megabyte, a few ahead of their echoes; the hashes of both. */
  async function echoed(messages) {
    const { target } = scene.at(mallory, '/ws');
    const socket = new WebSocket(`${server.apps.replace('http', 'ws')}${target}`, { headers: { Authorization: `Bearer ${mallory.client.token}` }, perMessageDeflate: false });
    const [sent, heard] = [createHash('sha256'), createHash('sha256')];
    let next = 0;
    const send = () => {
      const piece = numbered(next++);
      sent.update(piece);
      socket.send(piece);
    };
    await new Promise((resolve, reject) => {
      let back = 0;
      socket.on('error', reject).on('close', (code) => reject(new Error(`closed with ${code} after ${back} messages`)));
      socket.on('open', () => {
        for (let i = 0; i < Math.min(4, messages); ++i) send();
      });
      socket.on('message', (data) => {
        heard.update(data);
        if (++back === messages) return resolve();
        if (next < messages) send();
      });
    });
    socket.terminate();
    return { sent: sent.digest('hex'), heard: heard.digest('hex') };
  }

  async function flat(context, work) {
    const { result, grown } = await growthDuring(server, work);
    context.diagnostic(`the server grew by ${(grown / MB).toFixed(1)} MB`);
    assert.ok(grown < growth, `the server grew by ${(grown / MB).toFixed(1)} MB`);
    return result;
  }

  test('up and down at the same time arrive whole, in flat memory', async (context) => {
    const answer = await flat(context, () => mirrored(total, {}));
    assert.equal(answer.status, 200);
    assert.equal(answer.heard, answer.sent);
  });

  test('up in chunks while another download stands still, too', async (context) => {
    const still = scene.text('GET', scene.at(mallory, `/stream?bytes=${total}`), [mallory.bearer]);
    const answer = await flat(context, async () => {
      const reader = new RawConnection(server.apps);
      await reader.opened;
      reader.socket.pause();
      await reader.write(still);
      const result = await mirrored(total, { chunked: true });
      reader.close();
      return result;
    });
    assert.equal(answer.status, 200);
    assert.equal(JSON.parse(answer.text).bodyLength, total);
  });

  test('by WebSocket both ways, too', async (context) => {
    const { sent, heard } = await flat(context, () => echoed(total / MB));
    assert.equal(heard, sent);
  });
});
