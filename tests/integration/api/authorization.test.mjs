// Who may do what, for every call of the document: a call that is added is tried here without anybody's help.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';

import { exchange } from '../../support/api_client.mjs';
import { EventStream } from '../../support/event_stream.mjs';
import { eventually } from '../../support/eventually.mjs';
import { startServer } from '../../support/server.mjs';

let server, alice, bob, admin, objects, backupId;
before(async () => {
  server = await startServer();
  [alice, bob, admin] = [await server.user('alice'), await server.user('bob'), await server.admin()];
  const workspace = await alice.createWorkspace();
  await alice.start(workspace.id);
  const project = await alice.createProject({ name: 'secret plans' });
  const backup = (await alice.post(`/api/projects/${project.id}/backups`, { name: 'secret copy' })).expect(201).data;
  backupId = backup.id;
  const doomed = await alice.createProject({ name: 'doomed' });
  (await alice.delete(`/api/projects/${doomed.id}`)).expect(200);
  const token = (await alice.post('/api/auth/tokens', { name: 'hers' })).expect(201).data;
  const trashed = (await alice.get('/api/trash')).expect(200).data[0];
  const [session] = (await alice.get('/api/auth/sessions')).expect(200).data;
  // Whose id stands in a path, by how the path begins.
  objects = { '/api/workspaces/projects/': project.id, '/api/workspaces/': workspace.id, '/api/projects/': project.id, '/api/auth/tokens/': token.id, '/api/trash/': trashed.id, '/api/admin/users/': alice.user.id, '/api/admin/workspaces/': workspace.id, '/api/auth/sessions/': session.id };
});
after(() => server.close());

function objectOf(template) {
  const prefix = Object.keys(objects).find((each) => template.startsWith(each));
  assert.ok(prefix, `${template} is new: tell this test whose object its id names`);
  return objects[prefix];
}

function bodyOf(operation) {
  const name = operation.requestBody?.content['application/json']?.schema.$ref.split('/').pop();
  return name && server.contract.document.components.schemas[name].examples[0];
}

// What of an answer may differ between two requests for different ids.
function comparable(answer) {
  const { requestId, timestamp, path, ...rest } = answer.body;
  const { date, 'x-request-id': id, 'content-length': length, ...headers } = answer.headers;
  return { status: answer.status, body: rest, headers };
}

test('without credentials, every call that needs them says so before anything else', async () => {
  let tried = 0;
  for (const { method, template, operation } of server.contract.calls()) {
    if (operation.security?.length === 0) continue;
    for (const id of [objectOfOrNothing(template), randomUUID(), 'malformed']) {
      const path = template.replace('{id}', id).replace(/\{\w+\}/g, 'spreadsheet');
      for (const json of [bodyOf(operation), { unknown: true }]) {
        const answer = await server.nobody().send(method, path, method === 'GET' ? {} : { json });
        answer.expect(401, 'authentication_required');
        ++tried;
      }
    }
  }
  assert.ok(tried > 150);
});
const objectOfOrNothing = (template) => (template.includes('{id}') ? objectOf(template) : randomUUID());

test('what is another user\'s answers exactly like what is not there', async () => {
  let tried = 0;
  for (const { method, template, operation } of server.contract.calls()) {
    if (!template.includes('{id}')) continue;
    // What an admin may see of all users is no secret from them; of others it is.
    const administration = template.startsWith('/api/admin/');
    for (const caller of administration ? [bob] : [bob, admin]) {
      const own = await caller.createProject();
      const valid = bodyOf(operation);
      if (valid?.projectId) valid.projectId = own.id;
      const bodies = method === 'GET' ? [undefined] : [valid, undefined, { unknown: 1 }, ...(valid?.projectId ? [{ projectId: objects['/api/projects/'] }] : [])];
      for (const json of bodies) {
        for (const query of ['', '?force=true&limit=1']) {
          const ask = (id) => caller.send(method, template.replace('{id}', id).replace(/\{(backupId|shareId)\}/, backupId) + query, { json });
          const [theirs, unknown] = [await ask(objectOf(template)), await ask(randomUUID())];
          assert.deepEqual(comparable(theirs), comparable(unknown), `${method} ${template} tells that ${objectOf(template)} exists`);
          assert.ok(theirs.status === (administration ? 403 : 404) || (theirs.status === 400 && json?.unknown), `${method} ${template}: ${theirs.text}`);
          ++tried;
        }
      }
    }
  }
  assert.ok(tried > 200);
});

