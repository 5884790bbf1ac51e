// Applications on a host name each, in a browser: what it keeps apart, and what a person sees who was let in without
// an account. The browser takes names below localhost for this machine.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';

import { hostOf, withAppsDomain } from '../support/application_hosts.mjs';
import { eventually } from '../support/eventually.mjs';
import { startServer } from '../support/server.mjs';
import { openBrowser, patience, Person, picture } from './support/browser.mjs';

const types = ['vscode', 'notebook'].map((type) => `[workspaceTypes.${type}]\ncontainerImage = "agentdb9/${type}:local"\n`).join('') +
  '[workspaceTypes.spreadsheet]\ncontainerImage = "agentdb9/testapp:local"\ndefaultPort = 8080\ncommand = []\n[workspaceTypes.spreadsheet.healthCheck]\npath = "/healthz"\n';

let server, browser, owner;
before(async () => {
  server = await startServer({ types: false, toml: types, environment: withAppsDomain });
  browser = await openBrowser();
  owner = await server.user('owner');
});
after(async () => {
  await browser?.close();
  await server?.close();
});

async function running(type) {
  const workspace = await owner.createWorkspace({ type });
  await owner.start(workspace.id);
  return workspace;
}

async function visitor() {
  const person = await Person.at(browser);
  // The applications' consoles are their own.
  person.expect(/^(?!policy violated)/);
  return person;
}

async function open(page, workspace) {
  const { url } = (await owner.post(`/api/workspaces/${workspace.id}/proxy-ticket`, {})).expect(201).data;
  await page.goto(url);
  assert.doesNotMatch(page.url(), /ticket/);
}

const hostPart = (page) => new URL(page.url()).host;
const share = async (workspace, fields) => (await owner.post(`/api/workspaces/${workspace.id}/shares`, fields)).expect(201).data;

/** Opens a socket in the page and keeps by which code it ends. */
const openSocket = (page) => page.evaluate(() => new Promise((resolve, reject) => {
  const socket = new WebSocket(`ws://${location.host}/ws`);
  socket.onopen = () => resolve();
  socket.onerror = () => reject(new Error('the socket does not open'));
  socket.onclose = ({ code }) => (globalThis.endedBy = code);
}));

test('VS Code works on its own host name, with its sockets and its worker', async () => {
  const workspace = await running('vscode');
  const person = await visitor();
  const page = await person.newPage();
  const sockets = [];
  page.on('websocket', (socket) => sockets.push(new URL(socket.url()).host));
  const write = (name) => execFileSync('docker', ['exec', workspace.containerName, 'sh', '-c', `echo seen > /workspace/${name}.txt`]);
  const shown = (name) => page.getByRole('treeitem', { name: new RegExp(`^${name}\\.txt`) });
  write('there-before');
  await open(page, workspace);
  const host = hostOf(server, workspace, 8080);
  await page.locator('.monaco-workbench').waitFor();
  assert.equal(hostPart(page), host);
  await shown('there-before').waitFor();
  // VS Code lists the folder before it begins to watch it and never learns of a file that is made in between: it
  // gets a new one until it tells of one.
  let made = 0;
  await eventually('a file that was made later to be shown', async () => {
    write(`made-later-${made++}`);
    return (await shown('made-later-\\d+').count()) > 0;
  }, { within: patience, every: 1000 });
  assert.ok(sockets.length > 0 && sockets.every((each) => each === host), sockets.join());
  await eventually('its service worker to have the whole origin', () => page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).some((each) => new URL(each.scope).pathname === '/')), { within: patience, every: 250 });
  await picture(page, '30-vscode-own-origin');
  await person.leave();
});

test('a notebook, which keeps its prefix, works there as well', async () => {
  const workspace = await running('notebook');
  const person = await visitor();
  const page = await person.newPage();
  await open(page, workspace);
  const host = hostOf(server, workspace, 8888);
  assert.equal(hostPart(page), host);
  // Its tree page has been seen not to show itself (applications.test.mjs); the notebook does.
  await page.goto(`http://${host}/${workspace.id}/8888/tree`);
  const made = await page.evaluate(async () => {
    const xsrf = document.cookie.match(/_xsrf=([^;]+)/)?.[1] ?? '';
    const base = document.body.dataset.baseUrl;
    const answer = await fetch(`${base}api/contents`, { method: 'POST', headers: { 'X-XSRFToken': xsrf, 'Content-Type': 'application/json' }, body: '{"type":"notebook"}' });
    return { status: answer.status, path: (await answer.json()).path, base };
  });
  assert.equal(made.status, 201, JSON.stringify(made));
  await page.goto(`http://${host}${made.base}notebooks/${made.path}`);
  await page.locator('#kernel_indicator_icon.kernel_idle_icon').waitFor();
  await page.locator('.code_cell .CodeMirror').first().click();
  await page.keyboard.type('6 * 7');
  await page.keyboard.press('Shift+Enter');
  await page.locator('.output_result').getByText('42').waitFor();
  assert.equal(hostPart(page), host);
  await picture(page, '31-notebook-own-origin');
  await person.leave();
});

