// An origin for each application, and sharing: two users and a stranger at the ports of a workspace that is the
// first one's, on two servers.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';

import { ApiClient, exchange } from '../../support/api_client.mjs';
import { appsDomain, cookieOf, hostOf, visit as visitAt, withAppsDomain } from '../../support/application_hosts.mjs';
import { eventually } from '../../support/eventually.mjs';
import { startPostgres } from '../../support/postgres_server.mjs';
import { startServer } from '../../support/server.mjs';

let postgres, server, second, owner, guest, workspace, host, page;
before(async () => {
  postgres = await startPostgres();
  server = await startServer({ postgres, environment: withAppsDomain });
  second = await startServer({ beside: server, environment: withAppsDomain });
  owner = await server.user('owner');
  guest = await server.user('guest');
  workspace = await owner.createWorkspace();
  await owner.start(workspace.id);
  host = hostOf(server, workspace);
  page = `http://${host}/`;
  // The second one knows of it, too.
  const there = new ApiClient(second, owner);
  await eventually('the second server to reach it', async () => (await there.application('GET', workspace.id, '/healthz')).status === 200);
});
after(async () => {
  await Promise.all([server?.close(), second?.close()]);
  await postgres?.close();
});

const visit = (url = page, headers = {}, options = {}) => visitAt(server, url, { headers, ...options });
const visitSecond = (headers = {}) => visitAt(second, `http://${hostOf(second, workspace)}/`, { headers });
const shares = (id = workspace.id) => `/api/workspaces/${id}/shares`;
const share = async (fields, client = owner) => (await client.post(shares(), fields)).expect(201).data;
const unshare = async (made, client = owner) => (await client.delete(`${shares()}/${made.id}`)).expect(200);
const ticket = (client, body = {}) => client.post(`/api/workspaces/${workspace.id}/proxy-ticket`, body);
const bearer = (client) => ({ Authorization: `Bearer ${client.token}` });
async function signIn(client, at = server) {
  const { url } = (await ticket(client)).expect(201).data;
  return { Cookie: cookieOf((await visitAt(at, url)).expect(303)) };
}

/** A socket that stands; `ended` tells by which code it was closed. */
async function socketOf(headers, at = server) {
  const socket = new WebSocket(`${at.apps.replace('http', 'ws')}/ws`, { headers: { Host: hostOf(at, workspace), ...headers } });
  await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject).on('unexpected-response', (_, { statusCode }) => reject(new Error(`${statusCode}`))));
  return { socket, ended: new Promise((resolve) => socket.on('close', resolve)) };
}
const within = (milliseconds, promise) => Promise.race([promise, new Promise((resolve) => setTimeout(resolve, milliseconds, 'not in time'))]);

test('a ticket leads to the host name of its application, and its cookie is for that host', async () => {
  const { url } = (await ticket(owner)).expect(201).data;
  assert.equal(new URL(url).host, host);
  assert.equal(new URL(url).pathname, '/');
  const opened = (await visit(url)).expect(303);
  assert.equal(opened.headers.location, '/');
  assert.match(opened.headers['set-cookie'][0], /^agentdb9_app=[^;]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/);
  (await visit(url)).expect(401, 'ticket_invalid');
  const headers = { Cookie: cookieOf(opened) };
  assert.match((await visit(page, headers)).expect(200).text, /testapp/);
  const seen = (await visit(`${page}echo/%2F?a=b`, headers)).expect(200).body;
  assert.equal(seen.url, '/echo/%2F?a=b');
  const names = Object.fromEntries(seen.headers.map(([name, value]) => [name.toLowerCase(), value]));
  assert.equal(names.host, host);
  assert.equal(names.cookie, undefined);
  // For no other port, workspace or origin.
  assert.equal((await visit(`http://${hostOf(server, workspace, 9)}/`, headers)).status, 401);
  const other = await owner.createWorkspace();
  await owner.start(other.id);
  assert.equal((await visit(`http://${hostOf(server, other)}/`, headers)).status, 401);
  (await visit(url.replace(workspace.id, other.id))).expect(401, 'ticket_invalid');
  assert.equal((await exchange(server.api, 'GET', `/api/workspaces/${workspace.id}/proxy/`, { headers })).status, 401);
  (await owner.delete(`/api/workspaces/${other.id}`)).expect(200);
});

