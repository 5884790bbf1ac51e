// The application behind the server, as browsers and programs reach it: tickets, rewrites, and what it never
// gets to see.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';

import { exchange } from '../../support/api_client.mjs';
import { startServer } from '../../support/server.mjs';

let server, user, workspace;
before(async () => {
  server = await startServer();
  user = await server.user('viewer');
  workspace = await user.createWorkspace();
  await user.start(workspace.id);
});
after(() => server.close());

const bearer = (token = user.token) => ({ Authorization: `Bearer ${token}` });
const ticket = async (body = {}) => (await user.post(`/api/workspaces/${workspace.id}/proxy-ticket`, body)).expect(201).data;
const open = (url, headers = {}) => exchange(new URL(url).origin, 'GET', new URL(url).pathname + new URL(url).search, { headers });
const cookieOf = (answer) => answer.headers['set-cookie'][0].split(';')[0];

test('a ticket opens the application once, and its cookie goes on', async () => {
  const { url, expiresAt } = await ticket();
  assert.equal(new URL(url).origin, server.apps);
  const left = Date.parse(expiresAt) - Date.now();
  assert.ok(left > 30_000 && left <= 60_000, `${left} ms`);
  const first = (await open(url)).expect(303);
  assert.equal(first.headers.location, `/${workspace.id}/8080/`);
  for (const attribute of ['HttpOnly', 'SameSite=Lax', `Path=/${workspace.id}/8080/`]) assert.ok(first.headers['set-cookie'][0].includes(attribute), first.headers['set-cookie'][0]);
  (await open(url)).expect(401, 'ticket_invalid');
  const page = (await open(`${server.apps}${first.headers.location}`, { Cookie: cookieOf(first) })).expect(200);
  assert.match(page.text, /testapp/);
  (await open(`${server.apps}/${workspace.id}/8080/`)).expect(401);
});

test('of many who open one ticket at once, one gets in', async () => {
  const { url } = await ticket();
  const answers = await Promise.all(Array.from({ length: 8 }, () => open(url)));
  assert.equal(answers.filter((each) => each.status === 303).length, 1);
});

test('a ticket is good for its workspace and port only, and so is its cookie', async () => {
  const other = await user.createWorkspace();
  await user.start(other.id);
  const moved = (await ticket()).url.replace(workspace.id, other.id);
  (await open(moved)).expect(401, 'ticket_invalid');
  (await open((await ticket()).url.replace('/8080/', '/8081/'))).expect(401, 'ticket_invalid');
  (await open((await ticket()).url.replace(/agentdb9_ticket=.*/, 'agentdb9_ticket=nonsense'))).expect(401, 'ticket_invalid');
  const opened = (await open((await ticket()).url)).expect(303);
  const headers = { Cookie: cookieOf(opened) };
  assert.equal((await open(`${server.apps}/${other.id}/8080/`, headers)).status, 401);
  assert.equal((await open(`${server.apps}/${workspace.id}/9999/`, headers)).status, 401);
  // On the API's origin cookies say nothing.
  assert.equal((await open(`${server.api}/api/workspaces/${workspace.id}/proxy/`, headers)).status, 401);
  (await user.delete(`/api/workspaces/${other.id}`)).expect(200);
});

test('a logout ends what its tickets opened', async () => {
  const leaving = await server.login(user.user.email, user.password);
  const { url } = (await leaving.post(`/api/workspaces/${workspace.id}/proxy-ticket`, {})).expect(201).data;
  const unused = (await leaving.post(`/api/workspaces/${workspace.id}/proxy-ticket`, {})).expect(201).data;
  const headers = { Cookie: cookieOf((await open(url)).expect(303)) };
  (await open(`${server.apps}/${workspace.id}/8080/`, headers)).expect(200);
  (await leaving.post('/api/auth/logout')).expect(200);
  assert.equal((await open(`${server.apps}/${workspace.id}/8080/`, headers)).status, 401);
  (await open(unused.url)).expect(401, 'ticket_invalid');
});

test('the application never sees our tokens, cookies and tickets, by any door', async () => {
  const opened = (await open((await ticket()).url)).expect(303);
  const cookie = cookieOf(opened);
  const apiToken = (await user.post('/api/auth/tokens', { name: 'seen' })).expect(201).data.token;
  const secrets = [user.token, user.refreshToken, apiToken, cookie.split('=').slice(1).join('=')];
  const seen = async (origin, path, headers) => {
    const answer = (await exchange(origin, 'GET', path, { headers })).expect(200);
    for (const secret of secrets) assert.ok(!answer.text.includes(secret), `${path} shows one of our secrets: ${answer.text}`);
    return Object.fromEntries(answer.body.headers.map(([name, value]) => [name.toLowerCase(), value]));
  };
  const doors = [`/api/workspaces/${workspace.id}/proxy/echo`, `/api/workspaces/${workspace.id}/ports/8080/echo`, `/workspace-proxy/${workspace.id}/echo`, '/spreadsheet/echo'];
  for (const path of doors) {
    for (const token of [user.token, apiToken]) {
      const headers = await seen(server.api, path, { ...bearer(token), Cookie: `own=1; ${cookie}; agentdb9_refresh=${user.refreshToken}; more=2` });
      assert.equal(headers.authorization, undefined);
      assert.equal(headers.cookie, 'own=1; more=2');
      assert.equal(headers.host, new URL(server.api).host);
    }
  }
  // Where our sign-in is the cookie, the application's own Authorization passes; ours never does.
  const apps = (headers) => seen(server.apps, `/${workspace.id}/8080/echo?agentdb9_ticket=x`, { Cookie: `${cookie}; own=1`, ...headers }).catch((error) => error);
  const viaCookie = await seen(server.apps, `/${workspace.id}/8080/echo`, { Cookie: `${cookie}; own=1`, Authorization: 'Basic YTpi' });
  assert.equal(viaCookie.authorization, 'Basic YTpi');
  assert.equal(viaCookie.cookie, 'own=1');
  for (const token of [user.token, apiToken]) {
    assert.equal((await seen(server.apps, `/${workspace.id}/8080/echo`, { Cookie: cookie, ...bearer(token) })).authorization, undefined);
  }
  await apps({});
  // Nor does its environment hold any.
  const environment = (await user.application('GET', workspace.id, '/env')).expect(200).text;
  for (const secret of [...secrets, user.password]) assert.ok(!environment.includes(secret));
});

