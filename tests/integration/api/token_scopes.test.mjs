// API tokens that may less than their owner: by every call of the document, and by every door to an application.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import WebSocket from 'ws';

import { exchange } from '../../support/api_client.mjs';
import { EventStream } from '../../support/event_stream.mjs';
import { startServer } from '../../support/server.mjs';

let server, ada, eve, mine, second, hers, current, assigned, secret;
before(async () => {
  server = await startServer();
  [ada, eve] = [await server.user('ada'), await server.user('eve')];
  [current, assigned, secret] = [await ada.createProject({ name: 'current' }), await ada.createProject({ name: 'assigned' }), await ada.createProject({ name: 'secret' })];
  [mine, second, hers] = [await ada.createWorkspace({ projectId: current.id }), await ada.createWorkspace(), await eve.createWorkspace()];
  (await ada.post(`/api/workspaces/${mine.id}/assign-project`, { projectId: assigned.id })).expect(200);
  await Promise.all([ada.start(mine.id), ada.start(second.id)]);
});
after(() => server.close());

async function token(fields) {
  const made = (await ada.post('/api/auth/tokens', { name: 'robot', ...fields })).expect(201).data;
  return Object.assign(server.nobody().with(made.token), { made });
}

// A path of the document with these ids.
const filled = (template, id) => template.replace('{id}', id).replace('{type}', 'spreadsheet').replace(/\{\w+\}/g, randomUUID());
const doors = (id) => [
  [server.api, `/api/workspaces/${id}/proxy/env`], [server.api, `/api/workspaces/${id}/ports/8080/env`], [server.api, `/workspace-proxy/${id}/env`], [server.apps, `/${id}/8080/env`],
];
const through = (caller, [origin, path]) => exchange(origin, 'GET', path, { headers: { Authorization: `Bearer ${caller.token}` } });
// What a WebSocket of an application, or of the API, is answered: 101, or why not.
function upgrade(caller, path) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`${server.api.replace('http', 'ws')}${path}`, { headers: { Authorization: `Bearer ${caller.token}` } });
    socket.on('open', () => (socket.terminate(), resolve(101)));
    socket.on('unexpected-response', (request, response) => (request.destroy(), resolve(response.statusCode)));
    socket.on('error', (error) => /unexpected|closed before|socket hang up/i.test(error.message) || reject(error));
  });
}

test('a token says what it may, when it is made and in the list', async () => {
  const cases = [
    [{}, null, null], [{ scopes: ['read'] }, ['read'], null], [{ scopes: ['write'] }, ['read', 'write'], null], [{ scopes: ['write', 'read'] }, ['read', 'write'], null],
    [{ workspaceId: mine.id }, ['read', 'write'], mine.id], [{ scopes: ['read'], workspaceId: mine.id }, ['read'], mine.id], [{ scopes: null, workspaceId: null }, null, null],
  ];
  for (const [fields, scopes, workspaceId] of cases) {
    const { made } = await token(fields);
    assert.deepEqual([made.scopes, made.workspaceId], [scopes, workspaceId]);
    const listed = (await ada.get('/api/auth/tokens')).expect(200).data.find((each) => each.id === made.id);
    assert.deepEqual([listed.scopes, listed.workspaceId], [scopes, workspaceId]);
  }
  for (const scopes of [[], ['admin'], ['read', 'all'], 'read', [null], [['read']], {}, 5]) {
    (await ada.post('/api/auth/tokens', { name: 'x', scopes })).expect(400, 'invalid_field');
  }
  (await ada.post('/api/auth/tokens', { name: 'x', workspaceId: 'mine' })).expect(400, 'invalid_field');
  for (const workspaceId of [hers.id, randomUUID()]) (await ada.post('/api/auth/tokens', { name: 'x', workspaceId })).expect(404, 'workspace_not_found');
});

