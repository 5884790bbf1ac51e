// Tried from outside, by pages of other origins in a browser that is signed in: they open no socket, change nothing,
// read nothing and frame nothing.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Scene, styles } from '../../support/attack_scene.mjs';
import { webSocket } from '../../support/raw_http.mjs';

const listOf = (value) => [value ?? []].flat();

for (const style of styles) {
  describe(`applications by ${style}, before other sites`, () => {
    let scene, server, alice, mallory;
    before(async () => {
      scene = await Scene.start(style);
      ({ server, alice, mallory } = scene);
    });
    after(() => scene?.close());

    test('a page of another origin opens no socket', async () => {
      const place = scene.at(mallory, '/x');
      const own = `http://${place.host}`;
      const foreign = [
        'http://evil.test', 'null', '', server.api, own.replace(/:\d+$/, ':1'), `https://${place.host}`, `${own}.evil.test`, `http://evil.test/${own}`,
        `http://x@${place.host}`, `${own}/`, `${own}, http://evil.test`,
        ...(style === 'host names' ? [`http://${scene.at(alice).host}`, `http://${scene.at(mallory, '', 8081).host}`] : []),
      ];
      for (const credential of [await scene.cookie(mallory), mallory.bearer]) {
        for (const origin of foreign) await scene.table({ [`from "${origin}"`]: [() => scene.ask(place, [credential, `Origin: ${origin}`, ...webSocket]), 403, 'foreign_origin'] });
        await scene.table({
          'from its own page': [() => scene.ask(place, [credential, `Origin: ${own}`, ...webSocket]), 101, undefined, ['/x']],
          'from a program': [() => scene.ask(place, [credential, ...webSocket]), 101, undefined, ['/x']],
        });
      }
    });

    // By paths an application has no neighbours of the same site; SameSite=Lax keeps the cookie from all others.
    if (style === 'host names') test('a neighbour\'s page changes nothing with the cookie', async () => {
      const cookie = await scene.cookie(mallory);
      const place = scene.at(mallory, '/x');
      for (const origin of ['http://evil.test', `http://${scene.at(alice).host}`]) {
        for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) await scene.table({ [`${method} from ${origin}`]: [() => scene.ask(place, [cookie, `Origin: ${origin}`], { method }), 403, 'foreign_origin'] });
      }
      await scene.table({ 'its own POST': [() => scene.ask(place, [cookie, `Origin: http://${place.host}`], { method: 'POST' }), 200, undefined, ['/x']] });
    });

    test('a refusal lets no other site read it', async () => {
      for (const place of [scene.at(mallory), scene.at(alice), { ...scene.at(mallory), host: 'x', target: '/nothing' }]) {
        const answer = await scene.ask(place, ['Origin: http://evil.test']);
        assert.ok(answer.status >= 400);
        assert.deepEqual(answer.fields.filter(([name]) => /^access-control/i.test(name)), []);
      }
    });
  });
}

