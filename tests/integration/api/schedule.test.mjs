// A workspace that starts and stops by the clock.
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { eventually } from '../../support/eventually.mjs';
import { startServer } from '../../support/server.mjs';

let server, user;
before(async () => {
  server = await startServer({ toml: '[idle]\ncheckSeconds = 1\n' });
});
beforeEach(async () => (user = await server.user()));
after(() => server.close());

const everyDay = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];
const put = (workspace, schedule, caller = user) => caller.put(`/api/workspaces/${workspace.id}`, { schedule });
const activity = async (workspace) => (await user.get(`/api/workspaces/${workspace.id}/activity`)).expect(200).data;

test('it is started at its hour, and that is told', async () => {
  const workspace = await user.createWorkspace();
  // The next full minute.
  const at = new Date(Date.now() + 60_000).toISOString().slice(11, 16);
  const schedule = { zone: 'UTC', rules: [{ days: everyDay, start: at, stop: null }] };
  assert.deepEqual((await put(workspace, schedule)).expect(200).data.schedule, schedule);
  const before_ = await activity(workspace);
  assert.ok(before_.nextScheduledStart.endsWith(`${at}:00.000Z`), before_.nextScheduledStart);
  assert.equal(before_.nextScheduledStop, null);
  await eventually('the start', async () => (await user.get(`/api/workspaces/${workspace.id}`)).data.status === 'running', { within: 100_000, every: 250 });
  const told = (await user.get(`/api/workspaces/${workspace.id}/history`)).expect(200).data;
  const asked = told.find((each) => each.kind === 'start_requested');
  assert.deepEqual(asked.by, { kind: 'server', id: null });
  assert.match(asked.why, /Its schedule starts it at/);
  assert.equal((await put(workspace, null)).expect(200).data.schedule, null);
});

test('wrong schedules are told what is wrong with them, and are its owner\'s alone', async () => {
  const workspace = await user.createWorkspace();
  const rules = [{ days: ['mon'], start: '08:00' }];
  for (const wrong of [7, 'daily', [], {}, { zone: 'UTC' }, { zone: 'Mars/Olympus', rules }, { zone: 'UTC', rules: [{ days: ['mon'] }] }, { zone: 'UTC', rules: [{ days: ['mon'], start: '25:00' }] },
    { zone: 'UTC', rules: Array(21).fill(rules[0]) }, { zone: 'UTC', rules, more: 1 }, { zone: 'x'.repeat(5000), rules }]) {
    const answer = (await put(workspace, wrong)).expect(400, 'invalid_field');
    assert.equal(answer.body.details[0].field, 'schedule', JSON.stringify(wrong).slice(0, 80));
  }
  (await put(workspace, { zone: 'UTC', rules }, await server.user())).expect(404);
  assert.equal((await user.get(`/api/workspaces/${workspace.id}`)).expect(200).data.schedule, null);
});
