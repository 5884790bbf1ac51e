// What a workspace is to do by itself, set by command; and slips of the hand.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Person } from '../../support/person.mjs';
import { startServer } from '../../support/server.mjs';

let server;
let person;
let api;
let workspace;
before(async () => {
  server = await startServer();
  api = await server.user();
  person = new Person();
  await person.login(server, api);
  workspace = await api.createWorkspace({ type: 'vscode', name: 'editor' });
});
after(() => server.close());

test('settings: when it stops and starts', async () => {
  assert.match((await person.run('ws', 'set', 'editor')).expect(0).stdout, /^schedule +none$/m);
  const told = (await person.run('ws', 'set', 'editor', '--idle-stop', '60', '--schedule', 'mon-fri 08:00-18:30', '--schedule', 'sat 10:00-', '--zone', 'Europe/Berlin', '--wake', 'on')).expect(0).stdout;
  assert.match(told, /after 60 minutes[\s\S]*mon-fri 08:00-18:30\n.*sat 10:00-\n.*Europe\/Berlin[\s\S]* on\n/);
  const now = (await api.get(`/api/workspaces/${workspace.id}`)).expect(200).data;
  assert.equal(now.idleStopMinutes, 60);
  assert.equal(now.wakeOnRequest, true);
  assert.deepEqual(now.schedule, { zone: 'Europe/Berlin', rules: [
    { days: ['mon', 'tue', 'wed', 'thu', 'fri'], start: '08:00', stop: '18:30' }, { days: ['sat'], start: '10:00', stop: null }] });
  const json = (await person.run('ws', 'set', 'editor', '--schedule', 'none', '--idle-stop', 'default', '--wake', 'off', '--json')).expect(0).json;
  assert.deepEqual(json, { id: workspace.id, idleStopMinutes: null, schedule: null, wakeOnRequest: false });
  assert.match((await person.run('ws', 'set', 'editor', '--schedule', 'daily')).expect(2).stderr, /mon-fri 08:00-18:30/);
  assert.match((await person.run('ws', 'set', 'editor', '--idle-stop', '1')).expect(2).stderr, /idleStopMinutes/);
});

test('a slip of the hand is answered with what was meant', async () => {
  assert.match((await person.run('ws', 'stpo', 'editor')).expect(2).stderr, /Did you mean 'agentdb9 ws stop'\?/);
  assert.match((await person.run('workspcaes', 'list')).expect(2).stderr, /Did you mean 'agentdb9 workspaces'\?/);
  assert.match((await person.run('ws', 'frobnicate')).expect(2).stderr, /'agentdb9 ws --help' lists them/);
  assert.match((await person.run('ws', 'create', 'vscode', 'second')).expect(2).stderr, /Did you mean 'agentdb9 workspaces create second --type vscode'\?/);
  assert.match((await person.run('ws', 'create', 'second', 'vscode')).expect(2).stderr, /Did you mean 'agentdb9 workspaces create second --type vscode'\?/);
  assert.match((await person.run('ws', 'create', 'second')).expect(2).stderr, /--type: 'agentdb9 workspaces types'/);
});
