// The program as a client: a session, and what is done with it, on a real server and engine.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { exchange } from '../../support/api_client.mjs';
import { eventually } from '../../support/eventually.mjs';
import { Person } from '../../support/person.mjs';
import { binary, startServer, testType } from '../../support/server.mjs';

let server;
before(async () => (server = await startServer({ toml: testType('slow', { START_DELAY: 2500 }) + testType('failing', { FAIL_START: 1 }) })));
after(() => server.close());

/** Somebody who is logged in, with the account's API client to look from the other side. */
async function someone(name) {
  const api = await server.user(name);
  const person = new Person();
  await person.login(server, api);
  return { person, api };
}

describe('a round', () => {
  test('login, create, start, status, open, switch, stop, delete', async () => {
    const api = await server.user('round');
    const person = new Person();
    const told = await person.login(server, api);
    assert.match(told.stdout, /^Logged in at http:\/\/127\.0\.0\.1:\d+ as round-\w+@example\.test\.$/m);
    assert.match((await person.run('whoami')).expect(0).stdout, new RegExp(`^email +${api.user.email}$`, 'm'));

    assert.match((await person.run('projects', 'list')).expect(0).stdout, /agentdb9 projects create/);
    (await person.run('projects', 'create', 'website', '--description', 'ours')).expect(0);
    (await person.run('project', 'create', 'engine')).expect(0);
    assert.match((await person.run('projects', 'ls')).expect(0).stdout, /^NAME +TYPE .*\nengine .*\nwebsite /);
    assert.match((await person.run('projects', 'show', 'website')).expect(0).stdout, /^description +ours$/m);

    assert.match((await person.run('workspaces', 'create', 'sheet', '--type', 'spreadsheet', '--project', 'website')).expect(0).stdout, /agentdb9 workspaces start sheet/);
    const [workspace] = (await api.get('/api/workspaces')).expect(200).data;
    const started = (await person.run('ws', 'start', 'sheet')).expect(0);
    // No terminal: one plain line, and nothing else.
    assert.match(started.stdout, /^Started 'sheet' \(\d+\.\d s\)\.\n$/);
    assert.equal(started.stderr, '');
    assert.equal((await server.engine.running(workspace.id)).length, 1);
    assert.match((await person.run('ws', 'list')).expect(0).stdout, /^sheet +spreadsheet +running +website +default +/m);
    assert.match((await person.run('ws', 'status', 'sheet')).expect(0).stdout, /^status +running\nhealth +healthy\n/m);
    await api.writeFile(workspace.id, 'where.txt', 'in website');

    const { stdout: link } = (await person.run('ws', 'open', 'sheet')).expect(0);
    const opened = await exchange(link.trim(), 'GET', new URL(link).pathname + new URL(link).search);
    assert.ok([302, 303].includes(opened.status), `${opened.status} ${opened.text}`);

    assert.match((await person.run('ws', 'switch', 'sheet', 'engine')).expect(0).stdout, /^Switched 'sheet' to project 'engine'/);
    assert.deepEqual(await api.files(workspace.id), []);
    (await person.run('ws', 'restart', workspace.id)).expect(0);
    assert.match((await person.run('ws', 'stop', 'sheet')).expect(0).stdout, /^Stopped 'sheet'/);
    assert.equal((await server.engine.running(workspace.id)).length, 0);

    const refused = (await person.run('ws', 'delete', 'sheet')).expect(2);
    assert.match(refused.stderr, /its projects and their files stay.*--yes/s);
    (await api.get(`/api/workspaces/${workspace.id}`)).expect(200);
    assert.match((await person.run('ws', 'rm', 'sheet', '--yes')).expect(0).stdout, /^Deleted 'sheet'/);
    (await api.get(`/api/workspaces/${workspace.id}`)).expect(404);
    assert.match((await person.run('projects', 'delete', 'website', '-y')).expect(0).stdout, /^Deleted project 'website'\. Its files are in the trash until \d{4}-/);
    assert.equal((await api.get('/api/trash')).expect(200).data[0].name, 'website');

    const { refreshToken } = person.stored;
    assert.match((await person.run('logout')).expect(0).stdout, /^Logged out of /);
    assert.ok(!existsSync(person.file));
    (await server.nobody().post('/api/auth/refresh', { refreshToken })).expect(401);
    assert.match((await person.run('whoami')).expect(1).stderr, /not logged in: 'agentdb9 login/);
  });

  test('the home of a deleted workspace is told of, and lies in the trash', async () => {
    const { person, api } = await someone('home');
    const workspace = await api.createWorkspace({ type: 'vscode', name: 'with home' });
    await api.start(workspace.id);
    assert.match((await person.run('ws', 'delete', 'with home', '-y')).expect(0).stdout, /Its home is in the trash until/);
    assert.ok((await api.get('/api/trash')).data.some((each) => each.ownerId === workspace.id));
  });

  test('--json is what the API answers', async () => {
    const { person, api } = await someone('json');
    const project = await api.createProject({ name: 'p' });
    const made = (await person.run('ws', 'create', 'w', '--type', 'spreadsheet', '--project', project.id, '--wake-on-request', '--json')).expect(0).json;
    assert.equal(made.currentProjectId, project.id);
    assert.equal(made.wakeOnRequest, true);
    for (const [path, ...words] of [['/api/workspaces', 'ws', 'list'], ['/api/projects', 'projects', 'list'], ['/api/workspaces/types', 'ws', 'types'],
      [`/api/workspaces/${made.id}`, 'ws', 'show', 'w'], [`/api/projects/${project.id}`, 'projects', 'show', 'p'], ['/api/auth/tokens', 'token', 'list']])
      assert.deepEqual((await person.run(...words, '--json')).expect(0).json, (await api.get(path)).expect(200).data, path);
    assert.equal((await person.run('whoami', '--json')).expect(0).json.id, api.user.id);
    const running = (await person.run('ws', 'start', 'w', '--json')).expect(0).json;
    assert.deepEqual([running.id, running.status], [made.id, 'running']);
    assert.equal((await person.run('ws', 'status', 'w', '--json')).expect(0).json.operation.kind, 'start');
    assert.ok((await person.run('ws', 'open', 'w', '--json')).expect(0).json.expiresAt);
    assert.equal((await person.run('ws', 'delete', 'w', '-y', '--json')).expect(0).json, null);
  });

  test('more rows than a page has are all shown, and found', async () => {
    const { person, api } = await someone('many');
    for (let i = 0; i < 103; ++i) await api.createProject({ name: `project ${i}` });
    assert.equal((await person.run('projects', 'list', '--json')).expect(0).json.length, 103);
    assert.match((await person.run('projects', 'show', 'project 0')).expect(0).stdout, /^name +project 0$/m);
  });
});

describe('the session', () => {
  test('lies in a file for its owner alone, and a password nowhere', async () => {
    const { person, api } = await someone('kept');
    assert.equal(statSync(person.file).mode & 0o777, 0o600);
    assert.equal(statSync(join(person.file, '..')).mode & 0o777, 0o700);
    assert.ok(!readFileSync(person.file, 'utf8').includes(api.password));
    assert.deepEqual([person.stored.url, person.stored.email], [server.api, api.user.email]);
  });

  test('a wrong password is refused with the API\'s sentence, and what was there stays', async () => {
    const { person, api } = await someone('mistaken');
    const before = person.stored;
    const refused = (await person.runWith('not the password\n', 'login', server.api, '--email', api.user.email, '--password-stdin')).expect(1);
    assert.match(refused.stderr, /^agentdb9: The email address or the password is wrong\. \(request \S+\)$/m);
    assert.ok(!(refused.stdout + refused.stderr).includes('not the password'));
    assert.deepEqual(person.stored, before);
    const stranger = new Person();
    assert.match((await stranger.runWith('', 'login', server.api, '--email', api.user.email)).expect(2).stderr, /--password-stdin/);
    assert.match((await stranger.runWith('', 'login', server.api)).expect(2).stderr, /--email/);
    assert.ok(!existsSync(stranger.file));
  });

  test('another login of the same account ends the one before', async () => {
    const { person, api } = await someone('again');
    const { refreshToken } = person.stored;
    await person.login(server, api);
    (await server.nobody().post('/api/auth/refresh', { refreshToken })).expect(401);
    // Without an address it is the last one.
    (await person.runWith(`${api.password}\n`, 'login', '--email', api.user.email, '--password-stdin')).expect(0);
    (await person.run('whoami')).expect(0);
  });

  test('many commands at once with an expired access token renew it once, and lose nothing', async () => {
    const { person } = await someone('parallel');
    // By its time here, and by the server's word.
    for (const changes of [{ accessExpiresAt: 1 }, { accessToken: 'eyJ.expired.x', accessExpiresAt: 4_000_000_000 }]) {
      const before = person.stored.refreshToken;
      person.store(changes);
      const all = await Promise.all(Array.from({ length: 8 }, () => person.run('whoami')));
      for (const each of all) each.expect(0);
      assert.notEqual(person.stored.refreshToken, before);
    }
    assert.equal(server.events('a refresh token was used again; its session has ended').length, 0);
    person.store({ accessExpiresAt: 1 });
    (await person.run('whoami')).expect(0);
  });

  test('that cannot be written does not spend its refresh token', async () => {
    const { person } = await someone('full');
    person.store({ accessExpiresAt: 1 });
    const before = person.stored;
    // No file may grow: as on a full disk.
    const stuck = await new Promise((resolve) => {
      execFile('sh', ['-c', `trap '' XFSZ; ulimit -f 0; exec ${binary} whoami`], { env: person.environment }, (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stderr }));
    });
    assert.equal(stuck.code, 1, stuck.stderr);
    assert.ok(stuck.stderr.includes(`cannot be kept in ${person.file}`), stuck.stderr);
    assert.deepEqual(person.stored, before);
    (await person.run('whoami')).expect(0);
    assert.notEqual(person.stored.refreshToken, before.refreshToken);
  });

  test('that is over says to log in again', async () => {
    const { person, api } = await someone('over');
    (await api.post('/api/auth/logout', { refreshToken: person.stored.refreshToken })).expect(200);
    const { stderr } = (await person.run('ws', 'list')).expect(1);
    assert.ok(stderr.includes(`Your session at ${server.api} has ended. Log in again: agentdb9 login ${server.api}`), stderr);
    assert.match((await person.run('logout')).expect(0).stdout, /^Logged out/);
  });

  test('a broken file is named, and the next login replaces it', async () => {
    const { person, api } = await someone('broken');
    writeFileSync(person.file, '{"version":1,"accessToken":"secret');
    const { stderr } = (await person.run('whoami')).expect(2);
    assert.ok(stderr.includes(person.file) && stderr.includes('agentdb9 login') && !stderr.includes('secret'), stderr);
    await person.login(server, api);
    (await person.run('whoami')).expect(0);
  });

  test('a password that is typed is not shown', async () => {
    const api = await server.user('typed');
    const person = new Person();
    const login = person.startOnTerminal('login', server.api);
    await login.says('Email: ');
    login.type(`${api.user.email}\r`);
    await login.says('Password: ');
    login.type(`${api.password}\r`);
    assert.equal((await login.ended).code, 0, login.output());
    assert.match(login.output(), /Logged in at/);
    assert.ok(!login.output().includes(api.password), login.output());
  });
});

