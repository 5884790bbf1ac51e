// What the server tells of requests, in its log and its numbers, and how many connections it grants.
import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { after, before, test } from 'node:test';

import { exchange } from '../../support/api_client.mjs';
import { on } from '../../support/command.mjs';
import { eventually } from '../../support/eventually.mjs';
import { startServer } from '../../support/server.mjs';

let server;
let user;
let workspace;
before(async () => {
  server = await startServer({ toml: '[logs]\naccess = "all"\n[proxy]\nconnectionsPerUser = 3\n' });
  user = await server.user();
  workspace = await user.createWorkspace();
  await user.start(workspace.id);
});
after(() => server.close());

const lineOf = (requestId) => eventually(`a line about ${requestId}`, () => server.events('access').find((each) => each.requestId === requestId));

test('a relayed request has a line, and its id reaches the application', async () => {
  const answer = await user.application('GET', workspace.id, '/headers?token=very-secret', { headers: { 'X-Request-Id': 'told-1' } });
  assert.match(answer.text, /told-1/);
  assert.equal(answer.headers['x-request-id'], 'told-1');
  const line = await lineOf('told-1');
  assert.equal(line.kind, 'application');
  assert.equal(line.path, `/api/workspaces/${workspace.id}/proxy/headers`);
  assert.equal(line.userId, user.user.id);
  assert.equal(line.workspaceId, workspace.id);
  assert.equal(line.port, 8080);
  assert.ok(line.durationMs > 0 && line.bytesOut > 0);
});

test('a call of the API has one, with who called', async () => {
  (await user.get('/api/workspaces', { headers: { 'X-Request-Id': 'told-2' } })).expect(200);
  const line = await lineOf('told-2');
  assert.equal(line.kind, 'api');
  assert.equal(line.userId, user.user.id);
  (await server.nobody().get('/api/workspaces', { headers: { 'X-Request-Id': 'told-3' } })).expect(401);
  assert.equal((await lineOf('told-3')).userId, undefined);
});

test('no ticket, query or token is ever written', async () => {
  const { url } = (await user.post(`/api/workspaces/${workspace.id}/proxy-ticket`)).expect(201).data;
  const ticket = new URL(url);
  const opened = await exchange(ticket.origin, 'GET', ticket.pathname + ticket.search, { headers: { 'X-Request-Id': 'told-4' } });
  assert.equal(opened.status, 303);
  assert.equal((await lineOf('told-4')).path, ticket.pathname);
  await lineOf('told-1');
  const all = JSON.stringify(server.log);
  for (const secret of [ticket.search.slice(1), [...ticket.searchParams.values()][0], 'very-secret', user.token]) assert.ok(!all.includes(secret), secret);
});

test('the numbers say what was answered, and how fast', async () => {
  const { text } = await user.get('/metrics');
  assert.match(text, /agentdb9_answers_total\{kind="application",status="2xx"\} [1-9]/);
  assert.match(text, /agentdb9_upstream_first_byte_seconds_bucket\{le="\+Inf"\} [1-9]/);
  assert.match(text, /agentdb9_access_log_dropped_total 0\n/);
  assert.ok(!text.includes(workspace.id) && !text.includes(user.user.id));
});

test('a user over the limit of connections hears so, and may open one again when another has closed', async () => {
  server.agent.destroy();
  const agents = Array.from({ length: 3 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  try {
    await eventually('the connections before to be gone', async () => (await user.application('GET', workspace.id, '/healthz', { agent: agents[0] })).status === 200);
    for (const agent of agents) (await user.application('GET', workspace.id, '/healthz', { agent })).expect(200);
    const refused = await user.application('GET', workspace.id, '/healthz', { agent: false });
    refused.expect(429, 'too_many_connections');
    assert.equal(refused.headers['retry-after'], '2');
    assert.equal((await lineOf(refused.headers['x-request-id'])).reason, 'too_many_connections');
    agents[0].destroy();
    await eventually('a place', async () => (await user.application('GET', workspace.id, '/healthz', { agent: false })).status === 200);
    assert.match((await user.get('/metrics', { agent: false })).text, /agentdb9_limits_hit_total\{limit="user_connections"\} [1-9]/);
  } finally {
    for (const agent of agents) agent.destroy();
  }
});

test('the configuration shows the limits, and from where they come', async () => {
  const rows = (await on(server, 'config', '--json')).expect(0).json;
  const row = (key) => rows.find((each) => each.key === key);
  assert.equal(row('proxy.connectionsPerUser').value, '3');
  assert.match(row('proxy.connectionsPerUser').source, /^agentdb9\.toml:\d+$/);
  assert.equal(row('proxy.connectionsPerAddress').source, 'default');
  assert.equal(row('logs.access').value, 'all');
});