test('what is no application\'s name is said to be none', async () => {
  const apps = new URL(server.apps);
  for (const name of [`www.${appsDomain}`, `08080--${workspace.id}.${appsDomain}`, `8080--${workspace.id}.${appsDomain}.`]) (await visit(page, { Host: `${name}:${apps.port}` })).expect(404, 'not_found');
  for (const name of [appsDomain, 'evil.test', apps.host]) (await visit(page, { Host: name })).expect(421, 'misdirected_request');
  const moved = await visitAt(server, `${server.apps}/${workspace.id}/8080/a?b`);
  assert.equal(moved.status, 307);
  assert.equal(moved.headers.location, `http://${host}/a?b`);
});

test('without a share the port is the owner\'s alone', async () => {
  assert.deepEqual((await owner.get(shares())).expect(200).data, []);
  assert.equal((await visit()).status, 401);
  assert.equal((await visit(page, bearer(guest))).status, 404);
  (await ticket(guest)).expect(404, 'workspace_not_found');
  (await guest.get(shares())).expect(404, 'workspace_not_found');
  (await guest.post(shares(), { level: 'public' })).expect(404, 'workspace_not_found');
  (await guest.post(shares(), { nonsense: true })).expect(404, 'workspace_not_found');
  (await server.nobody().get(shares())).expect(401);
});

test('public: a stranger gets this port, and nothing else; taken back, nothing, on every server', async () => {
  const made = await share({ level: 'public' });
  assert.equal(made.url, page);
  assert.equal(made.expiresAt, null);
  (await owner.post(shares(), { level: 'public' })).expect(409, 'share_exists');
  assert.deepEqual((await owner.get(shares())).expect(200).data, [made]);
  (await visit()).expect(200);
  await eventually('the second server to let strangers in', async () => (await visitSecond()).status === 200, { within: 1000, every: 10 });
  assert.equal((await visit(`http://${hostOf(server, workspace, 9)}/`)).status, 401);
  const seen = (await visit(`${page}echo`, { Authorization: 'Basic YTpi', Cookie: 'own=1' })).expect(200).body.headers;
  assert.ok(seen.some(([, value]) => value === 'Basic YTpi'), 'the application\'s own sign-in passes');
  for (const client of [owner, guest]) assert.ok(!(await visit(`${page}echo`, bearer(client))).expect(200).text.includes(client.token), 'our token does not');
  // The API and its doors know of no share.
  for (const path of [`/api/workspaces/${workspace.id}`, `/api/workspaces/${workspace.id}/status`]) (await guest.get(path)).expect(404, 'workspace_not_found');
  assert.equal((await guest.application('GET', workspace.id, '/')).status, 404);
  (await guest.delete(`${shares()}/${made.id}`)).expect(404, 'workspace_not_found');
  const { ended } = await socketOf({});
  const there = await socketOf({}, second);
  await unshare(made);
  assert.equal((await visit()).status, 401, 'at once');
  assert.equal(await within(1500, ended), 1008);
  assert.equal(await within(1500, there.ended), 1008);
  assert.equal((await visitSecond()).status, 401);
  (await owner.delete(`${shares()}/${made.id}`)).expect(404, 'share_not_found');
});

test('users: whoever signs in for it, by a ticket of their own', async () => {
  const made = await share({ level: 'users', port: 8080 });
  assert.equal((await visit()).status, 401);
  (await ticket(guest, { port: 9 })).expect(404, 'workspace_not_found');
  const headers = await signIn(guest);
  (await visit(page, headers)).expect(200);
  assert.equal((await visit(`http://${hostOf(server, workspace, 9)}/`, headers)).status, 401);
  assert.equal((await guest.application('GET', workspace.id, '/')).status, 404);
  const unused = (await ticket(guest)).expect(201).data;
  const [byGuest, byOwner] = [await socketOf(headers), await socketOf(await signIn(owner))];
  await unshare(made);
  assert.equal(await within(1500, byGuest.ended), 1008);
  assert.equal((await visit(page, headers)).status, 404);
  (await visit(unused.url)).expect(401, 'ticket_invalid');
  assert.equal(byOwner.socket.readyState, WebSocket.OPEN);
  byOwner.socket.terminate();
});