describe('a terminal', () => {
  test('shows again what is typed after Ctrl-C at the password', async () => {
    const person = new Person();
    const login = person.startShellOnTerminal(`trap : INT; "$AGENTDB9" login ${server.api} --email a@example.test; echo "ended with $?"; stty -a`);
    await login.says('Password: ');
    login.type('\x03');
    await login.ended;
    assert.match(login.output(), /ended with 130/);
    assert.match(login.output(), / echo /);
    assert.ok(!existsSync(person.file));
  });
});

describe('names', () => {
  test('that several have are refused with their ids, that nobody has with near ones', async () => {
    const { person, api } = await someone('names');
    const twins = [await api.createWorkspace({ name: 'twin' }), await api.createWorkspace({ name: 'twin' })];
    const { stderr } = (await person.run('ws', 'start', 'twin')).expect(2);
    for (const each of twins) assert.ok(stderr.includes(each.id), stderr);
    assert.match((await person.run('ws', 'stop', 'twni')).expect(3).stderr, /Did you mean 'twin'\?/);
    assert.match((await person.run('projects', 'show', 'twin')).expect(3).stderr, /No project of yours/);
    (await person.run('ws', 'status', twins[1].id)).expect(0);
  });

  test('of somebody else are not there, by name and by id', async () => {
    const { api: owner } = await someone('owner');
    const workspace = await owner.createWorkspace({ name: 'private' });
    const project = await owner.createProject({ name: 'secret plans' });
    const { person } = await someone('curious');
    for (const words of [['show'], ['status'], ['start'], ['stop'], ['restart'], ['open'], ['delete', '-y']])
      for (const name of ['private', workspace.id]) {
        const { stderr } = (await person.run('ws', words[0], name, ...words.slice(1))).expect(3);
        assert.ok(!stderr.includes('Did you mean'), stderr);
      }
    for (const name of ['secret plans', project.id]) {
      (await person.run('projects', 'show', name)).expect(3);
      (await person.run('projects', 'delete', name, '-y')).expect(3);
      (await person.run('ws', 'create', '--type', 'spreadsheet', '--project', name)).expect(3);
    }
    (await owner.get(`/api/workspaces/${workspace.id}`)).expect(200);
    (await owner.get(`/api/projects/${project.id}`)).expect(200);
  });
});

