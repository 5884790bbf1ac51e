// The whole way on real applications: a person logs in by API, starts a workspace, opens its application in a
// browser through the server's proxy, works in it, and finds every file where it was.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { after, before, test } from 'node:test';

import { exchange } from '../support/api_client.mjs';
import { eventually } from '../support/eventually.mjs';
import { startServer } from '../support/server.mjs';
import { openBrowser, patience, Person, picture } from './support/browser.mjs';
import { button, card, link, outcome, pick, signIn, state, title } from './support/page.mjs';

let server;
let browser;

before(async () => {
  for (const image of ['vscode', 'notebook']) {
    const known = execFileSync('docker', ['images', '-q', `agentdb9/${image}:local`], { encoding: 'utf8' });
    assert.notEqual(known, '', `the image agentdb9/${image}:local is missing: scripts/images ${image} builds it`);
  }
  server = await startServer({
    types: false,
    toml: '[workspaceTypes.vscode]\ncontainerImage = "agentdb9/vscode:local"\n[workspaceTypes.notebook]\ncontainerImage = "agentdb9/notebook:local"\n',
  });
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await server?.close();
});

// The applications' consoles are their own; that our proxy fails a request is not.
async function visitor() {
  const person = await Person.at(browser);
  person.expect(/^(?!policy violated)/);
  person.failures = [];
  person.context.on('response', (response) => {
    if (response.status() >= 500) person.failures.push(`${response.status()} ${response.url()}`);
  });
  return person;
}

async function open(page, client, workspace) {
  const ticket = (await client.post(`/api/workspaces/${workspace.id}/proxy-ticket`, {})).expect(201).data;
  assert.ok(ticket.url.startsWith(`${server.apps}/${workspace.id}/`), ticket.url);
  await page.goto(ticket.url);
  assert.doesNotMatch(page.url(), /ticket/);
}