test('what is another user\'s cannot be named in a body either', async () => {
  const mine = await bob.createWorkspace();
  const theirs = objects['/api/projects/'];
  let tried = 0;
  for (const { method, template, operation } of server.contract.calls()) {
    const name = operation.requestBody?.content['application/json']?.schema.$ref.split('/').pop();
    const fields = name ? Object.keys(server.contract.document.components.schemas[name].properties) : [];
    const field = fields.find((each) => /projectId$/i.test(each));
    if (!field) continue;
    const ask = (id) => bob.send(method, template.replace('{id}', mine.id), { json: { ...(fields.includes('type') ? { type: 'spreadsheet' } : {}), [field]: id } });
    const [refused, unknown] = [await ask(theirs), await ask(randomUUID())];
    refused.expect(404, 'project_not_found');
    assert.deepEqual(comparable(refused), comparable(unknown));
    ++tried;
  }
  assert.ok(tried >= 5);
});

// What a stream of events, which has no end, tells bob of all there is.
async function toldBy(path) {
  const stream = await EventStream.open(bob, path);
  try {
    await eventually('all to be told', () => stream.of('snapshot').length > 0);
    return JSON.stringify(stream.events);
  } finally {
    stream.close();
  }
}

test('no list shows what is another user\'s', async () => {
  const hers = [alice.user.id, alice.user.email, ...Object.values(objects), 'secret plans', backupId, 'secret copy'];
  for (const { method, template, operation } of server.contract.calls()) {
    if (method !== 'GET' || template.includes('{id}') || operation.security?.length === 0) continue;
    const path = template.replace('{type}', 'spreadsheet');
    if (template.startsWith('/api/admin/')) {
      (await bob.get(path)).expect(403, 'admin_required');
      continue;
    }
    const text = operation.responses[200].content['text/event-stream'] ? await toldBy(path) : (await bob.get(path)).expect(200).text;
    for (const word of hers) assert.ok(!text.includes(word), `${template} shows ${word}`);
  }
});

test('a backup is nobody else\'s, under a project of their own either', async () => {
  for (const caller of [bob, admin]) {
    const own = await caller.createProject();
    for (const [method, path, json] of [
      ['GET', `/backups/${backupId}`], ['GET', `/backups/${backupId}/download`], ['DELETE', `/backups/${backupId}`, {}],
      ['POST', '/restore', { backupId }], ['POST', '/restore', { backupId, newProject: {} }],
    ]) {
      (await caller.send(method, `/api/projects/${own.id}${path}`, { json })).expect(404, 'backup_not_found');
    }
  }
  (await alice.get(`/api/projects/${objects['/api/projects/']}/backups/${backupId}`)).expect(200);
});

test('nobody gets at another user\'s application, by any door', async () => {
  const workspace = objects['/api/workspaces/'];
  const doors = (id) => [
    [server.api, `/api/workspaces/${id}/proxy/env`], [server.api, `/api/workspaces/${id}/ports/8080/env`], [server.api, `/workspace-proxy/${id}/env`], [server.apps, `/${id}/8080/env`],
  ];
  for (const caller of [bob, admin]) {
    for (const [index, [origin, path]] of doors(workspace).entries()) {
      const headers = { Authorization: `Bearer ${caller.token}` };
      const theirs = await exchange(origin, 'GET', path, { headers });
      const unknown = await exchange(origin, 'GET', doors(randomUUID())[index][1], { headers });
      theirs.expect(404, 'workspace_not_found');
      assert.deepEqual(comparable(theirs), comparable(unknown));
      assert.equal((await exchange(origin, 'GET', path)).status, 401);
      assert.equal((await exchange(origin, 'GET', path, { headers: { Authorization: `Bearer ${alice.token}` } })).status, 200);
    }
  }
});

test('only an administrator cleans up', async () => {
  (await alice.post('/api/workspaces/cleanup')).expect(403, 'admin_required');
  (await admin.post('/api/workspaces/cleanup')).expect(200);
});

test('after all that, everything of hers is as it was', async () => {
  const { containerRunning } = (await alice.get(`/api/workspaces/${objects['/api/workspaces/']}/status`)).expect(200).data;
  assert.ok(containerRunning);
  assert.equal((await alice.get(`/api/projects/${objects['/api/projects/']}`)).expect(200).data.name, 'secret plans');
  assert.equal((await alice.get('/api/auth/tokens')).data.length, 1);
  assert.equal((await alice.get('/api/trash')).data.length, 1);
});
