// Tried from outside: requests that two parsers could read in two ways, and what stands behind a request on its
// connection. What is refused reaches no application, and ends the connection; what is not is one request.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Scene, urls } from '../../support/attack_scene.mjs';
import { head, RawConnection, speak, webSocket } from '../../support/raw_http.mjs';

describe('requests that two parsers read in two ways', () => {
  let scene, server, alice, mallory;
  before(async () => {
    scene = await Scene.start('paths');
    ({ server, alice, mallory } = scene);
  });
  after(() => scene?.close());

  /** His application by the applications' origin and by the API's: one parser, two ways behind it. */
  const doors = () => [(path) => scene.at(mallory, path), (path) => scene.apiDoors(mallory, path)[0]];
  /**
   * Sends what `make(at)` writes by each door. `at`: the target of "/first", the lines of a good head without those that
   * frame it, and `next(path, lines)`, a whole good request to stand behind. `statuses`: of all answers, before the
   * connection ends; `heard`: what the application has received, `bodies`: of which lengths.
   */
  async function everywhere(what, make, { statuses, heard = [], bodies }) {
    for (const door of doors()) {
      const { origin, host, target } = door('/first');
      const next = (path, lines = []) => scene.text('GET', door(path), [mallory.bearer, ...lines]);
      const text = make({ target, lines: `Host: ${host}\r\n${mallory.bearer}\r\n`, next });
      const seen = await scene.witness(() => speak(origin, Buffer.from(text, 'latin1')));
      assert.deepEqual(seen.result.map((each) => each.status), statuses, `${what} at ${origin}: ${seen.result.map((each) => each.text)}`);
      assert.deepEqual([urls(seen.alice), urls(seen.mallory)], [[], heard], what);
      if (bodies) assert.deepEqual(seen.mallory.map((each) => each.bodyLength), bodies, what);
    }
  }

  test('a head that is framed twice, or in no known way, is refused', async () => {
    const chunked = 'Transfer-Encoding: chunked';
    const framings = {
      'CL.TE': ['Content-Length: 6', chunked],
      'TE.CL': [chunked, 'Content-Length: 4'],
      'TE and no length': [chunked, 'Content-Length: 0'],
      'CL.CL': ['Content-Length: 0', 'Content-Length: 50'],
      'CL.CL, the same': ['Content-Length: 5', 'Content-Length: 5'],
      'TE.TE': [chunked, 'Transfer-Encoding: identity'],
      'TE.TE, the same': [chunked, chunked],
      'TE.TE in one': ['Transfer-Encoding: chunked, identity'],
      'chunked twice': ['Transfer-Encoding: chunked, chunked'],
      'gzip before': ['Transfer-Encoding: gzip, chunked'],
      'xchunked': ['Transfer-Encoding: xchunked'],
      'identity': ['Transfer-Encoding: identity', 'Content-Length: 5'],
      'quoted': ['Transfer-Encoding: "chunked"'],
      'a parameter': ['Transfer-Encoding: chunked;q=1'],
      'a vertical tab': ['Transfer-Encoding: \x0bchunked'],
      'a NUL': ['Transfer-Encoding: chunked\0'],
      'empty TE': ['Transfer-Encoding:', 'Content-Length: 5'],
      'a comma': ['Transfer-Encoding: ,chunked'],
      'a high byte': ['Transfer-Encoding: chunked\xa0'],
      'space before the colon': ['Transfer-Encoding : chunked'],
      'tab before the colon': ['Transfer-Encoding\t: chunked'],
      'a CR in the name': ['Transfer-Encoding\r: chunked'],
      'behind a bare CR': ['X: y\rTransfer-Encoding: chunked'],
      'behind a bare LF': ['X: y\nTransfer-Encoding: chunked'],
      'folded': ['Transfer-Encoding:\r\n chunked'],
      'folded behind': ['X: y\r\n Transfer-Encoding: chunked'],
      'folded by a tab': ['X: y\r\n\tContent-Length: 5'],
      'a signed length': ['Content-Length: +5'],
      'a negative one': ['Content-Length: -5'],
      'hexadecimal': ['Content-Length: 0x5'],
      'a list': ['Content-Length: 5, 5'],
      'two numbers': ['Content-Length: 5 5'],
      'a fraction': ['Content-Length: 5.0'],
      'none': ['Content-Length:'],
      'huge': ['Content-Length: 18446744073709551621'],
      'another script\'s digit': ['Content-Length: \xd9\xa5'],
      'a length before a space': ['Content-Length : 5'],
      'a name of nothing': [': x', 'Content-Length: 5'],
      'no colon': ['Content-Length 5'],
      'a space in a name': ['X Y: z'],
      'a NUL in a name': ['X\0: z'],
      'a NUL in a value': ['X: \0'],
      'a DEL in a value': ['X: \x7f'],
      'a leading space': [' X: y'],
    };
    for (const [what, lines] of Object.entries(framings)) {
      for (const body of ['0\r\n\r\nG', 'hello'])
        await everywhere(what, (at) => `POST ${at.target} HTTP/1.1\r\n${at.lines}${lines.join('\r\n')}\r\n\r\n${body}${at.next('/smuggled')}`, { statuses: [400] });
    }
    await everywhere('chunked in HTTP/1.0', (at) => `POST ${at.target} HTTP/1.0\r\n${at.lines}${chunked}\r\n\r\n0\r\n\r\n${at.next('/smuggled')}`, { statuses: [400] });
  });

  test('a request line of another protocol, or of none, is refused', async () => {
    const heads = {
      'HTTP/0.9': (at) => `GET ${at.target}\r\n\r\n`,
      'HTTP/2': (at) => `GET ${at.target} HTTP/2.0\r\n${at.lines}\r\n`,
      'HTTP/2\'s preface': () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0',
      'HTTP/3': (at) => `GET ${at.target} HTTP/3\r\n${at.lines}\r\n`,
      'lower case': (at) => `GET ${at.target} http/1.1\r\n${at.lines}\r\n`,
      'ICY': (at) => `GET ${at.target} ICY/1.1\r\n${at.lines}\r\n`,
      'two spaces': (at) => `GET  ${at.target} HTTP/1.1\r\n${at.lines}\r\n`,
      'two behind': (at) => `GET ${at.target}  HTTP/1.1\r\n${at.lines}\r\n`,
      'tabs': (at) => `GET\t${at.target}\tHTTP/1.1\r\n${at.lines}\r\n`,
      'a space before': (at) => ` GET ${at.target} HTTP/1.1\r\n${at.lines}\r\n`,
      'a space at the end': (at) => `GET ${at.target} HTTP/1.1 \r\n${at.lines}\r\n`,
      'no method': (at) => ` ${at.target} HTTP/1.1\r\n${at.lines}\r\n`,
      'a method that is no token': (at) => `GE(T ${at.target} HTTP/1.1\r\n${at.lines}\r\n`,
      'bare LFs': (at) => `GET ${at.target} HTTP/1.1\n${at.lines.replaceAll('\r', '')}\n`,
      'a bare LF at the end': (at) => `GET ${at.target} HTTP/1.1\r\n${at.lines}\n`,
      'a bare CR': (at) => `GET ${at.target} HTTP/1.1\r${at.lines}\r\n`,
      'a NUL': (at) => `GET ${at.target}\0 HTTP/1.1\r\n${at.lines}\r\n`,
      'many empty lines': (at) => `\r\n\r\n\r\nGET ${at.target} HTTP/1.1\r\n${at.lines}\r\n`,
      'PROXY': (at) => `PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\nGET ${at.target} HTTP/1.1\r\n${at.lines}\r\n`,
      'PROXY 2': () => '\r\n\r\n\0\r\nQUIT\n!\x11\0\x0c',
      'TLS': () => '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n',
      'Redis': () => '*1\r\n$4\r\nPING\r\n\r\n',
    };
    const unspoken = new Set(['HTTP/2', 'HTTP/2\'s preface']);
    for (const [what, make] of Object.entries(heads)) await everywhere(what, (at) => make(at) + at.next('/smuggled'), { statuses: [unspoken.has(what) ? 505 : 400] });
  });

  test('a chunk that is not one ends the request: the application never takes it for whole', async () => {
    const bodies = {
      'a prefix': '0x5\r\nhello\r\n0\r\n\r\n',
      'negative': '-5\r\nhello\r\n0\r\n\r\n',
      'signed': '+5\r\nhello\r\n0\r\n\r\n',
      'a space before': ' 5\r\nhello\r\n0\r\n\r\n',
      'a space behind': '5 \r\nhello\r\n0\r\n\r\n',
      'no digits': '\r\nhello\r\n0\r\n\r\n',
      'no hexadecimal': '5g\r\nhello\r\n0\r\n\r\n',
      'an underscore': '1_0\r\nhello\r\n0\r\n\r\n',
      'a bare LF': '5\nhello\r\n0\r\n\r\n',
      'a bare LF behind the data': '5\r\nhello\n0\r\n\r\n',
      'a bare CR': '5\rhello\r\n0\r\n\r\n',
      'longer than it says': '5\r\nhello!\r\n0\r\n\r\n',
      'shorter than it says': '6\r\nhello\r\n0\r\n\r\n',
      'too many digits': '10000000000000005\r\nhello\r\n0\r\n\r\n',
      'past 64 bits': 'fffffffffffffffff\r\nhello\r\n0\r\n\r\n',
      'a LF in the extension': '5;a\nb\r\nhello\r\n0\r\n\r\n',
      'a NUL in the extension': '5;\0\r\nhello\r\n0\r\n\r\n',
      'a bare LF at the end': '0\n\n',
      'a LF in a trailer': '0\r\nX: y\n\r\n',
      'a CR in a trailer': '0\r\nX: y\rZ: z\r\n\r\n',
      'a semicolon alone': ';\r\nhello\r\n0\r\n\r\n',
    };
    for (const [what, body] of Object.entries(bodies)) {
      for (const door of doors()) {
        // With the head, and behind a first chunk that was good.
        for (const before of ['', '3\r\nabc\r\n']) {
          const first = scene.text('POST', door('/first'), [mallory.bearer, 'Transfer-Encoding: chunked']);
          const text = first + before + body + scene.text('GET', door('/smuggled'), [mallory.bearer]);
          const seen = await scene.witness(() => speak(door('/').origin, Buffer.from(text, 'latin1')));
          assert.deepEqual(seen.result.map((each) => each.status), [400], what);
          assert.ok(seen.mallory.every((each) => each.url === '/first' && each.bodyLength === null), `${what}: ${JSON.stringify(seen.mallory)}`);
          assert.deepEqual(seen.alice, [], what);
        }
      }
    }
  });

  test('what is unusual and clear is one request, and the next one the next', async () => {
    // What the first one is (method, lines, body; a good one stands behind it), and what becomes of both (statuses, what
    // is heard, how long its bodies are). A body that looks like a request is a body.
    const request = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
    const both = [[200, 200], ['/first', '/last']];
    const shapes = {
      'GET with a body': ['GET', [`Content-Length: ${request.length}`], request, ...both, [request.length, 0]],
      'chunked in capitals': ['POST', ['transfer-ENCODING:\tCHUNKED '], `${request.length.toString(16)}\r\n${request}\r\n0\r\n\r\n`, ...both, [request.length, 0]],
      'a length with zeros before it': ['POST', ['Content-Length: 0005'], 'hello', ...both, [5, 0]],
      'an extension of a chunk': ['POST', ['Transfer-Encoding: chunked'], '5;a="b;0"\r\nhello\r\n000\r\n\r\n', ...both, [5, 0]],
      'trailers that would frame and sign in': ['POST', ['Transfer-Encoding: chunked'], `5\r\nhello\r\n0\r\nContent-Length: 50\r\nTransfer-Encoding: x\r\n${mallory.bearer}\r\n\r\n`, ...both, [5, 0]],
      'a body that says it would wait': ['POST', ['Expect: 100-continue', `Content-Length: ${request.length}`], request, ...both, [request.length, 0]],
      'an upgrade with a body': ['POST', [...webSocket, `Content-Length: ${request.length}`], request, ...both, [request.length, 0]],
      'a protocol that the application does not know': ['GET', ['Connection: Upgrade', 'Upgrade: nonsense/1'], '', ...both],
      'HTTP/2 by upgrade': ['GET', ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'], 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [200, 505], ['/first']],
      'another name with an underscore': ['POST', ['Content-Length: 5', 'Transfer_Encoding: chunked'], 'hello', ...both, [5, 0]],
    };
    for (const [what, [method, lines, body, statuses, heard, bodies]] of Object.entries(shapes)) {
      const make = (at) => `${method} ${at.target} HTTP/1.1\r\n${at.lines}${lines.map((line) => `${line}\r\n`).join('')}\r\n${body}${at.next('/last', ['Connection: close'])}`;
      await everywhere(what, make, { statuses, heard, bodies });
    }
  });

  test('each request of a connection is admitted by itself', async () => {
    const request = (person, path, ...lines) => scene.text('GET', scene.at(person, path), lines);
    const behind = {
      'with one\'s own token': [request(alice, '/stolen', mallory.bearer, 'Connection: close'), [200, 404], []],
      'without any': [request(alice, '/stolen', 'Connection: close'), [200, 401], []],
      'with one\'s own cookie': [request(alice, '/stolen', await scene.cookie(mallory), 'Connection: close'), [200, 401], []],
      'with hers, as a proxy in front may mix them': [request(alice, '/hers', alice.bearer, 'Connection: close'), [200, 200], ['/hers']],
    };
    for (const [what, [second, statuses, heard]] of Object.entries(behind)) {
      const seen = await scene.witness(() => speak(server.apps, request(mallory, '/mine', mallory.bearer) + second));
      assert.deepEqual(seen.result.map((each) => each.status), statuses, what);
      assert.deepEqual([urls(seen.mallory), urls(seen.alice)], [['/mine'], heard], what);
    }
    // Behind a WebSocket everything is the application's own bytes: no request any more.
    const seen = await scene.witness(async () => {
      const connection = new RawConnection(server.apps);
      await connection.write(request(mallory, '/socket', mallory.bearer, ...webSocket) + request(alice, '/stolen', alice.bearer) + request(mallory, '/smuggled', mallory.bearer));
      const first = await connection.answer();
      connection.close();
      return first;
    });
    assert.equal(seen.result.status, 101);
    assert.deepEqual([urls(seen.mallory), urls(seen.alice)], [['/socket'], []]);
  });

  test('after all that, the server is well and has logged no failure of its own', () => scene.isWell());
});