test('a WebSocket does not carry them either', async () => {
  const socket = new WebSocket(`${server.api.replace('http', 'ws')}/api/workspaces/${workspace.id}/proxy/ws`, { headers: bearer() });
  await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject));
  const told = new Promise((resolve) => socket.on('message', (data) => resolve(data.toString())));
  socket.send('headers');
  assert.ok(!(await told).includes(user.token));
  socket.terminate();
});

test('a page of another origin opens no socket with the user\'s cookie', async () => {
  const cookie = cookieOf((await open((await ticket()).url)).expect(303));
  const attempt = (Origin) => new Promise((resolve) => {
    const socket = new WebSocket(`${server.apps.replace('http', 'ws')}/${workspace.id}/8080/ws`, { headers: { Cookie: cookie, Origin } });
    socket.on('open', () => resolve(101) || socket.terminate()).on('unexpected-response', (_, response) => resolve(response.statusCode)).on('error', () => {});
  });
  assert.equal(await attempt(server.apps), 101);
  assert.equal(await attempt('http://evil.example'), 403);
  assert.equal(await attempt(server.api), 403);
});

test('rewrites lead to the workspace that they name, or to the default of a type', async () => {
  const path = async (origin, url) => (await exchange(origin, 'GET', url, { headers: bearer() })).expect(200).body.url;
  assert.equal(await path(server.api, `/workspace-proxy/${workspace.id}/a/b?c=d`), '/a/b?c=d');
  assert.equal(await path(server.api, '/spreadsheet/a%2Fb'), '/a%2Fb');
  assert.equal((await exchange(server.api, 'GET', '/vscode/', { headers: bearer() })).status, 404);
  assert.equal((await exchange(server.api, 'GET', '/spreadsheet', { headers: bearer() })).headers.location, '/spreadsheet/');
  assert.equal((await exchange(server.api, 'GET', '/spreadsheet/a')).status, 401);
  const page = await exchange(server.api, 'GET', `/workspace-proxy/${workspace.id}/`, { headers: { Accept: 'text/html' } });
  assert.equal(page.status, 401);
  assert.match(page.headers['content-type'], /text\/html/);
  assert.match(page.text, /[Ss]ign in/);
  // The default of the type decides, also when it changes.
  const second = await user.createWorkspace({ name: 'second' });
  await user.start(second.id);
  const which = async () => (await exchange(server.api, 'GET', '/spreadsheet/env', { headers: bearer() })).expect(200).body.WORKSPACE_ID;
  assert.equal(await which(), workspace.id);
  (await user.post(`/api/workspaces/${second.id}/set-default`)).expect(200);
  assert.equal(await which(), second.id);
  (await user.delete(`/api/workspaces/${second.id}`)).expect(200);
  assert.equal(await which(), workspace.id);
});

test('an application that wants its prefix keeps it, by every door', async () => {
  const kept = await user.createWorkspace({ type: 'notebook' });
  await user.start(kept.id);
  const base = `/${kept.id}/8080`;
  for (const [origin, url] of [[server.api, `/api/workspaces/${kept.id}/proxy/x?y=z`], [server.api, `/workspace-proxy/${kept.id}/x?y=z`], [server.apps, `${base}/x?y=z`]]) {
    const { url: asked } = (await exchange(origin, 'GET', url, { headers: bearer() })).expect(200).body;
    assert.equal(asked, `${base}/x?y=z`, url);
  }
  (await user.delete(`/api/workspaces/${kept.id}`)).expect(200);
});

test('what does not run, and ports that nobody opened, are told apart', async () => {
  const resting = await user.createWorkspace();
  const ask = (path) => exchange(server.api, 'GET', path, { headers: bearer() });
  (await ask(`/api/workspaces/${resting.id}/proxy/`)).expect(503, 'workspace_not_running');
  (await ask(`/api/workspaces/${workspace.id}/ports/9/`)).expect(502, 'upstream_unreachable');
  for (const port of ['0', '65536', 'abc', '-1', '']) assert.ok([400, 404].includes((await ask(`/api/workspaces/${workspace.id}/ports/${port}/`)).status), port);
  (await ask('/api/workspaces/not-an-id/proxy/')).expect(400, 'invalid_field');
});