test('link: its address opens it, to its end or until it is taken back', async () => {
  const made = await share({ level: 'link' });
  const left = Date.parse(made.expiresAt) - Date.now();
  assert.ok(left > 6.9 * 86_400_000 && left <= 7 * 86_400_000, made.expiresAt);
  assert.equal((await owner.get(shares())).expect(200).data[0].url, made.url, 'shown again to its owner');
  (await ticket(guest)).expect(404, 'workspace_not_found');
  const opened = (await visit(made.url)).expect(303);
  assert.match(opened.headers['set-cookie'][0], /^agentdb9_link=[^;]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/);
  (await visit(made.url)).expect(303);
  const headers = { Cookie: cookieOf(opened) };
  const seen = (await visit(`${page}echo`, headers)).expect(200);
  assert.ok(!seen.text.includes(cookieOf(opened).split('=')[1]), 'the application does not see it');
  (await visit(made.url.slice(0, -1))).expect(401, 'share_invalid');
  assert.equal((await visit()).status, 401);
  assert.equal((await visit(`http://${hostOf(server, workspace, 9)}/`, headers)).status, 401);
  const { ended } = await socketOf(headers);
  await unshare(made);
  assert.equal(await within(1500, ended), 1008);
  assert.equal((await visit(page, headers)).status, 401);
  (await visit(made.url)).expect(401, 'share_invalid');
});

test('a share ends by itself, and its sockets with it', async () => {
  const end = Date.now() + 3000;
  await share({ level: 'link', expiresAt: new Date(end).toISOString() });
  const made = await share({ level: 'public', expiresAt: new Date(end).toISOString() });
  assert.equal(Date.parse(made.expiresAt), end);
  const { ended } = await socketOf({});
  assert.equal(await within(6000, ended), 1008);
  assert.ok(Date.now() >= end - 5, 'not before');
  assert.equal((await visit()).status, 401);
  assert.deepEqual((await owner.get(shares())).expect(200).data, []);
});

test('a share goes with its workspace', async () => {
  const leaving = await server.user('leaving');
  const own = await leaving.createWorkspace();
  await leaving.start(own.id);
  (await leaving.post(shares(own.id), { level: 'public' })).expect(201);
  const url = `http://${hostOf(server, own)}/`;
  (await visit(url)).expect(200);
  (await leaving.delete(`/api/workspaces/${own.id}`)).expect(200);
  assert.equal((await visit(url)).status, 401);
  assert.equal(server.query(`SELECT count(*) FROM agentdb9_shares WHERE "workspaceId" = '${own.id}'`), '0');
});

test('what cannot be shared is refused, and says why', async () => {
  const refuse = async (body, field) => {
    const answer = (await owner.post(shares(), body)).expect(400, 'invalid_field');
    assert.ok(answer.body.details.some((each) => each.field === field), JSON.stringify(answer.body.details));
  };
  await refuse({}, 'level');
  for (const level of ['owner', 'everybody', '', 5, ['public']]) await refuse({ level }, 'level');
  for (const port of [0, 65_536, 'x', 1.5]) await refuse({ level: 'public', port }, 'port');
  for (const expiresAt of ['tomorrow', '2020-01-01T00:00:00Z', '2999-01-01T00:00:00Z', 5]) await refuse({ level: 'public', expiresAt }, 'expiresAt');
  await refuse({ level: 'public', more: 1 }, 'more');
  (await owner.post(shares('nonsense'), { level: 'public' })).expect(400, 'invalid_id');
  (await owner.delete(`${shares()}/nonsense`)).expect(400, 'invalid_id');
  (await owner.delete(`${shares()}/${workspace.id}`)).expect(404, 'share_not_found');
  // Twice at once, on two servers.
  const there = new ApiClient(second, owner);
  const answers = await Promise.all([owner, there, owner, there].map((client) => client.post(shares(), { level: 'users', port: 4000 })));
  assert.deepEqual(answers.map((each) => each.status).sort(), [201, 409, 409, 409]);
});

test('without server.appsDomain nothing is shared', async () => {
  const plain = await startServer();
  try {
    const user = await plain.user('plain');
    const own = await user.createWorkspace();
    (await user.post(shares(own.id), { level: 'public' })).expect(409, 'apps_domain_missing');
    assert.deepEqual((await user.get(shares(own.id))).expect(200).data, []);
  } finally {
    await plain.close();
  }
});
