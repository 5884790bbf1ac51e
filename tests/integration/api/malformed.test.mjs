// What is wrong is refused with a sentence and never breaks anything: every call of the document, every field of
// its body, every verb that it does not have.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import Ajv from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

import { startServer, userPassword } from '../../support/server.mjs';

let server, user, other, workspace, project;
before(async () => {
  server = await startServer();
  user = await server.admin();  // may make every call
  other = await server.user('other');
  workspace = await user.createWorkspace();
  project = await user.createProject();
});
after(() => server.close());

const calls = () => server.contract.calls();
const withBody = () => calls().filter(({ operation }) => operation.requestBody?.content['application/json']);
const schemas = () => server.contract.document.components.schemas;

// Calls on ids are made on an object that is there, so that nothing but what is wrong is wrong.
function pathOf(template) {
  const owned = { '/api/workspaces/projects/': project.id, '/api/workspaces/': workspace.id, '/api/projects/': project.id, '/api/admin/users/': other.user.id, '/api/admin/workspaces/': workspace.id };
  const prefix = Object.keys(owned).find((each) => template.startsWith(each));
  return template.replace('{id}', prefix ? owned[prefix] : '3b241101-e2bb-4255-8caf-4136c566a962').replace('{type}', 'spreadsheet')
    .replace(/\{(backupId|shareId)\}/, '3b241101-e2bb-4255-8caf-4136c566a962');
}
const isThere = (template) => !template.includes('{id}') || (/^\/api\/(workspaces|projects|admin\/(users|workspaces))\//.test(template) && !/\{(backupId|shareId)\}/.test(template));

function bodyOf({ operation }) {
  const name = operation.requestBody.content['application/json'].schema.$ref.split('/').pop();
  const body = structuredClone(schemas()[name].examples[0]);
  if (body.email) body.email = `m-${randomBytes(4).toString('hex')}@example.test`;
  if (body.type) body.type = 'spreadsheet';
  if (body.projectId) body.projectId = project.id;
  if (body.refreshToken) body.refreshToken = user.refreshToken;
  return { body, schema: schemas()[name] };
}

// Asserts a 400 that is about this field; an object that is not there may be the first thing that is wrong.
function refused(answer, template, field, what) {
  if (!isThere(template) && answer.status === 404) return;
  assert.equal(answer.status, 400, `${what}: ${answer.status} ${answer.text.slice(0, 400)}`);
  assert.ok(answer.body.message.length > 10 && answer.body.message.endsWith('.'), answer.body.message);
  if (field) assert.ok(answer.body.details?.some((each) => each.field === field || each.field.startsWith(`${field}.`)), `${what} does not name ${field}: ${answer.text.slice(0, 400)}`);
}

test('a field that is missing, of the wrong type or too long is named', async () => {
  const ajv = new Ajv({ strict: false });
  formats(ajv);
  const values = [0, 1, -1, 1.5, 1e300, true, false, 'text', '', 'x'.repeat(5000), '\u0000', 'a\u0007b', 'a\u0085b', {}, { a: 1 }, [], ['text'], [null]];
  let tried = 0;
  for (const call of withBody()) {
    const { body, schema } = bodyOf(call);
    const ask = (json) => user.send(call.method, pathOf(call.template), { json });
    const what = `${call.method} ${call.template}`;
    for (const field of schema.required ?? []) {
      const { [field]: gone, ...rest } = body;
      refused(await ask(rest), call.template, field, `${what} without ${field}`);
      refused(await ask({ ...body, [field]: null }), call.template, field, `${what} with ${field}: null`);
      tried += 2;
    }
    for (const [field, known] of Object.entries(schema.properties)) {
      const fits = ajv.compile({ ...known, components: server.contract.document.components });
      for (const value of values) {
        // A shell's line, a path, and what a program reads, may hold any character; what an argument cannot hold is refused.
        const program = call.template.endsWith('/exec') && ['command', 'cwd', 'stdin'].includes(field);
        const forbidden = program ? (field === 'stdin' ? /(?!)/ : /\u0000/) : /[\u0000-\u001f\u0080-\u009f]/;
        const control = typeof value === 'string' && forbidden.test(value);
        if (fits(value) && !control) continue;
        refused(await ask({ ...body, [field]: value }), call.template, field, `${what} with ${field}: ${JSON.stringify(value).slice(0, 40)}`);
        ++tried;
      }
    }
  }
  assert.ok(tried > 400, `only ${tried} tries`);
});

test('a field that the call does not know is named, whatever it is called', async () => {
  for (const call of withBody()) {
    const { body } = bodyOf(call);
    for (const field of ['unknown', 'Name', '', 'a b', '__proto__', 'ünïcode', '\u0000']) {
      const text = JSON.stringify(body).replace(/\}$/, `${Object.keys(body).length ? ',' : ''}${JSON.stringify(field)}:1}`);
      const answer = await user.send(call.method, pathOf(call.template), { body: text, headers: { 'Content-Type': 'application/json' } });
      refused(answer, call.template, field, `${call.method} ${call.template} with ${JSON.stringify(field)}`);
    }
    const long = 'l'.repeat(10_000);
    const answer = await user.send(call.method, pathOf(call.template), { json: { ...body, [long]: 1 } });
    refused(answer, call.template, undefined, `${call.method} ${call.template} with a long name`);
    assert.ok(answer.text.length < 2000, 'the answer repeats all of it');
  }
});

