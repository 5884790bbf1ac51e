// Tried from outside: what a stranger, a neighbour, a page or an application may send, what has to come back, and
// what must not have happened meanwhile. Here whom a request is taken for: tickets, cookies, tokens, host names and
// what a client says of itself. The other parts:
//   attacks_by_applications   what a container gets to see, and what a hostile application answers
//   attacks_by_other_sites    pages of other origins: sockets, forms, scripts, frames
//   attacks_by_paths          paths that climb, ids in disguise, ports that nobody has, targets of other hosts
//   attacks_by_framing        requests that are read in two ways, and what stands behind a request
//   attacks_by_volume         floods, slow ones, and 200 MB
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Scene, styles, urls } from '../../support/attack_scene.mjs';
import { head, RawConnection, speak, webSocket } from '../../support/raw_http.mjs';

for (const style of styles) {
  describe(`applications by ${style}`, () => {
    let scene, server, alice, mallory, spare;
    before(async () => {
      scene = await Scene.start(style);
      ({ server, alice, mallory } = scene);
      // His other workspace, which does not run.
      spare = mallory.with(await mallory.client.createWorkspace());
    });
    after(() => scene?.close());

    const fresh = async (person) => new URL(await scene.ticket(person)).searchParams.get('agentdb9_ticket');
    const open = (person, ticket, { port = 8080, headers = [], method } = {}) => scene.ask(scene.at(person, `/?agentdb9_ticket=${ticket}`, port), headers, { method });

    test('a ticket is good once, for whom, where and as long as it was made for', async () => {
      const invalid = (attack) => [attack, 401, 'ticket_invalid'];
      const garbled = (change) => invalid(async () => open(mallory, change(await fresh(mallory))));
      const otherCase = (c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase());
      await scene.table({
        'at another port': invalid(async () => open(mallory, await fresh(mallory), { port: 8081 })),
        'at another workspace of one\'s own': invalid(async () => open(spare, await fresh(mallory))),
        'at her workspace': invalid(async () => open(alice, await fresh(mallory))),
        'at her workspace, with one\'s own token beside it': invalid(async () => open(alice, await fresh(mallory), { headers: [mallory.bearer] })),
        'hers at one\'s own': invalid(async () => open(mallory, await fresh(alice), { headers: [mallory.bearer] })),
        'after it was tried at a wrong place': invalid(async () => {
          const ticket = await fresh(mallory);
          await open(alice, ticket);
          return open(mallory, ticket);
        }),
        'twice': invalid(async () => {
          const ticket = await fresh(mallory);
          assert.equal((await open(mallory, ticket)).status, 303);
          return open(mallory, ticket, { headers: [mallory.bearer] });
        }),
        'too old': invalid(async () => {
          const ticket = await fresh(mallory);
          server.query(`UPDATE agentdb9_proxy_tickets SET "expiresAt" = '2020-01-01T00:00:00.000Z'`);
          return open(mallory, ticket);
        }),
        'after the logout': invalid(async () => {
          const leaving = await server.login(mallory.client.user.email, mallory.client.password);
          const ticket = await fresh({ client: leaving, workspace: mallory.workspace });
          (await leaving.post('/api/auth/logout')).expect(200);
          return open(mallory, ticket);
        }),
        'after its API token was deleted': invalid(async () => {
          const made = (await mallory.client.post('/api/auth/tokens', { name: 'short' })).expect(201).data;
          const ticket = await fresh({ client: mallory.client.with(made.token), workspace: mallory.workspace });
          (await mallory.client.delete(`/api/auth/tokens/${made.id}`)).expect(200);
          return open(mallory, ticket);
        }),
        'of a workspace that was deleted': invalid(async () => {
          const gone = mallory.with(await mallory.client.createWorkspace());
          const ticket = await fresh(gone);
          (await mallory.client.delete(`/api/workspaces/${gone.workspace.id}`)).expect(200);
          return open(gone, ticket);
        }),
        // It lets in, and behind it there is nothing.
        'of a workspace that was stopped': [async () => {
          await mallory.client.start(spare.workspace.id);
          const ticket = await fresh(spare);
          await mallory.client.stop(spare.workspace.id);
          const [, cookie] = /^([^;]*);/.exec((await open(spare, ticket)).headers['set-cookie']);
          return scene.ask(scene.at(spare), [`Cookie: ${cookie}`]);
        }, 503, 'workspace_not_running'],
        'cut short': garbled((ticket) => ticket.slice(0, -1)),
        'too long': garbled((ticket) => `${ticket}A`),
        'in another case': garbled((ticket) => ticket.replace(/[a-z]/i, otherCase)),
        'with a NUL': garbled((ticket) => `${ticket}%00`),
        'with half an escape': garbled((ticket) => `${ticket}%4`),
        'of high bytes': garbled(() => '%ff'.repeat(43)),
        'of wildcards': garbled(() => '%25'.repeat(43)),
        'of SQL': garbled(() => '%27%20OR%201=1--'),
        'very long': garbled(() => 'A'.repeat(20_000)),
        'empty': [() => open(mallory, ''), 401],
        'by POST': [async () => open(mallory, await fresh(mallory), { method: 'POST' }), 401],
        'by OPTIONS': [async () => open(mallory, await fresh(mallory), { method: 'OPTIONS' }), 401],
        'as a bearer token': [async () => scene.ask(scene.at(mallory, '/x'), [`Authorization: Bearer ${await fresh(mallory)}`]), 401, 'invalid_token'],
        'as a cookie': [async () => scene.ask(scene.at(mallory, '/x'), [`Cookie: agentdb9_app=${await fresh(mallory)}; agentdb9_ticket=${await fresh(mallory)}`]), 401],
        'of her workspace, asked for by him': [() => mallory.client.post(`/api/workspaces/${alice.workspace.id}/proxy-ticket`, {}), 404, 'workspace_not_found'],
        'of a port that is none': [() => mallory.client.post(`/api/workspaces/${mallory.workspace.id}/proxy-ticket`, { port: 65536 }), 400, 'invalid_field'],
      });
    });

    test('of many who come with one ticket at the very same moment, one gets in', async () => {
      for (let round = 0; round < 3; ++round) {
        const text = scene.text('GET', scene.at(mallory, `/?agentdb9_ticket=${await fresh(mallory)}`));
        const crowd = Array.from({ length: 16 }, () => new RawConnection(server.apps));
        await Promise.all(crowd.map((each) => each.opened));
        const answers = await Promise.all(crowd.map(async (each) => (await each.write(text)) && each.answer()));
        for (const each of crowd) each.close();
        assert.deepEqual(answers.map((each) => each.status).sort(), [303, ...Array(15).fill(401)]);
      }
    });

    test('the API\'s origin takes no ticket and no cookie, and uses none up', async () => {
      const ticket = await fresh(mallory);
      const cookie = await scene.cookie(mallory);
      const query = `?agentdb9_ticket=${ticket}`;
      const calls = [`/api/workspaces/${mallory.workspace.id}`, '/api/workspaces', '/api/projects', '/api/auth/profile', '/api/auth/tokens', '/spreadsheet/'];
      const places = [...scene.apiDoors(mallory), ...calls.map((each) => scene.atApi(each))];
      const credentials = {
        'the cookie': ['', cookie],
        'the cookie, for a page': ['', cookie, 'Accept: text/html'],
        'the cookie, for a socket': ['', cookie, ...webSocket],
        'the cookie as https has it': ['', cookie.replace('agentdb9_app', '__Host-agentdb9_app')],
        'the cookie and the session\'s': ['', `${cookie}; ${await scene.sessionCookie(mallory)}`],
        'the cookie as a token': ['', `Authorization: Bearer ${cookie.split('=')[1]}`],
        'the ticket': [query],
        'the ticket, for a socket': [query, ...webSocket],
      };
      for (const [what, [more, ...headers]] of Object.entries(credentials)) {
        for (const place of places) await scene.table({ [`${what} at ${place.target}`]: [() => scene.ask({ ...place, target: place.target + more }, headers), 401] });
      }
      assert.equal((await scene.ask(scene.atApi(scene.at(mallory).target + query))).headers['set-cookie'], undefined);
      assert.equal((await open(mallory, ticket)).status, 303, 'it is still good where it belongs');
    });

    test('a cookie is one application\'s, and nothing else is such a cookie', async () => {
      const cookie = await scene.cookie(mallory);
      const value = cookie.slice(cookie.indexOf('=') + 1);
      const hers = (await scene.cookie(alice)).split('=')[1];
      const session = await scene.sessionCookie(mallory);
      const api = await scene.apiToken(mallory);
      const { token, refreshToken } = mallory.client;
      const ask = (person, headers, port) => () => scene.ask(scene.at(person, '/x', port), [headers].flat());
      const forged = (change) => [ask(alice, `Cookie: agentdb9_app=${change(value)}`), 401];
      const signature = /\.[^.]*$/;
      await scene.table({
        'where it belongs': [ask(mallory, cookie), 200, undefined, ['/x']],
        'behind another of its name': [ask(mallory, `Cookie: agentdb9_app=x; agentdb9_app=${value}`), 200, undefined, ['/x']],
        'at another port': [ask(mallory, cookie, 8081), 401],
        'at another workspace of one\'s own': [ask(spare, cookie), 401],
        'at hers': [ask(alice, cookie), 401],
        'at hers, with one\'s own token': [ask(alice, [cookie, mallory.bearer]), 401],
        'hers at his, where she owns nothing': [ask(mallory, `Cookie: agentdb9_app=${hers}`), 401],
        'rewritten for her workspace': forged((text) => text.replace(mallory.workspace.id, alice.workspace.id)),
        'rewritten for her': forged((text) => text.replace(mallory.workspace.id, alice.workspace.id).replace(mallory.client.user.id, alice.client.user.id)),
        'hers with his signature': forged((text) => hers.replace(signature, signature.exec(text)[0])),
        'without its signature': forged((text) => text.replace(signature, '.')),
        'in quotes': forged((text) => `"${text}"`),
        'the session\'s cookie': [ask(mallory, [`Cookie: ${session}`, `Cookie: agentdb9_app=${session.split('=')[1]}`]), 401],
        'an access token as a cookie': [ask(mallory, `Cookie: agentdb9_app=${token}; accessToken=${token}`), 401],
        'an API token as a cookie': [ask(mallory, `Cookie: agentdb9_app=${api}`), 401],
        'a cookie as a token': [ask(mallory, `Authorization: Bearer ${value}`), 401],
        'a refresh token as a token': [ask(mallory, `Authorization: Bearer ${refreshToken}`), 401],
        'a token in the query': [() => scene.ask(scene.at(mallory, `/x?access_token=${token}&token=${api}`)), 401],
        'his access token at hers': [ask(alice, mallory.bearer), 404, 'workspace_not_found'],
        'his API token at hers': [ask(alice, `Authorization: Bearer ${api}`), 404, 'workspace_not_found'],
        'a link that nobody shared': [ask(alice, `Cookie: agentdb9_link=${'A'.repeat(43)}`), 401],
      });
    });

    test('a Host is one name, and leads to no other application', async () => {
      const cookie = await scene.cookie(mallory);
      const { host, target } = scene.at(mallory, '/x');
      const [name, port] = host.split(':');
      const paths = style === 'paths';
      // By paths the name means nothing; where it means the application, what is not exactly one is none.
      const cases = {
        'in capitals': [[host.toUpperCase()], 200],
        'without its port': [[name], 200],
        'with another port': [[`${name}:1`], 200],
        'a foreign name': [['evil.test'], paths ? 200 : 421],
        'the API\'s': [[scene.atApi('/').host], paths ? 200 : 421],
        'an address': [['[::1]:80'], paths ? 200 : 421],
        'an empty one': [[''], paths ? 200 : 421],
        'a name behind': [[`${name}.evil.test:${port}`], paths ? 200 : 421],
        'a name before': [[`x.${host}`], paths ? 200 : 404],
        'a trailing dot': [[`${name}.:${port}`], paths ? 200 : 404],
        'none': [[], 400],
        'two': [[host, host], 400],
        'his and hers': [[host, paths ? 'hers' : scene.at(alice).host], 400],
        'two in one': [[`${host}, evil.test`], 400],
        'userinfo': [[`user@${host}`], 400],
        'a scheme': [[`http://${host}`], 400],
        'a path': [[`${host}/x`], 400],
        'a port of letters': [[`${name}:http`], 400],
        'two ports': [[`${host}:80`], 400],
        'a port and no name': [[`:${port}`], 400],
        'half a bracket': [[`[${name}`], 400],
        'a space': [[`${host} evil.test`], 400],
        'a NUL': [[`${host}\0`], 400],
        'other letters': [[`\xfc.${host}`], 400],
      };
      for (const [what, [hosts, status]] of Object.entries(cases)) {
        const text = head('GET', target, [...hosts.map((each) => `Host: ${each}`), cookie, 'Connection: close']);
        const seen = await scene.witness(() => speak(server.apps, Buffer.from(text, 'latin1')));
        assert.deepEqual(seen.result.map((each) => each.status), [status], `${what}: ${seen.result[0]?.text}`);
        assert.deepEqual([urls(seen.alice), urls(seen.mallory)], [[], status === 200 ? ['/x'] : []], what);
      }
      // HTTP/1.0 needs none: where the name means the application, there is none then.
      const [old] = await speak(server.apps, `GET ${target} HTTP/1.0\r\n${cookie}\r\n\r\n`);
      assert.equal(old.status, paths ? 200 : 421);
    });

    test('what a client says of itself changes nothing, and reaches the application as no word of ours', async () => {
      const claims = [
        'X-Forwarded-For: 10.9.9.9', 'X-Forwarded-For: 10.8.8.8', 'X-Forwarded-Host: evil.test', 'X-Forwarded-Proto: https', 'X-Forwarded-Prefix: /evil',
        'X-Forwarded-Port: 1', 'X-Forwarded-Server: evil', 'X-Forwarded-User: alice', 'X-Forwarded-Email: alice@example.test',
        'X_Forwarded_For: 10.7.7.7', 'X_Forwarded-Host: evil.test', 'X-Real-IP: 10.9.9.9', 'X_Real_IP: 10.9.9.9',
        'Forwarded: for=10.9.9.9;host=evil.test;proto=https', 'X-Request-Id: forged id',
        `X-Original-URL: /${alice.workspace.id}/8080/x`, `X-Rewrite-URL: /api/workspaces/${alice.workspace.id}`,
        `X-Original-Host: ${scene.at(alice).host}`, `X-Host: ${scene.at(alice).host}`, 'X-HTTP-Method-Override: DELETE', 'X-Method-Override: DELETE',
        'Remote-User: alice', 'X-WEBAUTH-USER: alice', `X-User-Id: ${alice.client.user.id}`, `X-Agentdb9-User: ${alice.client.user.id}`,
      ];
      const named = 'Connection: X-Forwarded-For, X-Forwarded-Host, X-Request-Id, Host, Forwarded';
      for (const place of [scene.at(mallory, '/x'), ...scene.apiDoors(mallory, '/x')]) {
        for (const headers of [claims, [...claims, named]]) {
          const seen = await scene.witness(() => scene.ask(place, [mallory.bearer, ...headers]));
          assert.deepEqual([seen.result.status, urls(seen.alice), urls(seen.mallory)], [200, [], ['/x']]);
          // By any spelling: some frameworks take "_" for "-".
          const of = (name) => seen.mallory[0].headers.filter(([each]) => each.toLowerCase().replaceAll('_', '-') === name).map(([, value]) => value);
          const expected = { 'host': [place.host], 'x-forwarded-for': ['127.0.0.1'], 'x-forwarded-host': [place.host], 'x-forwarded-proto': ['http'], 'x-request-id': [seen.result.headers['x-request-id']] };
          for (const [name, values] of Object.entries(expected)) assert.deepEqual(of(name), values, name);
          for (const name of ['forwarded', 'x-real-ip', 'x-forwarded-port', 'x-forwarded-server', 'x-forwarded-user', 'x-forwarded-email']) assert.deepEqual(of(name), [], name);
          assert.ok(!of('x-forwarded-prefix').join().includes('evil'));
        }
      }
      await scene.table({
        'at hers': [() => scene.ask(scene.at(alice, '/x'), [mallory.bearer, ...claims]), 404, 'workspace_not_found'],
        'at hers, as nobody': [() => scene.ask(scene.at(alice, '/x'), claims), 401],
        'at the API, as nobody': [() => scene.ask(scene.atApi('/api/auth/profile'), claims), 401],
      });
      const profile = await scene.ask(scene.atApi('/api/auth/profile'), [mallory.bearer, ...claims]);
      assert.equal(JSON.parse(profile.text).data.id, mallory.client.user.id);
      assert.equal((await mallory.client.get(`/api/workspaces/${mallory.workspace.id}`)).expect(200).data.id, mallory.workspace.id, 'no method was overridden');
    });

    test('after all that, the server is well and has logged no failure of its own', () => scene.isWell());
  });
}
