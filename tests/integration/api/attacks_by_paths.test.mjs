// Tried from outside: paths that climb, ids in disguise, ports that nobody has, and targets of other hosts. None
// leads to another's application, none from one origin to the other, and none makes the server fail.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Scene, styles, urls } from '../../support/attack_scene.mjs';
import { speak, webSocket } from '../../support/raw_http.mjs';

/** What climbs out of a directory, by some parser's rules. */
const climbs = [
  '..', '.%2e', '%2e.', '%2e%2e', '%2E%2e', '%2e%2e%2f', '..%2f..', '%252e%252e', '%252e%252e%252f', '.', '',
  '..;', '..;x=y', ';', '..%23', '..%20', '..%09', '..%00', '%00', '..%0d%0aX:%20y',
  '..\\', '\\..\\', '..%5c', '%5c..%5c',
  '..%c0%af', '%c0%ae%c0%ae', '%e0%80%ae%e0%80%ae', '%f0%80%80%ae', '..%ff', '%u002e%u002e',
];

/** Bytes that stand in no target. */
const noTarget = {
  'an overlong dot': '\xc0\xae\xc0\xae',
  'an overlong slash': '..\xe0\x80\xaf',
  'a NUL': '..\0',
  'a tab': '..\t',
  'a space': '.. ',
  'a bare CR': '..\r',
  'a bare LF': '..\n',
  'a DEL': '..\x7f',
  'a fragment': '..#',
};

/** What somebody may take for her id, and some of it for his. */
const disguises = (mine, hers) => [
  hers, hers.toUpperCase(), hers.replaceAll('-', ''), hers.replaceAll('-', '%2d'), `%${hers.charCodeAt(0).toString(16)}${hers.slice(1)}`,
  `${hers}%2f`, `%2f${hers}`, `.%2f${hers}`, `${mine}%2f..%2f${hers}`, `${mine}%5c..%5c${hers}`, `${mine}\\..\\${hers}`,
  `${mine};${hers}`, `${hers};x=y`, `${mine},${hers}`, `${mine}${hers}`, `${hers}.`, `{${hers}}`, `%7B${hers}%7D`,
  `${hers}%00`, `${mine}%00${hers}`, `${hers}%20`, `${hers}%c0%80`,
];