test('a token that may read changes nothing, by no call there is', async () => {
  const reader = await token({ scopes: ['read'] });
  let refused = 0;
  for (const { method, template, operation } of server.contract.calls()) {
    if (operation.security?.length === 0 || method === 'GET') continue;
    // Before the body is looked at, and whether anything is there.
    for (const id of [mine.id, randomUUID()]) (await reader.send(method, filled(template, id), { json: { unknown: true } })).expect(403, 'token_scope');
    ++refused;
  }
  assert.ok(refused > 30);
  for (const path of ['/api/workspaces', `/api/workspaces/${mine.id}`, `/api/workspaces/${mine.id}/status`, `/api/workspaces/${mine.id}/logs`, '/api/projects', `/api/projects/${secret.id}/files`, '/api/auth/profile']) {
    (await reader.get(path)).expect(200);
    assert.equal((await exchange(server.api, 'HEAD', path, { headers: { Authorization: `Bearer ${reader.token}` } })).status, 200, path);
  }
  assert.match((await reader.post(`/api/workspaces/${mine.id}/stop`)).body.error, /'write'/);
  for (const path of [`/api/workspaces/${mine.id}/shares`, '/api/auth/tokens', '/api/admin/audit']) (await reader.get(path)).expect(403, 'token_scope');
  for (const door of doors(mine.id)) (await through(reader, door)).expect(403, 'token_scope');
  assert.equal(await upgrade(reader, `/api/workspaces/${mine.id}/proxy/ws`), 403);
  assert.equal(await upgrade(reader, `/api/workspaces/${mine.id}/terminal`), 403);
  assert.equal((await through(reader, [server.api, '/spreadsheet/env'])).status, 403, 'nor by a rewrite');
  const events = await EventStream.open(reader, `/api/workspaces/${mine.id}/events`);
  assert.equal(events.status, 200);
  events.close();
  assert.ok((await ada.get(`/api/workspaces/${mine.id}/status`)).data.containerRunning, 'nothing was stopped');
});

test('a token that may write does all but account, tokens and administration', async () => {
  const writer = await token({ scopes: ['write'] });
  const workspace = await writer.createWorkspace();
  await writer.start(workspace.id);
  for (const door of doors(workspace.id)) assert.equal((await through(writer, door)).status, 200);
  assert.equal(await upgrade(writer, `/api/workspaces/${workspace.id}/proxy/ws`), 101);
  (await writer.delete(`/api/workspaces/${workspace.id}`)).expect(200);
  for (const [method, path, json] of [
    ['PATCH', '/api/auth/profile', { firstName: 'X' }], ['POST', '/api/auth/change-password', { currentPassword: ada.password, newPassword: 'another horse' }], ['POST', '/api/auth/logout', { refreshToken: ada.refreshToken }],
    ['GET', '/api/auth/tokens'], ['POST', '/api/auth/tokens', { name: 'more' }], ['DELETE', `/api/auth/tokens/${writer.made.id}`], ['GET', '/api/admin/audit'],
  ]) {
    (await writer.send(method, path, { json })).expect(403, 'token_scope');
  }
  assert.equal((await writer.get('/api/auth/profile')).expect(200).data.id, ada.user.id);
});

test('an administrator\'s token with a scope administers nothing', async () => {
  const admin = await server.admin();
  const made = (await admin.post('/api/auth/tokens', { name: 'ops', scopes: ['write'] })).expect(201).data;
  const robot = server.nobody().with(made.token);
  for (const { method, template } of server.contract.calls()) {
    if (template.startsWith('/api/admin/')) (await robot.send(method, filled(template, ada.user.id))).expect(403, 'token_scope');
  }
  (await robot.post('/api/workspaces/cleanup?dryRun=true')).expect(403, 'token_scope');
});

test('a token for one workspace does everything there', async () => {
  const robot = await token({ workspaceId: mine.id });
  assert.equal((await robot.get(`/api/workspaces/${mine.id}`)).expect(200).data.id, mine.id);
  const ran = (await robot.post(`/api/workspaces/${mine.id}/exec`, { command: ['echo', 'hello'] })).expect(200).data;
  assert.equal(ran.exitCode, 0);
  for (const door of doors(mine.id)) assert.equal((await through(robot, door)).status, 200);
  assert.equal(await upgrade(robot, `/api/workspaces/${mine.id}/proxy/ws`), 101);
  assert.equal(await upgrade(robot, `/api/workspaces/${mine.id}/terminal`), 101);
  // A browser by a ticket: the cookie is the token's, too.
  const { url } = (await robot.post(`/api/workspaces/${mine.id}/proxy-ticket`)).expect(201).data;
  const opened = await exchange(server.apps, 'GET', new URL(url).pathname + new URL(url).search);
  const cookie = opened.headers['set-cookie'][0].split(';')[0];
  const page = (id) => exchange(server.apps, 'GET', `/${id}/8080/env`, { headers: { Cookie: cookie } });
  assert.equal((await page(mine.id)).status, 200);
  assert.equal((await page(second.id)).status, 401);
  (await ada.delete(`/api/auth/tokens/${robot.made.id}`)).expect(200);
  assert.equal((await page(mine.id)).status, 401, 'and ends with it');
});

