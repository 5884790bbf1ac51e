// /metrics tells how API, store, engine, reconciler and process do, in a form that Prometheus takes; and what lies in
// deploy/monitoring asks for metrics that there are.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { EngineProxy } from '../../support/engine_proxy.mjs';
import { eventually } from '../../support/eventually.mjs';
import { monitoring, promtool, startPrometheus } from '../../support/prometheus.mjs';
import { startServer, testType } from '../../support/server.mjs';

const patience = { within: 60_000 };
let engine, server, ada;
before(async () => {
  engine = await new EngineProxy().open();
  server = await startServer({ environment: { DOCKER_HOST: engine.host }, toml: testType('failing', { FAIL_START: 1 }) });
  ada = await server.user('ada');
});
after(async () => {
  await server?.close();
  await engine?.remove();
});

const text = async () => (await server.nobody().get('/metrics')).text;

/** All series: { 'name{labels}': number }. */
async function series() {
  const all = {};
  for (const line of (await text()).split('\n')) {
    const cut = line.lastIndexOf(' ');
    if (line && !line.startsWith('#')) all[line.slice(0, cut)] = Number(line.slice(cut + 1));
  }
  return all;
}

async function runOne() {
  const workspace = await ada.createWorkspace({ name: 'counted' });
  (await ada.post(`/api/workspaces/${workspace.id}/start`)).expect(200);
  (await ada.application('GET', workspace.id, '/healthz')).expect(200);
  return workspace;
}

test('what is done is counted once, by kind, endpoint and outcome', async () => {
  const before = await series();
  const workspace = await runOne();
  (await ada.post(`/api/workspaces/${workspace.id}/stop`)).expect(200);
  (await ada.get('/api/workspaces/not-an-id')).expect(400);
  // The looks that end the two go on for a moment after their answers.
  const settled = 'agentdb9_reconciler_pass_seconds_count{result="settled"}';
  const now = await eventually('both to be settled', async () => {
    const all = await series();
    return all[settled] - (before[settled] ?? 0) >= 2 && all;
  }, patience);
  const grown = (name) => (now[name] ?? 0) - (before[name] ?? 0);
  for (const kind of ['start', 'stop']) {
    const labels = `of="workspace",kind="${kind}",outcome="succeeded",by="user"`;
    assert.equal(grown(`agentdb9_operation_seconds_count{${labels}}`), 1, kind);
    assert.equal(grown(`agentdb9_operation_seconds_bucket{${labels},le="+Inf"}`), 1);
    assert.ok(grown(`agentdb9_operation_seconds_sum{${labels}}`) > 0);
  }
  assert.equal(grown('agentdb9_api_requests_total{method="POST",route="/api/workspaces/:id/start",status="200"}'), 1);
  assert.equal(grown('agentdb9_api_request_seconds_count{method="POST",route="/api/workspaces/:id/start"}'), 1);
  assert.equal(grown('agentdb9_api_requests_total{method="GET",route="/api/workspaces/:id",status="400"}'), 1);
  assert.equal(grown('agentdb9_engine_calls_total{call="POST /containers/{id}/start",outcome="answered"}'), 1);
  assert.ok(grown('agentdb9_engine_call_seconds_sum{call="POST /containers/{id}/start"}') > 0);
  assert.ok(grown('agentdb9_store_transactions_total{mode="write",outcome="done"}') > 3);
  assert.ok(grown('agentdb9_store_transaction_seconds_count{mode="write"}') > 3);
  assert.ok(grown('agentdb9_reconciler_lag_seconds_count') >= 2);
  assert.equal(now['agentdb9_workspaces{route="ready"}'], 0);
  assert.equal(now['agentdb9_workspaces{route="stopped"}'], before['agentdb9_workspaces{route="stopped"}'] + 1);
  assert.ok(now.process_resident_memory_bytes > 5e6 && now.process_resident_memory_bytes < 1e9);
  assert.ok(Math.abs(now.process_start_time_seconds - Date.now() / 1000) < 600);
  assert.ok(now.process_open_fds > 5 && now.process_open_fds < now.process_max_fds);
  assert.ok(now.process_cpu_seconds_total > 0);
});