for (const style of styles) {
  describe(`applications by ${style}`, () => {
    let scene, server, alice, mallory, mine, hers;
    before(async () => {
      scene = await Scene.start(style);
      ({ server, alice, mallory } = scene);
      [mine, hers] = [mallory.workspace.id, alice.workspace.id];
    });
    after(() => scene?.close());

    const apps = (target) => ({ ...scene.at(mallory), target });
    const api = (target) => scene.atApi(target);

    // Tries a place by HTTP and as WebSocket, with all that Mallory has. `own`: what his application hears then;
    // undefined: it is refused, by one of `statuses`, and nobody hears of it.
    async function tried(place, { own, statuses = [400, 404] } = {}) {
      for (const [kind, lines, good] of [['HTTP', [], 200], ['WebSocket', webSocket, 101]]) {
        const what = `${kind} ${JSON.stringify(place.target)} at ${place.host}`;
        const seen = await scene.witness(() => scene.ask(place, [mallory.bearer, ...lines]));
        assert.deepEqual(urls(seen.alice), [], `${what} reached another's application`);
        assert.deepEqual(urls(seen.mallory), own === undefined ? [] : [own], `${what}: ${seen.result.status}`);
        assert.ok((own === undefined ? statuses : [good]).includes(seen.result.status), `${what}: ${seen.result.status} ${seen.result.text.slice(0, 300)}`);
        if (own === undefined) assert.equal(JSON.parse(seen.result.text).success, false, what);
      }
    }

    /** Every door to Mallory's application, and what would lead on from there to hers. */
    const doors = () => [
      [scene.at(mallory, ''), `/${hers}/8080/x`],
      [api(`/api/workspaces/${mine}/proxy`), `/${hers}/proxy/x`],
      [api(`/api/workspaces/${mine}/ports/8080`), `/${hers}/ports/8080/x`],
      [api(`/workspace-proxy/${mine}`), `/${hers}/x`],
      [api('/spreadsheet'), `/workspace-proxy/${hers}/x`],
    ];

    test('a path that climbs stays behind its door, as it was written', async () => {
      for (const [door, rest] of doors()) {
        for (const climb of climbs) {
          const path = `/${climb}/${climb}${rest}`;
          await tried({ ...door, target: door.target + path }, { own: path });
        }
      }
    });

    test('bytes that stand in no path are refused', async () => {
      for (const [door, rest] of doors()) {
        for (const [what, climb] of Object.entries(noTarget)) {
          const text = scene.text('GET', { ...door, target: `${door.target}/${climb}${rest}` }, [mallory.bearer]);
          const seen = await scene.witness(() => speak(door.origin, Buffer.from(text, 'latin1')));
          assert.deepEqual(seen.result.map((each) => each.status), [400], what);
          assert.deepEqual([...seen.alice, ...seen.mallory], [], what);
        }
      }
    });

    test('nothing that is taken for another\'s id opens what is theirs', async () => {
      for (const id of disguises(mine, hers)) {
        await tried(api(`/api/workspaces/${id}/proxy/x`));
        await tried(api(`/api/workspaces/${id}/ports/8080/x`));
        await tried(api(`/workspace-proxy/${id}/x`));
        await tried(api(`/api/workspaces/${id}`));
        await tried(api(`/api/workspaces/${id}/logs`));
        if (style === 'paths') await tried(apps(`/${id}/8080/x`));
        else await tried({ ...apps('/x'), host: apps('/x').host.replace(mine, id) });
      }
      // Around his own id, where a door might be seen that is none.
      await tried(api(`/api/workspaces/${mine}/../${hers}/proxy/x`));
      await tried(api(`/api/workspaces/${mine}%2fproxy/x`));
      await tried(api(`/api/workspaces/${mine}/%70roxy/x`));
      await tried(api(`/api/workspaces//${mine}/proxy/x`));
      await tried(api(`/api/../workspace-proxy/${mine}/x`));
      await tried(api(`//workspace-proxy/${mine}/x`));
      await tried(api(`/./workspace-proxy/${mine}/x`));
      await tried(api(`/WORKSPACE-PROXY/${mine}/x`));
      // An id is one in capitals as well.
      await tried(api(`/workspace-proxy/${mine.toUpperCase()}/x`), { own: '/x' });
    });

    test('the API is not found on the applications\' origin, and no file of the server\'s machine anywhere', async () => {
      for (const target of ['/api/workspaces', '/api/auth/profile', '/api/openapi.json', '/metrics', '/readyz', `/api/workspaces/${mine}/proxy/x`, `/workspace-proxy/${mine}/x`, '/spreadsheet/x']) {
        if (style === 'paths') {
          await tried(apps(target));
          await tried(apps(`/${mine}/../..${target}`));
          await tried(apps(`/${mine}%2f8080${target}`));
        } else {
          // There the whole origin is the application's: it is asked, and the API is not.
          await tried(apps(target), { own: target });
          await tried({ ...apps(target), host: api('/').host }, { statuses: [421] });
          await tried({ ...api(target), host: apps('/').host }, { statuses: [421] });
        }
      }
      for (const target of ['/../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/..%2f..%2fetc%2fpasswd', '/..\\..\\etc\\passwd', '//etc/passwd', '/%00', '/api/..', '/api/.%2e/app.js']) await tried(api(target));
      for (const target of ['/api\\workspaces', '/api;/workspaces', '/API/workspaces', '//api/workspaces', '/./api/workspaces', `/${mine}/8080/x`]) await tried(api(target));
    });

    test('a port that a workspace does not have is nobody else\'s either', async () => {
      const at = (port) => (style === 'paths' ? apps(`/${mine}/${port}/x`) : { ...apps('/x'), host: apps('/x').host.replace('8080', port) });
      for (const port of ['0', '65536', '-1', '+8080', '08080', '8080.0', '0x1f90', '8e3', '8080%00', '%38080', '8080,22', '8080:22', '99999999999999999999', '']) {
        await tried(at(port));
        await tried(api(`/api/workspaces/${mine}/ports/${port}/x`));
      }
      // Among them the engine's, and the server's own.
      for (const port of ['1', '22', '80', '443', '2375', new URL(server.api).port]) {
        await tried(at(port), { statuses: [502] });
        await tried(api(`/api/workspaces/${mine}/ports/${port}/x`), { statuses: [502] });
      }
    });

    test('no target leads to another host, the engine or the server itself', async () => {
      const { host, target: own } = scene.at(mallory, '/x');
      const engine = 'unix:///var/run/docker.sock';
      const targets = {
        GET: [
          'http://evil.test/', 'https://evil.test', 'http://localhost/', `http://${api('/').host}/api/workspaces`, 'http://169.254.169.254/latest/meta-data/', 'http://127.0.0.1:2375/containers/json',
          `http://evil.test@${host}${own}`, `http://${host}@evil.test${own}`, `http://${host}.evil.test${own}`, `http://${host}:80${own}`, `http://her.host/${hers}/8080/x`,
          `http:/${own}`, `http:${own}`, `ftp://${host}${own}`, `ws://${host}${own}`, 'file:///etc/passwd', engine, `http+${engine}`,
          '127.0.0.1:2375', 'evil.test:443', host, own.slice(1), '*', '?x', `@evil.test${own}`, `\\\\evil.test${own}`,
        ],
        CONNECT: ['evil.test:443', '169.254.169.254:80', '127.0.0.1:2375', api('/').host, host, own, `http://${host}${own}`, '*'],
        POST: ['*'],
      };
      for (const [method, each] of Object.entries(targets)) {
        for (const target of each) {
          const seen = await scene.witness(() => speak(server.apps, scene.text(method, apps(target), [mallory.bearer])));
          assert.deepEqual(seen.result.map(({ status }) => status), [400], `${method} ${target}`);
          assert.deepEqual([...seen.alice, ...seen.mallory], [], `${method} ${target}`);
        }
      }
      // In full, an address of this very host is what it is without.
      await tried(apps(`http://${host}${own}`), { own: '/x' });
      if (style === 'host names') await tried(apps(`http://${scene.at(alice).host}/x`), { statuses: [400] });
      // TRACE gives nobody a credential back.
      for (const [place, method, status] of [[apps(own), 'TRACE', 200], [api('/api/workspaces'), 'TRACE', 405], [api('/'), 'TRACE', 405], [api('*'), 'OPTIONS', 404]]) {
        const answer = await scene.ask(place, [mallory.bearer], { method });
        assert.equal(answer.status, status, `${method} ${place.target}`);
        assert.ok(!answer.text.includes(mallory.client.token));
      }
    });

    test('after all that, the server is well and has logged no failure of its own', () => scene.isWell());
  });
}