test('a token for one workspace gets to no other, and does not hear which there are', async () => {
  const robot = await token({ workspaceId: mine.id });
  const comparable = ({ status, body: { requestId, timestamp, path, ...body } }) => ({ status, body });
  for (const { method, template, operation } of server.contract.calls()) {
    if (!template.startsWith('/api/workspaces/{id}') || operation.security?.length === 0) continue;
    const ask = (id) => robot.send(method, filled(template, id), method === 'GET' ? {} : { json: {} });
    const unknown = await ask(randomUUID());
    unknown.expect(403, 'token_scope');
    for (const id of [second.id, hers.id]) assert.deepEqual(comparable(await ask(id)), comparable(unknown), `${method} ${template}`);
  }
  for (const [index, unknown] of doors(randomUUID()).entries()) {
    const refused = (await through(robot, unknown)).expect(403, 'token_scope');
    for (const id of [second.id, hers.id]) assert.deepEqual(comparable(await through(robot, doors(id)[index])), comparable(refused));
  }
  assert.equal(await upgrade(robot, `/api/workspaces/${second.id}/proxy/ws`), 403);
  assert.equal(await upgrade(robot, `/api/workspaces/${second.id}/terminal`), 403);
  // Lists hold what is its own; of what is the owner's as a whole there is none.
  assert.deepEqual((await robot.get('/api/workspaces')).expect(200).data.map((each) => each.id), [mine.id]);
  assert.deepEqual((await robot.get('/api/projects')).expect(200).data.map((each) => each.name).sort(), ['assigned', 'current']);
  for (const path of ['/api/workspaces/events', '/api/workspaces/quota', '/api/workspaces/stats', '/api/workspaces/type/spreadsheet', '/api/projects/unassigned', '/api/backups', '/api/trash', '/api/auth/tokens']) {
    (await robot.get(path)).expect(403, 'token_scope');
  }
  (await robot.post('/api/workspaces', { type: 'spreadsheet' })).expect(403, 'token_scope');
  (await robot.post('/api/projects', { name: 'x' })).expect(403, 'token_scope');
});

test('of projects it gets to those of its workspace, and takes in no other', async () => {
  const robot = await token({ workspaceId: mine.id });
  for (const project of [current, assigned]) {
    for (const rest of ['', '/files', '/volume', '/backups', '/operations']) (await robot.get(`/api/projects/${project.id}${rest}`)).expect(200);
  }
  for (const id of [secret.id, randomUUID()]) {
    for (const rest of ['', '/files', '/volume', '/backups', '/operations', '/export']) (await robot.get(`/api/projects/${id}${rest}`)).expect(403, 'token_scope');
    (await robot.post(`/api/workspaces/${mine.id}/switch-project`, { projectId: id })).expect(403, 'token_scope');
    (await robot.put(`/api/workspaces/${mine.id}`, { currentProjectId: id })).expect(403, 'token_scope');
    (await robot.post(`/api/workspaces/${mine.id}/assign-project`, { projectId: id })).expect(403, 'token_scope');
  }
  (await robot.get('/api/projects/malformed')).expect(400, 'invalid_id');
  (await robot.delete(`/api/projects/${assigned.id}`)).expect(403, 'token_scope');
  assert.equal((await ada.get(`/api/workspaces/${mine.id}`)).data.currentProjectId, current.id);
  await robot.switchProject(mine.id, assigned.id);
  assert.equal((await ada.get(`/api/workspaces/${mine.id}`)).data.currentProjectId, assigned.id);
  (await robot.get(`/api/projects/${current.id}`)).expect(403, 'token_scope');
  await ada.switchProject(mine.id, current.id);
});

test('a token for a workspace that is gone is good for nothing, and breaks nothing', async () => {
  const workspace = await ada.createWorkspace();
  const robot = await token({ workspaceId: workspace.id });
  (await ada.delete(`/api/workspaces/${workspace.id}`)).expect(200);
  assert.deepEqual((await robot.get('/api/workspaces')).expect(200).data, []);
  assert.deepEqual((await robot.get('/api/projects')).expect(200).data, []);
  (await robot.get(`/api/workspaces/${workspace.id}`)).expect(404, 'workspace_not_found');
  (await robot.get(`/api/projects/${current.id}`)).expect(403, 'token_scope');
});

test('when a token was last used is told at once', async () => {
  const robot = await token({ scopes: ['read'] });
  const used = async () => (await ada.get('/api/auth/tokens')).expect(200).data.find((each) => each.id === robot.made.id).lastUsedAt;
  assert.equal(await used(), null);
  (await robot.get('/api/workspaces')).expect(200);
  assert.ok(Date.parse(await used()) >= Date.parse(robot.made.createdAt));
  // It is kept, too: a server that ends writes it down.
  await server.restart();
  assert.ok(Date.parse(await used()) >= Date.parse(robot.made.createdAt));
});