test('two workspaces of one person are two origins: cookies, storage and requests stay apart', async () => {
  const [first, second] = [await running('spreadsheet'), await running('spreadsheet')];
  const person = await visitor();
  const page = await person.newPage();
  await open(page, first);
  await page.getByText('testapp').first().waitFor();
  await page.evaluate(async () => {
    document.cookie = 'page=first; path=/';
    localStorage.setItem('page', 'first');
    await fetch('/set-cookie');
  });
  const other = await person.newPage();
  await open(other, second);
  await other.getByText('testapp').first().waitFor();
  assert.deepEqual(await other.evaluate(() => [document.cookie, localStorage.length]), ['', 0]);
  const cookies = await person.context.cookies();
  assert.ok(cookies.length > 2);
  for (const { name, domain } of cookies) assert.ok([first, second].some((each) => domain === hostOf(server, each).split(':')[0]), `${name} is for ${domain}`);
  // Ours cannot be read by a page; and it is only sent where it belongs.
  assert.doesNotMatch(await page.evaluate(() => document.cookie), /agentdb9/);
  const seen = await page.evaluate(async () => (await fetch('/echo')).text());
  assert.doesNotMatch(seen, /agentdb9_/);
  // A page of the first may neither read from the second nor change something there with the person's cookie.
  const there = `http://${hostOf(server, second)}`;
  const attempts = [];
  page.on('response', (response) => response.url().startsWith(there) && attempts.push([response.request().method(), response.status()]));
  await assert.rejects(page.evaluate((url) => fetch(url, { credentials: 'include' }), `${there}/echo`));
  await page.evaluate((url) => fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include', body: 'x' }), `${there}/echo`);
  await eventually('the browser to have tried', () => attempts.some(([method]) => method === 'POST'));
  assert.deepEqual(attempts.filter(([method]) => method === 'POST'), [['POST', 403]]);
  const refused = await page.evaluate((url) => new Promise((resolve) => {
    const socket = new WebSocket(url);
    socket.onopen = () => resolve('open');
    socket.onclose = ({ code }) => resolve(code);
  }), `${there.replace('http', 'ws')}/ws`);
  assert.equal(refused, 1006);
  await person.leave();
});

test('a public page opens without an account, until it is taken back', async () => {
  const workspace = await running('spreadsheet');
  const stranger = await visitor();
  const page = await stranger.newPage();
  const url = `http://${hostOf(server, workspace)}/`;
  assert.equal((await page.goto(url)).status(), 401);
  await page.getByText(/[Ss]ign in/).first().waitFor();
  const made = await share(workspace, { level: 'public' });
  assert.equal(made.url, url);
  assert.equal((await page.goto(made.url)).status(), 200);
  await page.getByText('testapp').first().waitFor();
  assert.deepEqual(await stranger.context.cookies(), []);
  await openSocket(page);
  (await owner.delete(`/api/workspaces/${workspace.id}/shares/${made.id}`)).expect(200);
  await page.waitForFunction(() => globalThis.endedBy === 1008);
  assert.equal((await page.reload()).status(), 401);
  await picture(page, '32-share-taken-back');
  await stranger.leave();
});

test('a link opens in a browser that has nothing else, and its secret leaves the address', async () => {
  const workspace = await running('spreadsheet');
  const stranger = await visitor();
  const page = await stranger.newPage();
  const made = await share(workspace, { level: 'link' });
  assert.equal((await page.goto(made.url)).status(), 200);
  assert.equal(page.url(), `http://${hostOf(server, workspace)}/`);
  assert.equal((await page.reload()).status(), 200);
  await openSocket(page);
  assert.equal(await page.evaluate(() => document.cookie), '');
  (await owner.delete(`/api/workspaces/${workspace.id}/shares/${made.id}`)).expect(200);
  await page.waitForFunction(() => globalThis.endedBy === 1008);
  assert.equal((await page.reload()).status(), 401);
  await stranger.leave();
});

test('a colleague comes by the address of what is shared with users: signs in, is asked, and gets it', async () => {
  const own = await startServer({ environment: { ...withAppsDomain } });
  try {
    // Its page's address is known only now.
    own.environment.AGENTDB9_SERVER_PUBLIC_URL = own.api;
    await own.restart();
    const [host, colleague] = [await own.user('host'), await own.user('colleague')];
    const workspace = await host.createWorkspace();
    await host.start(workspace.id);
    const made = (await host.post(`/api/workspaces/${workspace.id}/shares`, { level: 'users' })).expect(201).data;
    const person = await visitor();
    const page = await person.newPage();
    await page.goto(made.url);
    assert.equal(new URL(page.url()).origin, own.api);
    await page.getByRole('textbox', { name: 'Email' }).fill(colleague.user.email);
    await page.getByRole('textbox', { name: 'Password' }).fill(colleague.password);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('heading', { name: 'Open the application?' }).waitFor();
    assert.equal(new URL(page.url()).hash, '');
    await picture(page, '33-shared-with-users');
    await page.getByRole('button', { name: 'Open', exact: true }).click();
    await page.getByRole('heading', { name: 'testapp' }).waitFor();
    assert.equal(page.url(), made.url);
    // What is not shared is not there, whoever is signed in.
    (await host.delete(`/api/workspaces/${workspace.id}/shares/${made.id}`)).expect(200);
    assert.equal((await page.reload()).status(), 404);
    await page.goto(`${own.api}/#open=${workspace.id}/8080`);
    await page.getByRole('button', { name: 'Open', exact: true }).click();
    await page.getByText(/It could not be opened: No workspace/).waitFor();
    await person.leave();
  } finally {
    await own.close();
  }
});