describe('the API before other sites', () => {
  let scene, server, mallory, cookies;
  before(async () => {
    scene = await Scene.start('paths');
    ({ server, mallory } = scene);
    cookies = `${await scene.sessionCookie(mallory)}; ${(await scene.cookie(mallory)).slice('Cookie: '.length)}`;
  });
  after(() => scene?.close());

  // What a browser says of a page's requests that is not the server's own.
  const pages = () => ({
    'another site': { Origin: 'http://evil.test' },
    'an application': { Origin: server.apps },
    'a page without an origin': { Origin: 'null' },
    'another site, by Sec-Fetch-Site': { 'Sec-Fetch-Site': 'cross-site' },
    'a neighbour, by Sec-Fetch-Site': { 'Sec-Fetch-Site': 'same-site' },
    'a link, by Sec-Fetch-Site': { 'Sec-Fetch-Site': 'none' },
  });

  test('no call takes a cookie for a sign-in', async () => {
    let tried = 0;
    for (const { method, template, operation } of server.contract.calls()) {
      if (operation.security?.length === 0) continue;
      const path = template.replace('{id}', mallory.workspace.id).replace(/\{\w+\}/g, 'spreadsheet');
      for (const headers of [{}, { Origin: 'http://evil.test', 'Content-Type': 'text/plain' }, { Origin: server.apps, 'Sec-Fetch-Site': 'same-site' }]) {
        const answer = await server.nobody().send(method, path, { ...(method === 'GET' ? {} : { body: '{}' }), headers: { Cookie: cookies, ...headers } });
        answer.expect(401, 'authentication_required');
        tried += 1;
      }
    }
    assert.ok(tried > 150);
    assert.ok((await mallory.client.get(`/api/workspaces/${mallory.workspace.id}/status`)).expect(200).data.containerRunning);
  });

  test('the session\'s cookie counts for the server\'s own page only', async () => {
    const { user, password } = mallory.client;
    const call = (path, body, headers) => server.nobody().post(`/api/auth/${path}`, { ...body, cookie: true }, { headers: { Cookie: cookies, ...headers } });
    for (const [what, headers] of Object.entries(pages())) {
      for (const answer of [await call('refresh', {}, headers), await call('login', { email: user.email, password }, headers)]) {
        assert.equal(answer.code, 'foreign_origin', what);
        assert.equal(answer.headers['set-cookie'], undefined, what);
      }
    }
    // What a form can send is no JSON to us, whatever it looks like.
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      (await server.nobody().send('POST', '/api/auth/refresh', { body: '{"cookie":true}', headers: { Cookie: cookies, 'Content-Type': type } })).expect(400, 'invalid_content_type');
    }
    (await call('refresh', {}, { Origin: server.api, 'Sec-Fetch-Site': 'same-origin' })).expect(200);
  });

  test('no answer lets another site read it', async () => {
    const { id } = mallory.workspace;
    const calls = [
      ['OPTIONS', '/api/workspaces'], ['OPTIONS', `/api/workspaces/${id}`], ['OPTIONS', '/api/auth/refresh'], ['OPTIONS', '/'],
      ['GET', '/api/workspaces', mallory.bearer], ['GET', '/'], ['GET', '/theme.js'], ['GET', '/metrics'], ['GET', '/nothing'], ['GET', `/api/workspaces/${id}/proxy/x`],
    ];
    const preflight = ['Access-Control-Request-Method: DELETE', 'Access-Control-Request-Headers: authorization', 'Access-Control-Request-Private-Network: true'];
    for (const [what, headers] of Object.entries(pages())) {
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
      for (const [method, target, ...credential] of calls) {
        const answer = await scene.ask(scene.atApi(target), [...lines, ...preflight, `Cookie: ${cookies}`, ...credential], { method });
        assert.deepEqual(answer.fields.filter(([name]) => /^(access-control|timing-allow)/i.test(name)), [], `${method} ${target} from ${what}`);
      }
    }
  });

  test('no page of the server can be framed, or taken for another kind of file', async () => {
    for (const target of ['/', '/api/docs', '/theme.js']) {
      const answer = await scene.ask(scene.atApi(target), ['Accept: text/html']);
      assert.equal(answer.status, 200, target);
      const policy = listOf(answer.headers['content-security-policy']).join();
      assert.match(policy, /frame-ancestors 'none'/, target);
      assert.match(policy, /default-src 'none'/, target);
      assert.equal(answer.headers['x-content-type-options'], 'nosniff', target);
    }
    // A page that refuses has nothing to press, and loads nothing; who embeds an application sees why.
    for (const place of scene.apiDoors(mallory)) {
      const answer = await scene.ask(place, ['Accept: text/html']);
      assert.equal(answer.status, 401);
      assert.match(answer.headers['content-security-policy'], /default-src 'none'.*form-action 'none'/);
      assert.equal(answer.headers['x-content-type-options'], 'nosniff');
      assert.equal(answer.headers['cache-control'], 'no-store');
      assert.doesNotMatch(answer.text, /<(script|form|button|iframe)/i);
    }
  });

  test('after all that, the server is well and has logged no failure of its own', () => scene.isWell());
});