describe('what takes its time', () => {
  test('is followed on a terminal, with its phase and seconds', async () => {
    const { person, api } = await someone('watching');
    await api.createWorkspace({ type: 'slow', name: 'slow one' });
    const command = person.startOnTerminal('ws', 'start', 'slow one');
    assert.equal((await command.ended).code, 0, command.output());
    const lines = command.output().split('\r\x1b[K').map((line) => line.trim());
    assert.ok(lines.filter((line) => /^Starting 'slow one': .+ \(\d+ s\)$/.test(line)).length >= 2, JSON.stringify(lines));
    assert.ok(lines.some((line) => /\([1-9] s\)$/.test(line)), JSON.stringify(lines));
    assert.match(lines.at(-1), /^Started 'slow one' \(\d+\.\d s\)\.$/);
  });

  test('fails with the operation\'s own sentence', async () => {
    const { person, api } = await someone('failing');
    const workspace = await api.createWorkspace({ type: 'failing', name: 'bad' });
    const { stderr, stdout } = (await person.run('ws', 'start', 'bad')).expect(1);
    const [operation] = (await api.get(`/api/workspaces/${workspace.id}/operations`)).data.filter((each) => each.kind === 'start');
    assert.equal(stderr.trimEnd(), `agentdb9: ${operation.error.trimEnd()}`);
    assert.equal(stdout, '');
    assert.match((await person.run('ws', 'status', 'bad')).expect(0).stdout, /^last error +\S/m);
  });

  test('is not waited for with --no-wait', async () => {
    const { person, api } = await someone('hasty');
    const workspace = await api.createWorkspace({ type: 'slow', name: 'later' });
    const operation = (await person.run('ws', 'start', 'later', '--no-wait', '--json')).expect(0).json;
    assert.deepEqual([operation.kind, operation.workspaceId], ['start', workspace.id]);
    assert.match((await person.run('ws', 'restart', 'later', '--no-wait')).expect(0).stderr, /agentdb9 workspaces status later/);
    await eventually('it to run', async () => (await api.get(`/api/workspaces/${workspace.id}`)).data.status === 'running');
  });

  test('goes on after Ctrl-C, which says how to look at it', async () => {
    const { person, api } = await someone('impatient');
    const workspace = await api.createWorkspace({ type: 'slow', name: 'patience' });
    const command = person.startOnTerminal('ws', 'start', 'patience');
    await command.says("Starting 'patience'");
    command.type('\x03');
    assert.equal((await command.ended).code, 130, command.output());
    assert.match(command.output(), /The start of 'patience' goes on at the server\. How far it is: agentdb9 workspaces status patience/);
    await eventually('it to run', async () => (await api.get(`/api/workspaces/${workspace.id}`)).data.status === 'running');
  });

  test('says so when a newer request took its place', async () => {
    const { person, api } = await someone('overtaken');
    const workspace = await api.createWorkspace({ type: 'slow', name: 'raced' });
    const command = person.start('ws', 'start', 'raced');
    await eventually('the start to run', async () => (await api.get(`/api/workspaces/${workspace.id}/operations`)).data.some((each) => each.state === 'running'));
    (await person.run('ws', 'stop', 'raced', '--force')).expect(0);
    assert.equal((await command.ended).code, 1);
    assert.match(command.output(), /A newer request took the place of this one/);
  });

  test('a deletion is asked for on a terminal, and No is no', async () => {
    const { person, api } = await someone('asked');
    const workspace = await api.createWorkspace({ name: 'dear' });
    const command = person.startOnTerminal('ws', 'delete', 'dear');
    await command.says('[y/N]');
    command.type('n\r');
    assert.equal((await command.ended).code, 1, command.output());
    assert.match(command.output(), /Nothing was deleted/);
    (await api.get(`/api/workspaces/${workspace.id}`)).expect(200);
  });
});

