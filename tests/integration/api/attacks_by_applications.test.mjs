// Tried from outside, by what runs in a container: it gets to see no credential, whatever a client sends along, and
// what it answers stays within its own part of the origin.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Scene, styles, urls } from '../../support/attack_scene.mjs';
import { filesOf } from '../../support/engine.mjs';
import { speak, webSocket } from '../../support/raw_http.mjs';

const listOf = (value) => [value ?? []].flat();

for (const style of styles) {
  describe(`applications by ${style}`, () => {
    let scene, server, alice, mallory;
    before(async () => {
      scene = await Scene.start(style);
      ({ server, alice, mallory } = scene);
    });
    after(() => scene?.close());

    test('no credential ever reaches a container', async () => {
      const cookie = await scene.cookie(mallory);
      const value = cookie.slice(cookie.indexOf('=') + 1);
      const ticket = new URL(await scene.ticket(mallory)).searchParams.get('agentdb9_ticket');
      const session = await scene.sessionCookie(mallory);
      const api = await scene.apiToken(mallory);
      const { token, refreshToken } = mallory.client;
      const own = 'Authorization: Basic YTpi';
      const credentials = {
        'a token': [mallory.bearer],
        'a token, its scheme in capitals': [`AUTHORIZATION: BEARER ${token}`],
        'an API token': [`Authorization: Bearer ${api}`],
        'a token and cookies': [mallory.bearer, `Cookie: own=1; ${session}; AGENTDB9_APP=${value}; __Host-agentdb9_app=${value}; __Secure-agentdb9_x=${value}`],
        'a token and the application\'s own': [mallory.bearer, own],
        'a cookie': [cookie],
        'two of them': [cookie, `Cookie: own=1; \t${session}`],
        'a cookie and a token': [cookie, mallory.bearer],
        'a cookie and a token behind another': [cookie, own, mallory.bearer],
        'a cookie and both in one field': [cookie, `${own}, Bearer ${token}`],
        'a cookie and a token behind a tab': [cookie, `Authorization: Bearer\t${token}`],
        'a cookie and a bare token': [cookie, `Authorization: ${token}`],
        'a cookie and a token in another scheme': [cookie, `Authorization: Token token="${token}"`],
        'a cookie and an API token in another scheme': [cookie, `Authorization: Token ${api}`],
        'a cookie and a refresh token': [cookie, `Authorization: Bearer ${refreshToken}`],
        'a cookie and a token for a proxy': [cookie, `Proxy-Authorization: Bearer ${token}`],
        'a cookie and a token that Connection names': [cookie, mallory.bearer, 'Connection: Cookie, Authorization'],
        'a token that was sent as a cookie before': [cookie, mallory.bearer],
        'the address of a page with a ticket': [cookie, `Referer: ${server.apps}/?a=b&agentdb9_ticket=${ticket}`],
        'the address of a page with a link': [cookie, `Referer: ${server.apps}/?agentdb9_share=${ticket}`],
      };
      assert.equal((await scene.ask(scene.at(mallory), [`Cookie: agentdb9_app=${token}`])).status, 401);
      let reached = 0;
      for (const [what, headers] of Object.entries(credentials)) {
        for (const lines of [headers, [...headers, ...webSocket]]) {
          const seen = await scene.witness(() => scene.ask(scene.at(mallory, '/x'), lines));
          assert.ok([200, 101].includes(seen.result.status), `${what}: ${seen.result.status}`);
          assert.deepEqual(urls(seen.mallory), ['/x'], what);
          reached += 1;
        }
      }
      // Tickets where no ticket is asked for, and what comes behind the body.
      for (const method of ['POST', 'PUT', 'DELETE']) assert.equal((await scene.ask(scene.at(mallory, `/x?a=b&agentdb9_ticket=${ticket}&agentdb9_share=${ticket}&c`), [cookie], { method })).status, 200);
      const trailers = scene.text('POST', scene.at(mallory, '/x'), [cookie, 'Transfer-Encoding: chunked', 'Trailer: Authorization, Cookie', 'TE: trailers', 'Connection: TE, close']);
      assert.deepEqual((await speak(server.apps, `${trailers}1\r\na\r\n0\r\n${mallory.bearer}\r\n${cookie}\r\n\r\n`)).map((each) => each.status), [200]);
      // The application's own sign-in passes, beside ours.
      const [{ headers }] = (await scene.witness(() => scene.ask(scene.at(mallory, '/x'), [`${cookie}; own=1`, own]))).mallory;
      assert.deepEqual(headers.filter(([name]) => /^(cookie|authorization)$/i.test(name)), [['Cookie', 'own=1'], ['Authorization', 'Basic YTpi']]);

      // All that they have ever heard, and all that the engine knows of them.
      const people = [mallory, alice];
      const heard = await Promise.all(people.map((each) => scene.received(each)));
      assert.ok(heard[0].length > reached, 'the record is empty');
      const containers = await Promise.all((await server.engine.containers()).map((each) => server.engine.inspect(each.Id)));
      const volumes = await server.engine.volumes();
      assert.ok(containers.length === 2 && volumes.length >= 2);
      const places = {
        'a request': heard,
        'what the engine knows of a container': containers,
        'the environment of its processes': await Promise.all(people.map(async ({ client, workspace }) => (await client.application('GET', workspace.id, '/env')).expect(200).body)),
        'a mounted file': await Promise.all(volumes.map(filesOf)),
      };
      const secrets = {
        'his access token': token, 'his refresh token': refreshToken, 'an API token': api, 'a cookie': value, 'a session\'s cookie': session.split('=')[1], 'a ticket': ticket,
        'her access token': alice.client.token, 'her refresh token': alice.client.refreshToken, 'a password': mallory.client.password,
      };
      for (const [place, all] of Object.entries(places)) {
        const text = JSON.stringify(all);
        for (const [what, secret] of Object.entries(secrets)) assert.ok(!text.includes(secret), `${place} has ${what}`);
      }
      for (const { Mounts, HostConfig } of containers) {
        assert.ok(Mounts.length > 0 && Mounts.every((each) => each.Type === 'volume'), JSON.stringify(Mounts));
        assert.ok(!HostConfig.Privileged && !(HostConfig.Binds ?? []).some((each) => each.startsWith('/')), JSON.stringify(HostConfig.Binds));
      }
    });

    test('a hostile application sets nothing outside its own part of the origin', async () => {
      const fields = [
        'Set-Cookie: agentdb9_app=stolen; Path=/',
        'Set-Cookie: AGENTDB9_refresh=stolen',
        'Set-Cookie: __Host-agentdb9_app=stolen; Path=/; Secure',
        'Set-Cookie: =agentdb9_app=stolen',
        'Set-Cookie:  \tagentdb9_link=stolen',
        'Set-Cookie: wide=1; Domain=.apps.localhost; domain=127.0.0.1; Path=/',
        'Set-Cookie: api=1; Path=/api',
        `Set-Cookie: hers=1; Path=/${alice.workspace.id}/8080/`,
        `Set-Cookie: climbs=1; Path=/x/%2e%2e/../${alice.workspace.id}/`,
        'Set-Cookie: twice=1; Path=/x; Path=/',
        'X-Request-Id: forged',
        'Clear-Site-Data: "*"',
        'Strict-Transport-Security: max-age=31536000; includeSubDomains',
        'Alt-Svc: h2="evil.test:443"',
        'NEL: {}',
        'Report-To: {}',
        'Service-Worker-Allowed: /',
        'WWW-Authenticate: Basic realm="AgentDB9"',
        'Connection: X-Frame-Options, X-Request-Id, Content-Security-Policy',
        'Keep-Alive: timeout=1',
        'Upgrade: h2c',
        'Proxy-Authenticate: Basic',
      ];
      const told = `/answer?head=${encodeURIComponent(fields.map((each) => `${each}\r\n`).join(''))}`;
      const onApi = `/api/workspaces/${mallory.workspace.id}/proxy`;
      for (const [place, prefix] of [[scene.at(mallory, told), scene.at(mallory, '').target], [scene.atApi(onApi + told), onApi]]) {
        const answer = await scene.ask(place, [mallory.bearer]);
        assert.equal(answer.status, 200);
        const cookies = listOf(answer.headers['set-cookie']);
        assert.deepEqual(cookies.map((each) => each.split('=')[0]), ['wide', 'api', 'hers', 'climbs', 'twice'], `${cookies}`);
        for (const each of cookies) {
          assert.doesNotMatch(each, /domain/i);
          // On an origin of its own it has every path; elsewhere those of its door, however a browser resolves them.
          const path = new URL(/Path=([^;]*)/.exec(each)[1], place.origin).pathname;
          assert.ok(`${path}/`.startsWith(`${prefix}/`), `${each} at ${prefix}`);
        }
        for (const name of ['clear-site-data', 'strict-transport-security', 'alt-svc', 'nel', 'report-to', 'upgrade', 'keep-alive', 'proxy-authenticate']) assert.equal(answer.headers[name], undefined, name);
        assert.match(answer.headers['x-request-id'], /^(?!forged).+$/, 'one, and ours');
        assert.equal(answer.headers['service-worker-allowed'], prefix === '' ? '/' : `${prefix}/`);
        assert.equal(answer.headers['www-authenticate'], prefix === onApi ? undefined : 'Basic realm="AgentDB9"');
        if (prefix === onApi) assert.match(listOf(answer.headers['content-security-policy']).join(), /^sandbox (?!.*allow-same-origin)/);
      }
    });

    test('an application that answers more than it was asked answers nobody else', async () => {
      const poison = 'Content-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nX-Poison: 1\r\nContent-Length: 6\r\n\r\npoison';
      for (let round = 0; round < 10; ++round) {
        assert.equal((await scene.ask(scene.at(mallory, `/answer?head=${encodeURIComponent(poison)}`), [mallory.bearer])).status, 200);
        for (const person of [mallory, alice]) {
          const next = await scene.ask(scene.at(person, `/next/${round}`), [person.bearer]);
          assert.equal(JSON.parse(next.text).url, `/next/${round}`);
        }
      }
    });

    test('an answer that can be read in two ways is none, and nothing of it comes through', async () => {
      // [fields, status]: what the application answers with, before a length of its own.
      const answers = {
        'a status of two digits': ['', 99],
        'a status of four': ['', 1000],
        'a negative one': ['', -1],
        'an interim answer that is not followed': ['', 100],
        'a switch that nobody asked for': ['', 101],
        'two lengths': ['Content-Length: 3\r\n'],
        'a length and chunks': ['Transfer-Encoding: chunked\r\n'],
        'an unknown coding': ['Transfer-Encoding: xchunked\r\n'],
        'a negative length': ['Content-Length: -1\r\n'],
        'a bare LF': ['X: y\nSet-Cookie: agentdb9_app=x\r\n'],
        'a bare CR': ['X: y\rSet-Cookie: agentdb9_app=x\r\n'],
        'a NUL': ['X: \0\r\n'],
        'a folded field': ['X: y\r\n z\r\n'],
        'a space before the colon': ['Set-Cookie : agentdb9_app=x\r\n'],
        'no colon': ['X\r\n'],
        'too many fields': ['X: y\r\n'.repeat(201)],
      };
      for (const [what, [fields, status = 200]] of Object.entries(answers)) {
        const answer = await scene.ask(scene.at(mallory, `/answer?status=${status}&head=${encodeURIComponent(fields)}`), [mallory.bearer]);
        assert.deepEqual([answer.status, answer.code], [502, 'upstream_invalid'], what);
        assert.equal(answer.headers['set-cookie'], undefined, what);
        assert.equal((await scene.ask(scene.at(mallory, '/status/200'), [mallory.bearer])).status, 200, what);
      }
    });

    test('where an application sends its visitor the server does not go itself', async () => {
      const told = encodeURIComponent('Location: http://169.254.169.254/latest/\r\nX-Accel-Redirect: /etc/passwd\r\nX-Sendfile: /etc/passwd\r\nX-Reproxy-URL: http://127.0.0.1/\r\n');
      const answer = await scene.ask(scene.at(mallory, `/answer?status=302&head=${told}`), [mallory.bearer]);
      assert.equal(answer.status, 302);
      assert.equal(answer.text, 'as told\n');
    });

    test('after all that, the server is well and has logged no failure of its own', () => scene.isWell());
  });
}