test('null for an optional field is the same as leaving it out', async () => {
  for (const call of withBody()) {
    const { schema } = bodyOf(call);
    const optional = Object.keys(schema.properties).filter((each) => !schema.required?.includes(each));
    // These end what the next one needs.
    if (['logout', 'refresh'].includes(call.operation.operationId) || call.method === 'DELETE') continue;
    for (const field of optional) {
      const without = () => {
        const { [field]: gone, ...rest } = bodyOf(call).body;
        return rest;
      };
      const absent = await user.send(call.method, pathOf(call.template), { json: without() });
      const asNull = await user.send(call.method, pathOf(call.template), { json: { ...without(), [field]: null } });
      assert.equal(asNull.status, absent.status, `${call.method} ${call.template} with ${field}: null: ${asNull.text}`);
    }
  }
});

test('what is no JSON object is refused as that', async () => {
  const deep = (count) => `${'{"a":'.repeat(count)}1${'}'.repeat(count)}`;
  const bytes = (...values) => Buffer.from(values.flatMap((each) => (typeof each === 'string' ? [...Buffer.from(each)] : [each])));
  const bodies = {
    'cut off': '{"name": "x"', 'a comma too many': '{"name": "x",}', 'single quotes': "{'name': 'x'}", 'a comment': '{"name": "x" /* y */}', 'two values': '{} {}', 'text after it': '{}x',
    'not a number': '{"name": NaN}', 'a bare word': 'hello', 'only spaces': '   ', 'a number without end': '{"name": 1e}', 'leading zeros': '{"name": 01}', 'a BOM': '\ufeff{}',
    'a bare control character': '{"name": "a\nb"}', 'half a surrogate': '{"name": "\\ud800"}', 'an unknown escape': '{"name": "\\x41"}',
    'deep objects': deep(5000), 'deep lists': `{"name": ${'['.repeat(50_000)}${']'.repeat(50_000)}}`, 'forty levels': deep(40),
    'a list': '[]', 'a text': '"text"', 'a number': '1', 'null': 'null', 'true': 'true',
    'invalid UTF-8': bytes('{"name": "', 0xff, 0xfe, '"}'), 'an overlong slash': bytes('{"name": "', 0xc0, 0xaf, '"}'), 'UTF-8 cut off': bytes('{"name": "', 0xe2, 0x82, '"}'), 'a surrogate in UTF-8': bytes('{"name": "', 0xed, 0xa0, 0x80, '"}'),
    'UTF-16': Buffer.from('{"name": "x"}', 'utf16le'), 'nothing but zeros': Buffer.alloc(100),
  };
  for (const call of withBody()) {
    for (const [what, body] of Object.entries(bodies)) {
      const answer = await user.send(call.method, pathOf(call.template), { body, headers: { 'Content-Type': 'application/json' } });
      if (!isThere(call.template) && answer.status === 404) continue;
      assert.equal(answer.status, 400, `${call.method} ${call.template}, ${what}: ${answer.text.slice(0, 300)}`);
      assert.ok(['invalid_json', 'invalid_body'].includes(answer.code), `${what}: ${answer.code}`);
    }
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/jsonp', 'json', '']) {
      const answer = await user.send(call.method, pathOf(call.template), { body: JSON.stringify(bodyOf(call).body), headers: { 'Content-Type': type } });
      if (!isThere(call.template) && answer.status === 404) continue;
      answer.expect(400, 'invalid_content_type');
    }
  }
});