describe('open', () => {
  test('gives the link to the desktop, where there is one, and not with --print', async () => {
    const { person, api } = await someone('desktop');
    await api.createWorkspace({ name: 'shown' });
    const bin = join(person.home, 'bin');
    const given = join(person.home, 'given');
    mkdirSync(bin);
    writeFileSync(join(bin, 'xdg-open'), `#!/bin/sh\nprintf '%s\\n' "$@" > ${given}\n`, { mode: 0o755 });
    const desktop = { PATH: `${bin}:${process.env.PATH}`, DISPLAY: ':99' };
    assert.match((await person.runIn(desktop, 'ws', 'open', 'shown', '--print')).expect(0).stdout, /^http:/);
    assert.ok(!existsSync(given));
    const opened = (await person.runIn(desktop, 'ws', 'open', 'shown', '--port', '3000')).expect(0);
    assert.equal(opened.stdout, "Opened 'shown' in the browser.\n");
    assert.match(opened.stderr, /does not run\. Start it first/);
    assert.match(readFileSync(given, 'utf8'), /^http:\/\/\S+\/3000\/\?agentdb9_ticket=\S+\n$/);
    // A desktop that cannot open anything: the link is printed.
    assert.match((await person.runIn({ ...desktop, PATH: '/nowhere' }, 'ws', 'open', 'shown')).expect(0).stdout, /^http:/);
  });
});