/** What a file of the running workspace holds, seen from the engine's side; undefined when it is not there. */
function fileOf(workspace, name) {
  try {
    return execFileSync('docker', ['exec', workspace.containerName, 'cat', `/workspace/${name}`], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return undefined;
  }
}
const eventuallyHolds = (workspace, name, text) =>
  eventually(`${name} to hold ${JSON.stringify(text)}`, () => fileOf(workspace, name) === text, { within: patience, every: 250 });

const inExplorer = (page, name) => page.getByRole('treeitem', { name: new RegExp(`^${name.replace('.', '\\.')}`) });

/** Types a line into VS Code's integrated terminal, which is opened if need be. */
async function inTerminal(page, line) {
  const terminal = page.locator('.terminal-wrapper.active .xterm-screen');
  if (!(await terminal.isVisible())) await page.keyboard.press('Control+Backquote');
  await terminal.waitFor();
  // The text is drawn on a canvas; beside a shell's prompt there is a mark.
  await page.locator('.terminal-wrapper.active .terminal-command-decoration').first().waitFor({ state: 'attached' });
  await terminal.click();
  await page.keyboard.type(`${line}\n`);
}

test('VS Code: files by terminal and editor stay with their project while the workspace switches', async () => {
  const client = await server.user('developer');
  const atlas = await client.createProject({ name: 'Atlas' });
  const borealis = await client.createProject({ name: 'Borealis' });
  const workspace = await client.createWorkspace({ type: 'vscode', name: 'Code', projectId: atlas.id });
  await client.start(workspace.id);
  const person = await visitor();
  const page = await person.newPage();
  const sockets = [];
  page.on('websocket', (socket) => sockets.push(socket));
  await open(page, client, workspace);
  await page.locator('.monaco-workbench').waitFor();

  // A command in the terminal, and its effect: in the volume, and by name in the explorer.
  await inTerminal(page, "echo 'made in the terminal' > hello.txt");
  await eventuallyHolds(workspace, 'hello.txt', 'made in the terminal\n');
  await inExplorer(page, 'hello.txt').waitFor();

  // The editor.
  await inExplorer(page, 'hello.txt').dblclick();
  await page.locator('.monaco-editor .view-line').getByText('made in the terminal').waitFor();
  await page.locator('.monaco-editor .view-lines').click();
  await page.keyboard.press('Control+End');
  await page.keyboard.type('and changed in the editor');
  await page.keyboard.press('Control+s');
  const written = 'made in the terminal\nand changed in the editor';
  await eventuallyHolds(workspace, 'hello.txt', written);
  await picture(page, '20-vscode');

  // Any other port that something in the workspace opens.
  await inTerminal(page, `node -e "require('http').createServer((q, a) => a.end(require('fs').readFileSync('hello.txt'))).listen(3000)" &`);
  const port = () => exchange(server.api, 'GET', `/api/workspaces/${workspace.id}/ports/3000/`, { headers: { Authorization: `Bearer ${client.token}` } });
  await eventually('the port to answer', async () => (await port()).text === written, { within: patience, every: 250 });

  // To the other project while it runs. The sockets come back by themselves; that the other end is another VS
  // Code is for VS Code to say, and it asks to load its window anew.
  const switchTo = async (project) => {
    const before = sockets.length;
    await client.switchProject(workspace.id, project.id);
    await eventually('a socket to be opened again', () => sockets.length > before, { within: patience });
    await page.getByRole('button', { name: 'Reload Window' }).click();
    await page.locator('.monaco-workbench').waitFor();
  };
  await switchTo(borealis);
  assert.equal(fileOf(workspace, 'hello.txt'), undefined);
  await inTerminal(page, "echo 'of the other' > borealis.txt");
  await inExplorer(page, 'borealis.txt').waitFor();
  assert.equal(await inExplorer(page, 'hello.txt').count(), 0);
  await picture(page, '21-vscode-other-project');

  await switchTo(atlas);
  await inExplorer(page, 'hello.txt').waitFor();
  assert.equal(await inExplorer(page, 'borealis.txt').count(), 0);
  assert.equal(fileOf(workspace, 'hello.txt'), written);
  assert.equal(fileOf(workspace, 'borealis.txt'), undefined);

  // And over a stop.
  await client.stop(workspace.id);
  await client.start(workspace.id);
  assert.equal(fileOf(workspace, 'hello.txt'), written);
  await open(page, client, workspace);
  await inExplorer(page, 'hello.txt').waitFor();
  await picture(page, '22-vscode-again');
  assert.deepEqual(person.failures, [], 'no request failed, also not during a switch');
  await person.leave();
});

test('from the sign-in page to a running VS Code in the page, and to another project’s files, by clicks alone', async () => {
  const client = await server.user('newcomer');
  await client.createProject({ name: 'Borealis' });
  const person = await visitor();
  const page = await person.newPage();
  await page.goto(server.api);
  await signIn(page, client.user.email);
  await button(page, 'Create your first workspace').click();
  await page.getByRole('dialog', { name: 'New workspace' }).getByRole('textbox', { name: 'Name' }).fill('Atlas');
  await button(page, 'Create workspace').click();
  await state(page, 'Atlas', 'Running');
  await link(card(page, 'Atlas'), 'Atlas').click();
  await title(page, 'Atlas').waitFor();
  const workspace = (await client.get('/api/workspaces')).expect(200).data[0];
  const make = (name) => execFileSync('docker', ['exec', workspace.containerName, 'sh', '-c', `echo x > /workspace/${name}`]);
  make('atlas.txt');
  await link(page, 'Application').click();
  const code = page.frameLocator('iframe[title^="The application of"]');
  await code.locator('.monaco-workbench').waitFor();
  await inExplorer(code, 'atlas.txt').waitFor();
  await picture(page, '24-vscode-in-the-page');

  await pick(page.getByRole('main'), 'Borealis');
  await page.getByText('Switching the project').first().waitFor();
  await outcome(page, 'Atlas works on Borealis now.').waitFor();
  await code.locator('.monaco-workbench').waitFor();
  // What is made between VS Code's listing of the folder and the start of its watcher is never told; the next is.
  for (let count = 1; ; count += 1) {
    make(`borealis-${count}.txt`);
    if (await inExplorer(code, `borealis-${count}.txt`).waitFor({ timeout: 4000 }).then(() => true, () => false)) break;
    assert.ok(count < 12, 'no new file is shown');
  }
  assert.equal(await inExplorer(code, 'atlas.txt').count(), 0);
  await picture(page, '25-vscode-other-project-in-the-page');
  assert.deepEqual(person.failures, []);
  await person.leave();
});

// The requests of a page that have no answer yet.
function unanswered(page) {
  const open = new Set();
  page.on('request', (request) => open.add(request.url()));
  for (const end of ['requestfinished', 'requestfailed']) page.on(end, (request) => open.delete(request.url()));
  return open;
}

// Jupyter's tree page has been seen not to show itself, why is not known. It is loaded again, as a person would; but a
// request that hangs would be the proxy's fault, and is told.
async function shown(page, selector, waiting) {
  for (let tries = 1; ; tries += 1) {
    try {
      await page.locator(selector).waitFor({ timeout: 20_000 });
      return;
    } catch (error) {
      assert.deepEqual([...waiting], [], 'no request is without an answer while the page does not show itself');
      if (tries === 4) throw error;
      console.log(`the notebook's page did not show itself, try ${tries}`);
      await page.reload();
    }
  }
}

test('a notebook, which keeps its prefix: a cell is run and its kernel writes into the project', async () => {
  const client = await server.user('scientist');
  const workspace = await client.createWorkspace({ type: 'notebook', name: 'Lab' });
  await client.start(workspace.id);
  const person = await visitor();
  const tree = await person.newPage();
  const waiting = unanswered(tree);
  await open(tree, client, workspace);
  await shown(tree, '#new-dropdown-button', waiting);
  await tree.locator('#new-dropdown-button').click();
  const [page] = await Promise.all([person.context.waitForEvent('page'), tree.locator('#kernel-python3 a').click()]);
  await page.locator('#kernel_indicator_icon.kernel_idle_icon').waitFor();
  await page.locator('.code_cell .CodeMirror').first().click();
  await page.keyboard.type("print(6 * 7, file=open('answer.txt', 'w')); 6 * 7");
  await page.keyboard.press('Shift+Enter');
  await page.locator('.output_result').getByText('42').waitFor();
  await eventuallyHolds(workspace, 'answer.txt', '42\n');
  await picture(page, '23-notebook');
  assert.deepEqual(person.failures, []);
  await person.leave();
});