test('a start that fails, and an engine that is away, are counted as that', async () => {
  const broken = await ada.createWorkspace({ name: 'broken', type: 'failing' });
  assert.ok((await ada.post(`/api/workspaces/${broken.id}/start`)).status >= 500);
  assert.equal((await series())['agentdb9_operation_seconds_count{of="workspace",kind="start",outcome="failed",by="user"}'], 1);

  const workspace = await ada.createWorkspace({ name: 'waits' });
  await engine.close();
  await ada.post(`/api/workspaces/${workspace.id}/start`, undefined, { headers: { Prefer: 'respond-async' } });
  await eventually('the loss to be told', async () => {
    const now = await series();
    const unavailable = Object.entries(now).filter(([name]) => name.startsWith('agentdb9_engine_calls_total') && name.includes('outcome="unavailable"'));
    return now.agentdb9_runtime_connected === 0 && now['agentdb9_reconciler_workspaces{state="unreachable"}'] >= 1 && unavailable.some(([, count]) => count > 0);
  }, patience);
  await engine.open();
  await eventually('it to go on', async () => {
    const now = await series();
    return now.agentdb9_runtime_connected === 1 && now['agentdb9_reconciler_workspaces{state="unreachable"}'] === 0;
  }, patience);
});

test('no series is of a workspace, a user or an address, and none stands there twice', async () => {
  const workspace = await runOne();
  const lines = (await text()).split('\n').filter((line) => line && !line.startsWith('#')).map((line) => line.slice(0, line.lastIndexOf(' ')));
  assert.equal(new Set(lines).size, lines.length);
  for (const each of [workspace.id, workspace.userId, '127.0.0.1']) assert.ok(!lines.some((line) => line.includes(each)), each);
});

test('Prometheus takes them, its tool finds nothing to say, and the rules do what their tests say', async () => {
  promtool(['check', 'rules', 'alerts.yaml']);
  promtool(['check', 'config', 'prometheus.yaml']);
  promtool(['test', 'rules', 'alerts_test.yaml']);
  promtool(['check', 'metrics'], await text());
});

test('each panel and each alert asks for metrics that there are', async () => {
  await runOne();
  const prometheus = await startPrometheus(server.api);
  try {
    await eventually('two scrapes', async () => Number((await prometheus.query('count_over_time(up[1m])'))[0]?.value[1]) >= 3, patience);
    const [up] = await prometheus.query('up');
    assert.deepEqual([up.metric.job, up.value[1]], ['agentdb9', '1']);
    const names = new Set(await prometheus.get('/api/v1/label/__name__/values'));
    const dashboard = JSON.parse(readFileSync(join(monitoring, 'grafana/agentdb9.json'), 'utf8'));
    const panels = dashboard.panels.flatMap((panel) => (panel.targets ?? []).map((target) => [panel.title, target.expr]));
    const { groups } = await prometheus.get('/api/v1/rules');
    const rules = groups.flatMap((group) => group.rules.map((rule) => [rule.name, rule.query]));
    assert.ok(panels.length > 40 && rules.length > 8, `${panels.length} and ${rules.length}`);
    for (const [what, expression] of [...panels, ...rules]) {
      const asked = expression.replaceAll('$instance', '.+').replaceAll('$__rate_interval', '1m');
      await prometheus.query(asked);
      const used = asked.match(/\b(agentdb9|process)_[a-z_]+/g) ?? [];
      assert.ok(used.length > 0 || asked.startsWith('up') || asked.includes('up{'), `${what}: ${asked}`);
      for (const name of used) assert.ok(names.has(name), `${what} asks for ${name}, which there is not`);
    }
    for (const rule of groups[0].rules) assert.notEqual(rule.health, 'err', `${rule.name}: ${rule.lastError}`);
    // A panel that shows what is there just now shows it.
    const [served] = await prometheus.query('max(agentdb9_workspaces{instance=~".+",route="ready"})');
    assert.ok(Number(served.value[1]) >= 1);
  } finally {
    await prometheus.close();
  }
});