describe('sessions', () => {
  test('are listed, and ended one by one or all others', async () => {
    const { person, api } = await someone('seated');
    const [second, third] = [new Person(), new Person()];
    for (const each of [second, third]) (await each.runWith(`${api.password}\n`, 'login', server.api, '--email', api.user.email, '--password-stdin')).expect(0);
    const all = (await person.run('session', 'list', '--json')).expect(0).json;
    assert.equal(all.filter((each) => each.current).length, 1);
    const table = (await person.run('sessions', 'ls')).expect(0).stdout;
    assert.match(table, /agentdb9.*this one/);
    assert.equal(table.split('\n').length, all.length + 2, table);
    const theirs = (await second.run('session', 'list', '--json')).expect(0).json.find((each) => each.current).id;
    assert.match((await person.run('session', 'end', theirs.slice(0, 8))).expect(0).stdout, /^Ended the session/);
    assert.match((await second.run('whoami')).expect(1).stderr, /Log in again/);
    (await person.run('session', 'end', theirs)).expect(3);
    (await person.run('session', 'end', theirs.slice(0, 3))).expect(3);
    (await person.run('session', 'end')).expect(2);
    (await person.run('session', 'end', theirs, '--others')).expect(2);
    assert.match((await person.run('session', 'end', '--others')).expect(0).stdout, /^Ended \d+ other session/);
    assert.match((await third.run('whoami')).expect(1).stderr, /Log in again/);
    (await person.run('whoami')).expect(0);
    // Nobody else's: another's id is as good as none.
    const other = await someone('neighbour');
    const [another] = (await other.person.run('session', 'list', '--json')).expect(0).json;
    (await person.run('session', 'end', another.id)).expect(3);
    const own = (await person.run('session', 'list', '--json')).expect(0).json.find((each) => each.current);
    assert.match((await person.run('session', 'end', own.id)).expect(0).stdout, /log in again/);
    (await person.run('whoami')).expect(1);
  });
});