test('JSON is taken under any of its names', async () => {
  for (const type of ['application/json', 'application/json; charset=utf-8', 'Application/JSON ;charset=UTF-8']) {
    (await user.send('POST', '/api/projects', { body: '{"name":"x"}', headers: { 'Content-Type': type } })).expect(201);
  }
});

test('a body over the limit is 413, declared or found out, and the server goes on', async () => {
  const over = Buffer.alloc(1024 * 1024 + 1, 0x20);
  for (const call of withBody()) {
    (await user.send(call.method, pathOf(call.template), { body: over, headers: { 'Content-Type': 'application/json' }, agent: false })).expect(413, 'body_too_large');
    (await user.send(call.method, pathOf(call.template), { body: over, headers: { 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' }, agent: false })).expect(413, 'body_too_large');
  }
  const exactly = `{"name":"x"${' '.repeat(1024 * 1024 - 12)}}`;
  assert.equal(exactly.length, 1024 * 1024);
  (await user.send('POST', '/api/projects', { body: exactly, headers: { 'Content-Type': 'application/json' } })).expect(201);
});

test('a malformed id is 400 on every path that has one; capitals are the same id', async () => {
  const id = workspace.id;
  const malformed = ['x', '1', 'undefined', 'null', '%20', '%00', '%ff', '%C3%BC', id.replaceAll('-', ''), `${id}0`, id.slice(1), `{${id}}`, `%7B${id}%7D`, `${id}%00`, `${id}%2f..`, '..%2f..%2fetc%2fpasswd', 'x'.repeat(3000), id.replace(/.$/, 'g'), '-'.repeat(36)];
  for (const { method, template, operation } of calls()) {
    if (!template.includes('{id}')) continue;
    for (const each of malformed) {
      const answer = await user.send(method, template.replace('{id}', each), method === 'GET' ? {} : { json: {} });
      answer.expect(400, 'invalid_id');
      assert.ok(answer.body.details.some(({ field }) => field === 'id'), operation.operationId);
    }
    for (const each of ['%', '%2', '%zz', 'a%g0']) {
      (await user.send(method, template.replace('{id}', each))).expect(400, 'invalid_path');
    }
  }
  assert.equal((await user.get(`/api/workspaces/${id.toUpperCase()}`)).expect(200).data.id, id);
});

test('a malformed id of a backup is 400, too', async () => {
  for (const { method, template } of calls()) {
    if (!template.includes('{backupId}')) continue;
    for (const each of ['x', '%00', '..%2f..%2fetc%2fpasswd', `${project.id}.tar.zst`]) {
      const answer = await user.send(method, template.replace('{id}', project.id).replace('{backupId}', each), {});
      answer.expect(400, 'invalid_id');
      assert.ok(answer.body.details.some(({ field }) => field === 'backupId'));
    }
  }
});

test('a known path with another verb is 405 and names its verbs', async () => {
  for (const [template, verbs] of Object.entries(server.contract.document.paths)) {
    const known = Object.keys(verbs).map((each) => each.toUpperCase());
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND']) {
      if (known.includes(method)) continue;
      const answer = (await user.send(method, pathOf(template), {})).expect(405, 'method_not_allowed');
      const allowed = answer.headers.allow.split(', ').filter((each) => !['HEAD', 'OPTIONS'].includes(each));
      assert.deepEqual(allowed.sort(), [...known].sort(), template);
    }
    const options = await user.send('OPTIONS', pathOf(template));
    assert.equal(options.status, 204);
    assert.ok(known.every((each) => options.headers.allow.split(', ').includes(each)));
  }
});

test('HEAD answers as GET does, without a body', async () => {
  for (const { method, template, operation } of calls()) {
    // A stream of events has no end.
    if (method !== 'GET' || !isThere(template) || !operation.responses[200] || operation.responses[200].content?.['text/event-stream']) continue;
    if (operation.parameters?.some((each) => each.in === 'query' && each.required)) continue;
    const [head, get] = [await user.send('HEAD', pathOf(template)), await user.get(pathOf(template))];
    assert.equal(head.status, get.status, template);
    assert.equal(head.text, '');
    assert.equal(head.headers['content-type'], get.headers['content-type']);
  }
});

test('a path that is not there is 404 in JSON', async () => {
  for (const path of ['/api', '/api/nothing', '/api/workspaces/x/y/z', '/api//workspaces', '/api/workspaces/types/x', '/API/workspaces', '/api/auth', '/api/workspaces/..', `/api/${'x/'.repeat(2000)}`]) {
    const answer = await user.get(path);
    assert.ok([404, 400].includes(answer.status), `${path}: ${answer.status}`);
  }
});

test('a query that is wrong is refused and named', async () => {
  let tried = 0;
  for (const { method, template, operation } of calls()) {
    const parameters = (operation.parameters ?? []).map((each) => (each.$ref ? server.contract.document.components.parameters[each.$ref.split('/').pop()] : each));
    for (const { name, schema } of parameters.filter((each) => each.in === 'query')) {
      const wrong = {
        integer: [`${schema.minimum - 1}`, '-1', `${schema.maximum + 1}`, 'abc', '1.5', '1e2', '', '%201', '0x10', '99999999999999999999', '%zz'],
        boolean: ['maybe', '1', 'TRUE', '', 'true%00', '%zz'],
        string: [...(name === 'cursor' ? ['x', '!!!', 'e30', 'W10', 'bnVsbA', 'WyJ4Il0'] : ['%00']), '%zz', 'A'.repeat(5000)],
      }[schema.type];
      for (const value of wrong) {
        // A body that counts, so that only the query is wrong.
        const json = method === 'GET' ? undefined : operation.requestBody?.content['application/json'] && Object.keys(schemas()[operation.requestBody.content['application/json'].schema.$ref.split('/').pop()].properties).includes('projectId') ? { projectId: project.id } : method === 'PUT' ? { currentProjectId: project.id } : {};
        const answer = await user.send(method, `${pathOf(template)}?${name}=${value}`, { json });
        refused(answer, template, name, `${method} ${template}?${name}=${value}`);
        ++tried;
      }
    }
  }
  assert.ok(tried > 60, `only ${tried} tries`);
});

test('a cursor of one list is not one of another', async () => {
  for (let count = 0; count < 3; ++count) {
    await user.createProject();
    await user.createWorkspace();
  }
  const cursorOf = async (path) => (await user.get(`${path}?limit=1`)).expect(200).body.nextCursor;
  const workspaces = await cursorOf('/api/workspaces');
  const projects = await cursorOf('/api/projects');
  (await user.get(`/api/projects?cursor=${workspaces}`)).expect(400, 'invalid_field');
  (await user.get(`/api/workspaces?cursor=${projects}`)).expect(400, 'invalid_field');
});

test('no answer repeats a password', async () => {
  const secret = 'Tr0ub4dor&3-secret';
  for (const [path, json] of [
    ['/api/auth/register', { email: 'x', username: 'x', password: secret, unknown: 1 }],
    ['/api/auth/login', { email: 'x@example.test', password: secret, unknown: 1 }],
    ['/api/auth/login', { email: 'x@example.test', password: [secret] }],
    ['/api/auth/change-password', { currentPassword: secret, newPassword: 5 }],
  ]) {
    const answer = await user.post(path, json);
    assert.ok(!answer.text.includes(secret), answer.text);
  }
  const logged = JSON.stringify(server.log);
  for (const word of [secret, userPassword, user.token, user.refreshToken]) assert.ok(!logged.includes(word), 'the log has it');
});

test('after all that, the server is well and has logged no failure of its own', async () => {
  (await user.get('/readyz')).expect(200);
  assert.deepEqual(server.log.filter((each) => each.level === 'error'), []);
});
