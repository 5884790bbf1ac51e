// The document itself: that it is one, that its examples are right, and the page made from it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { startServer } from '../../support/server.mjs';

let server;
before(async () => (server = await startServer()));
after(() => server.close());

test('the document is served as it stands in the source, under both of its names', async () => {
  const source = readFileSync(new URL('../../../src/api/openapi.json', import.meta.url), 'utf8');
  for (const path of ['/api/openapi.json', '/api/docs-json']) {
    const answer = (await server.nobody().get(path)).expect(200);
    assert.equal(answer.text, source);
  }
});

test('every reference in it leads somewhere, and everything in it is used', () => {
  const { document } = server.contract;
  const text = JSON.stringify(document);
  const names = new Set([...text.matchAll(/"\$ref":"#\/components\/(\w+)\/(\w+)"/g)].map(([, kind, name]) => `${kind}/${name}`));
  for (const each of names) {
    const [kind, name] = each.split('/');
    assert.ok(document.components[kind]?.[name], `${each} is not there`);
  }
  for (const kind of ['schemas', 'parameters', 'responses']) {
    for (const name of Object.keys(document.components[kind])) assert.ok(names.has(`${kind}/${name}`), `${kind}/${name} is not used`);
  }
});

test('every example fits its schema', () => {
  let checked = 0;
  for (const [name, schema] of Object.entries(server.contract.document.components.schemas)) {
    for (const example of schema.examples ?? []) {
      server.contract.fits(name, example);
      ++checked;
    }
  }
  assert.ok(checked > 25);
});

test('every call tells what a failure looks like', () => {
  for (const { method, template, operation } of server.contract.calls()) {
    for (const [status, response] of Object.entries(operation.responses)) {
      if (Number(status) < 400 || template === '/readyz') continue;
      const found = response.$ref ? server.contract.document.components.responses[response.$ref.split('/').pop()] : response;
      const { schema } = found.content['application/json'];
      assert.equal(schema.$ref, '#/components/schemas/Problem', `${method} ${template} ${status}`);
      assert.ok(schema.properties.code.enum.length > 0);
      assert.equal(schema.properties.statusCode.const, Number(status));
    }
  }
});

test('the page and its parts come from this server and may load nothing else', async () => {
  const page = (await server.nobody().get('/api/docs')).expect(200);
  const policy = page.headers['content-security-policy'];
  for (const rule of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "frame-ancestors 'none'"]) assert.ok(policy.includes(rule), policy);
  assert.ok(!/https?:\/\//.test(page.text), 'it names another server');
  const parts = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path);
  assert.ok(parts.length >= 2);
  for (const path of parts) (await server.nobody().get(path)).expect(200);
  assert.ok(!/\son\w+=|javascript:|<script>/.test(page.text), 'scripts inside the page would be refused by its own policy');
});