describe('API tokens', () => {
  test('are printed once, alone on standard output, and are good by the environment and by login', async () => {
    const { person, api } = await someone('agent');
    const { stdout, stderr } = (await person.run('token', 'create', 'nightly', '--expires', '30d')).expect(0);
    assert.match(stdout, /^adb9_\S+\n$/);
    assert.match(stderr, /only now/);
    const token = stdout.trim();
    const [row] = (await person.run('token', 'list', '--json')).expect(0).json;
    const days = (Date.parse(row.expiresAt) - Date.parse(row.createdAt)) / 86_400_000;
    assert.ok(Math.abs(days - 30) < 0.01, row.expiresAt);
    assert.ok(!(await person.run('token', 'list')).expect(0).stdout.includes(token));

    const agent = new Person({ AGENTDB9_URL: server.api, AGENTDB9_TOKEN: token });
    assert.match((await agent.run('whoami')).expect(0).stdout, new RegExp(api.user.email));
    assert.ok(!existsSync(agent.file));
    const other = new Person();
    (await other.runWith(`${token}\n`, 'login', server.api, '--token-stdin')).expect(0);
    assert.equal((await other.run('whoami', '--json')).expect(0).json.id, api.user.id);

    (await person.run('token', 'revoke', 'nightly')).expect(0);
    const refused = (await agent.run('whoami')).expect(1);
    assert.match(refused.stderr, /does not accept AGENTDB9_TOKEN/);
    assert.ok(!refused.stderr.includes(token));
    assert.match((await other.run('whoami')).expect(1).stderr, /API token .* is not valid any more\. Log in again/);
    assert.match((await new Person().runWith(`${token}\n`, 'login', server.api, '--token-stdin')).expect(1).stderr, /does not accept this token/);
    (await person.run('token', 'create', 'x', '--expires', 'soon')).expect(2);
    // One that does not arrive is told, with what to do.
    const lost = await new Promise((resolve) => {
      execFile('sh', ['-c', `exec ${binary} token create lost > /dev/full`], { env: person.environment }, (error, stdout, told) => resolve({ code: error?.code ?? 0, told }));
    });
    assert.equal(lost.code, 1, lost.told);
    (await person.run('token', 'revoke', lost.told.match(/agentdb9 token revoke (\S+)/)[1])).expect(0);
    (await person.run('token', 'revoke', 'nightly')).expect(3);
  });
});
