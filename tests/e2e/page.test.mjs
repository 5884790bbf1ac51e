// The page at /, as a person uses it, with the small test application behind every type: signing in, the workspaces, the
// projects, the trash. What a workspace's own screen has is in workspace_page.test.mjs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { exchange } from '../support/api_client.mjs';
import { eventually } from '../support/eventually.mjs';
import { adminEmail, adminPassword, startServer, testType, userPassword } from '../support/server.mjs';
import { assertAccessible, openBrowser, patience, Person, picture } from './support/browser.mjs';
import { badLogin, button, card, choose, goTo, link, noIcon, noSession, outcome, pick, row, runningWorkspace, signedIn, signIn, signOut, state, streamEnded, title, visit } from './support/page.mjs';

const at = {};

before(async () => {
  at.server = await startServer({
    toml: testType('slow', { START_DELAY: 1500 }, 'name = "Slow"\ndescription = "Takes its time to start"') +
      testType('broken', { FAIL_START: 1 }, 'name = "Broken"\ndescription = "Ends at once"'),
  });
  at.browser = await openBrowser();
});
after(async () => {
  await at.browser?.close();
  await at.server?.close();
});

const twoTabs = /status of 409 .*\/api\/auth\/refresh/;
const sessionOver = /status of 401 /;

test('a first visit: from signing in to an open application', async () => {
  const { server } = at;
  const person = await Person.at(at.browser);
  person.expect(noSession, noIcon, badLogin);
  const page = await person.newPage();
  await page.goto(server.api);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await button(page, 'Create one').waitFor();
  await assertAccessible(page, 'the sign-in form');
  await picture(page, '01-sign-in');

  await button(page, 'Sign in').click();
  await page.getByText('Email is missing.').waitFor();
  await signIn(page, adminEmail, 'not the password');
  await page.getByRole('alert').getByText(/Request [\w-]+/).waitFor();
  await assertAccessible(page, 'a refused sign-in');
  await picture(page, '02-wrong-password');

  await signIn(page, adminEmail, adminPassword);
  await page.getByText('No workspace yet.').waitFor();
  await assertAccessible(page, 'the empty page');
  await picture(page, '03-empty');

  await button(page, 'Create your first workspace').click();
  const dialog = page.getByRole('dialog', { name: 'New workspace' });
  await dialog.getByText('Not available: this server has no image agentdb9/design:latest').waitFor();
  assert.equal(await dialog.getByRole('radio', { name: 'Design' }).isDisabled(), true);
  await dialog.getByText('Slow', { exact: true }).click();
  assert.equal(await dialog.getByRole('radio', { name: 'Slow' }).isChecked(), true);
  await dialog.getByRole('textbox', { name: 'Name' }).fill('Ledger');
  await assertAccessible(page, 'the form for a workspace');
  await picture(page, '04-new-workspace');
  await button(dialog, 'Create workspace').click();

  const ledger = card(page, 'Ledger');
  await state(page, 'Ledger', 'Waiting for the application');
  await ledger.getByRole('progressbar').waitFor();
  assert.equal(await button(ledger, 'Open').count(), 0);
  await assertAccessible(page, 'a workspace that starts');
  await picture(page, '05-starting');
  await state(page, 'Ledger', 'Running');
  await outcome(page, 'Ledger is running.').waitFor();
  await ledger.getByRole('img', { name: /^Memory: .* now$/ }).waitFor();
  await assertAccessible(page, 'a running workspace');
  await picture(page, '06-running');

  const [application] = await Promise.all([person.context.waitForEvent('page'), button(ledger, 'Open').click()]);
  await application.getByRole('heading', { name: 'testapp' }).waitFor();
  const url = new URL(application.url());
  assert.equal(url.origin, server.apps);
  assert.equal(url.search, '', 'the ticket is not left in the address');
  assert.equal(await application.evaluate(() => window.opener), null);
  assert.equal(await application.evaluate(() => document.referrer), '');
  assert.deepEqual(await page.evaluate(() => [document.cookie, localStorage.length, sessionStorage.length]), ['', 0, 0]);
  await goTo(page, 'Projects');
  await row(page, 'projects', 'Ledger').getByText('In use by Ledger').waitFor();
  await person.leave();
});

test('whoever has no account makes one, where the operator lets them', async () => {
  const person = await Person.at(at.browser);
  person.expect(noSession, /status of 400 .*register/);
  const page = await person.newPage();
  await page.goto(at.server.api);
  await button(page, 'Create one').click();
  await page.getByRole('textbox', { name: 'Email' }).fill('fresh@example.test');
  await page.getByRole('textbox', { name: 'User name' }).fill('Fresh');
  await page.getByRole('textbox', { name: 'Password' }).fill('short');
  await button(page, 'Create account').click();
  await page.getByRole('alert').getByText(/password/i).waitFor();
  await assertAccessible(page, 'the form for an account');
  await page.getByRole('textbox', { name: 'Password' }).fill(userPassword);
  await button(page, 'Create account').click();
  await page.getByText('No workspace yet.').waitFor();
  await person.leave();
  const closed = await startServer({ registration: 'closed' });
  try {
    const other = await Person.at(at.browser);
    other.expect(noSession);
    const entrance = await other.newPage();
    await entrance.goto(closed.api);
    await entrance.getByText('Accounts are made by your administrator.').waitFor();
    assert.equal(await button(entrance, 'Create one').count(), 0);
    await other.leave();
  } finally {
    await closed.close();
  }
});

test('a running workspace is switched to another project and back, stopped, restarted and started', async () => {
  const { user, person, page, made } = await visit(at, 'switch', {}, async (client) => {
    const first = await client.createProject({ name: 'First' });
    await client.createProject({ name: 'Second' });
    const workspace = await runningWorkspace(client, { projectId: first.id });
    await client.writeFile(workspace.id, 'first.txt', 'of the first');
    return workspace;
  });
  const sheets = card(page, 'Sheets');
  const project = sheets.getByLabel('Project');
  await state(page, 'Sheets', 'Running');

  // A key must not choose a project by accident.
  await project.focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Escape');
  assert.equal(await project.locator('option:checked').textContent(), 'First');

  await pick(sheets, 'Second');
  await outcome(page, 'Sheets works on Second now.').waitFor();
  assert.equal(await project.locator('option:checked').textContent(), 'Second');
  assert.deepEqual(await user.files(made.id), []);
  await picture(page, '07-switched');

  await pick(sheets, 'First');
  await outcome(page, 'Sheets works on First now.').waitFor();
  assert.equal(await user.readFile(made.id, 'first.txt'), 'of the first');

  const before = (await user.get(`/api/workspaces/${made.id}/status`)).expect(200).data.containerInfo.id;
  await choose(page, 'Sheets', 'Restart');
  await outcome(page, 'Sheets is running again.').waitFor();
  const restarted = (await user.get(`/api/workspaces/${made.id}/status`)).expect(200).data;
  assert.equal(restarted.containerRunning, true);
  assert.notEqual(restarted.containerInfo.id, before);

  // By keyboard: the focus is never lost with the button that it was on.
  await button(sheets, 'Stop').focus();
  await page.keyboard.press('Enter');
  await state(page, 'Sheets', 'Stopped');
  await outcome(page, 'Sheets has stopped.').waitFor();
  assert.equal((await user.get(`/api/workspaces/${made.id}/status`)).expect(200).data.containerRunning, false);
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Start');
  await picture(page, '08-stopped');
  await page.keyboard.press('Enter');
  await state(page, 'Sheets', 'Running');
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Open');
  assert.equal(await user.readFile(made.id, 'first.txt'), 'of the first');
  await goTo(page, 'Projects');
  await row(page, 'projects', 'Second').getByText('Not in use').waitFor();
  await person.leave();
});

test('a switch that is under way is taken back by choosing the project that it was', async () => {
  const { person, page, made } = await visit(at, 'back', {}, async (client) => {
    const first = await client.createProject({ name: 'First' });
    await client.createProject({ name: 'Second' });
    return { first, workspace: await runningWorkspace(client, { projectId: first.id }) };
  });
  person.expect(/net::ERR_FAILED .*switch-project/);
  const asked = [];
  let give;
  const held = new Promise((resolve) => (give = resolve));
  await page.route('**/switch-project', async (route) => {
    asked.push(route.request().postDataJSON().projectId);
    if (asked.length > 1) return route.continue();
    await held;
    return route.abort();
  });
  const sheets = card(page, 'Sheets');
  const chosen = () => sheets.getByLabel('Project').locator('option:checked').textContent();
  await pick(sheets, 'Second');
  await eventually('the new project to show', async () => (await chosen()) === 'Second');
  await pick(sheets, 'First');
  await eventually('the old project to be asked for', () => asked.length === 2);
  assert.equal(asked[1], made.first.id);
  assert.equal(await chosen(), 'First');
  give();
  await person.leave();
});

test('a workspace that is starting can be stopped, and says so at once', async () => {
  const { user, person, page, made } = await visit(at, 'stop', {}, (client) => client.createWorkspace({ type: 'slow', name: 'Snail' }));
  const snail = card(page, 'Snail');
  // Before the server's first answer: its route is held until the page has been looked at.
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await page.route('**/start', async (route) => {
    await held;
    await route.continue();
  });
  await button(snail, 'Start').click();
  await state(page, 'Snail', 'Waiting for its turn');
  release();
  await state(page, 'Snail', 'Waiting for the application');
  await button(snail, 'Stop').click();
  await state(page, 'Snail', 'Stopped');
  await outcome(page, 'Snail has stopped.').waitFor();
  assert.equal((await user.get(`/api/workspaces/${made.id}/status`)).expect(200).data.containerRunning, false);
  await person.leave();
});

test('a start that fails is told with the application’s words and the request’s id', async () => {
  const { user, person, page, made } = await visit(at, 'fail', {}, (client) => client.createWorkspace({ type: 'broken', name: 'Wreck' }));
  await button(card(page, 'Wreck'), 'Start').click();
  await state(page, 'Wreck', 'Failed');
  const told = page.getByRole('complementary', { name: 'Outcomes' });
  await told.getByText(/^Wreck could not be started: The application ended while it was being started\./).waitFor();
  const lastError = (await user.get(`/api/workspaces/${made.id}`)).expect(200).data.lastError;
  assert.ok((await told.textContent()).includes(lastError));
  assert.equal(await card(page, 'Wreck').locator('.problem').textContent(), lastError);
  assert.match(await told.textContent(), /Request [\w-]+/);
  await assertAccessible(page, 'a failed start');
  await picture(page, '09-failed');
  await button(told, 'Dismiss').click();
  await eventually('the message to go', async () => (await told.textContent()) === '');
  await button(card(page, 'Wreck'), 'Start').waitFor();
  await person.leave();
});

test('deleting a workspace keeps its project; a deleted project comes back from the trash', async () => {
  const { user, person, page, made } = await visit(at, 'trash', {}, async (client) => {
    const project = await client.createProject({ name: 'Novel' });
    const workspace = await runningWorkspace(client, { type: 'vscode', name: 'Desk', projectId: project.id });
    await client.writeFile(workspace.id, 'chapter.txt', 'It was a dark night.');
    return { project, workspace };
  });
  const confirm = page.getByRole('alertdialog');
  const novel = row(page, 'projects', 'Novel');
  // Used by a running workspace: it cannot be deleted, and says why.
  await goTo(page, 'Projects');
  await novel.getByText('In use by Desk').waitFor();
  await button(page, 'More for Novel').click();
  const entry = page.getByRole('menuitem', { name: /^Delete…/ });
  assert.equal(await entry.getAttribute('aria-disabled'), 'true');
  await entry.getByText('In use by Desk: stop that first.').waitFor();
  await entry.click({ force: true });
  assert.equal(await confirm.count(), 0);
  await page.keyboard.press('Escape');

  await goTo(page, 'Workspaces');
  await choose(page, 'Desk', 'Delete…');
  await confirm.getByText('The files of its project stay').waitFor();
  await assertAccessible(page, 'the question before a deletion');
  await picture(page, '10-confirm');
  await button(confirm, 'Cancel').click();
  await choose(page, 'Desk', 'Delete…');
  await button(confirm, 'Delete workspace').click();
  await outcome(page, 'Desk is deleted. The files of its project stay.').waitFor();
  await card(page, 'Desk').waitFor({ state: 'detached' });
  await goTo(page, 'Trash');
  await row(page, 'trash', 'Desk').getByText('Workspace with its settings').waitFor();

  await goTo(page, 'Projects');
  await novel.getByText('Not in use').waitFor();
  await choose(page, 'Novel', 'Delete…');
  await button(confirm, 'Delete project').click();
  await outcome(page, /^Novel is in the trash, where it can be restored until /).waitFor();
  await novel.waitFor({ state: 'detached' });
  await goTo(page, 'Trash');
  await row(page, 'trash', 'Novel').waitFor();
  await assertAccessible(page, 'the trash');
  await picture(page, '11-trash');

  await row(page, 'trash', 'Novel').getByRole('button', { name: 'Restore' }).click();
  await outcome(page, 'Novel is restored.').waitFor();
  await row(page, 'trash', 'Desk').getByRole('button', { name: 'Restore' }).click();
  await outcome(page, 'Desk is restored.').waitFor();
  await page.getByText('The trash is empty.').waitFor();
  await eventually('the title to have the focus of the last row', () => page.evaluate(() => document.activeElement.textContent === 'Trash'));
  await goTo(page, 'Projects');
  await novel.waitFor();
  await goTo(page, 'Workspaces');
  await button(card(page, 'Desk'), 'Start').click();
  await state(page, 'Desk', 'Running');
  const desk = (await user.get('/api/workspaces')).expect(200).data[0];
  if (desk.currentProjectId !== made.project.id) await pick(card(page, 'Desk'), 'Novel');
  await eventually('the file to be back', async () => (await user.readFile(desk.id, 'chapter.txt')) === 'It was a dark night.', { within: patience });

  // For good.
  await goTo(page, 'Projects');
  await button(page, 'New project').click();
  await page.getByRole('dialog', { name: 'New project' }).getByLabel('Name').fill('Draft');
  await page.keyboard.press('Enter');
  await outcome(page, 'Draft is created.').waitFor();
  const volume = (await user.get('/api/projects')).expect(200).data.find((each) => each.name === 'Draft').volumeName;
  assert.equal(await at.server.engine.volumeExists(volume), true);
  await choose(page, 'Draft', 'Delete…');
  await button(confirm, 'Delete project').click();
  await goTo(page, 'Trash');
  await row(page, 'trash', 'Draft').getByRole('button', { name: 'Delete for good' }).click();
  await button(confirm, 'Delete for good').click();
  await outcome(page, 'Draft is gone for good.').waitFor();
  await row(page, 'trash', 'Draft').waitFor({ state: 'detached' });
  assert.equal(await at.server.engine.volumeExists(volume), false);
  await person.leave();
});

test('the first workspace is the default until another is made it, and names are text whatever they hold', async () => {
  const name = '<img src=x onerror="document.title=1"> & “quotes”';
  const { person, page } = await visit(at, 'default', {}, async (client) => {
    await client.createWorkspace({ name: 'Old' });
    await client.createWorkspace({ name });
  });
  await card(page, 'Old').getByText('Default', { exact: true }).waitFor();
  await choose(page, name, 'Make default');
  await outcome(page, 'is the default now.').waitFor();
  await card(page, name).getByText('Default', { exact: true }).waitFor();
  await eventually('the default to stand first', async () => (await page.getByRole('article').first().getByRole('heading').textContent()) === name);
  assert.equal(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), `More for ${name}`, 'the focus stays at the workspace');
  assert.equal(await page.title(), 'AgentDB9 Workspaces');
  await person.leave();
});

test('what another client does shows by itself', async () => {
  const { user, person, page } = await visit(at, 'live');
  const workspace = await user.createWorkspace({ name: 'From elsewhere' });
  await card(page, 'From elsewhere').waitFor();
  await user.start(workspace.id);
  await state(page, 'From elsewhere', 'Running');
  (await user.put(`/api/workspaces/${workspace.id}`, { name: 'Renamed' })).expect(200);
  await state(page, 'Renamed', 'Running');
  (await user.delete(`/api/workspaces/${workspace.id}`)).expect(200);
  await page.getByText('No workspace yet.').waitFor();
  await goTo(page, 'Projects');
  const project = await user.createProject({ name: 'Made elsewhere' });
  await row(page, 'projects', 'Made elsewhere').waitFor();
  (await user.put(`/api/projects/${project.id}`, { name: 'Renamed elsewhere' })).expect(200);
  await row(page, 'projects', 'Renamed elsewhere').waitFor();
  (await user.delete(`/api/projects/${project.id}`)).expect(200);
  await row(page, 'projects', 'Renamed elsewhere').waitFor({ state: 'detached' });
  await person.leave();
});

test('the palette goes to what a few letters name, and does what can be done there', async () => {
  const { person, page, made } = await visit(at, 'palette', {}, (client) => client.createWorkspace({ name: 'Sheets' }));
  await page.keyboard.press('Control+k');
  const dialog = page.getByRole('dialog', { name: 'Go to or do' });
  await dialog.getByRole('option', { name: /^Start Sheets/ }).waitFor();
  await assertAccessible(page, 'the palette');
  await picture(page, '19-palette');
  await page.keyboard.type('sta she');
  assert.equal(await dialog.getByRole('option').count(), 1);
  await page.keyboard.press('Enter');
  await state(page, 'Sheets', 'Running');
  await page.keyboard.press('Control+k');
  await page.keyboard.type('sheets');
  await page.keyboard.press('Enter');
  await title(page, 'Sheets').waitFor();
  assert.equal(new URL(page.url()).pathname, `/workspaces/${made.id}`);
  await page.keyboard.press('Control+k');
  await page.keyboard.type('nothing at all');
  await dialog.getByText('Nothing has these words.').waitFor();
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await page.goBack();
  await title(page, 'Workspaces').waitFor();
  await person.leave();
});

test('a dialog keeps what was typed, stays while it is busy, and gives the focus back', async () => {
  const { person, page } = await visit(at, 'dialogs', {}, (client) => client.createProject({ name: 'Novel' }));
  person.expect(/net::ERR_FAILED .*\/api\/projects/);
  const focused = () => page.evaluate(() => document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent);
  const focusIs = (name) => eventually(`the focus to be at ${name}`, async () => (await focused()) === name);
  // What is asked for is refused once it is let go.
  const hold = async (method) => {
    let give;
    const held = new Promise((resolve) => (give = resolve));
    await page.route('**/api/projects**', async (route) => {
      if (route.request().method() !== method) return route.fallback();
      await held;
      return route.abort();
    });
    return () => { give(); return page.getByText(/^The server does not answer. Whether this was done/).waitFor(); };
  };
  await goTo(page, 'Projects');
  await row(page, 'projects', 'Novel').waitFor();
  await button(page, 'New project').click();
  const dialog = page.getByRole('dialog', { name: 'New project' });
  const question = page.getByRole('alertdialog');
  // Nothing is lost of an empty form.
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'detached' });
  await focusIs('New project');
  await page.keyboard.press('Enter');
  await dialog.getByLabel('Name').fill('A long thought');
  await page.mouse.click(5, 700);
  await page.keyboard.press('Control+k');
  assert.equal(await page.getByRole('dialog').count(), 1);
  await dialog.getByLabel('Name').press('Escape');
  await question.getByText('Discard what you typed?').waitFor();
  await assertAccessible(page, 'the question before what was typed is discarded');
  await button(question, 'Keep it').click();
  await focusIs('');
  await page.keyboard.press('Escape');
  await focusIs('Keep it');
  await page.keyboard.press('Escape');
  await question.waitFor({ state: 'detached' });
  assert.equal(await dialog.getByLabel('Name').inputValue(), 'A long thought');

  const refuse = await hold('POST');
  await button(dialog, 'Create project').click();
  await dialog.locator('form[aria-busy=true]').waitFor();
  await page.keyboard.press('Escape');
  for (const name of ['Close', 'Cancel']) {
    assert.equal(await button(dialog, name).getAttribute('aria-disabled'), 'true');
    await button(dialog, name).click({ force: true });
  }
  await refuse();
  assert.equal(await dialog.getByLabel('Name').inputValue(), 'A long thought');
  await dialog.getByLabel('Name').press('Escape');
  await button(question, 'Discard').click();
  await dialog.waitFor({ state: 'detached' });
  await focusIs('New project');

  await page.unrouteAll();
  await choose(page, 'Novel', 'Delete…');
  await button(question, 'Cancel').click();
  await focusIs('More for Novel');
  const refuseToDelete = await hold('DELETE');
  await choose(page, 'Novel', 'Delete…');
  await button(question, 'Delete project').click();
  await page.keyboard.press('Escape');
  await button(question, 'Cancel').click({ force: true });
  await refuseToDelete();
  assert.equal(await question.count(), 1, 'its failure is told in it');
  await button(question, 'Cancel').click();
  await focusIs('More for Novel');
  await page.keyboard.press('Control+k');
  await page.getByRole('dialog', { name: 'Go to or do' }).waitFor();
  await page.keyboard.press('Escape');
  await focusIs('More for Novel');
  await person.leave();
});

test('whoever signs in in another tab finds nothing of whoever was there', async () => {
  const { person, page } = await visit(at, 'one');
  person.expect(twoTabs, sessionOver, streamEnded);
  const next = await at.server.user('next');
  await next.createWorkspace({ name: 'Of the next' });
  await page.goto(`${at.server.api}/account`);
  const profile = page.getByRole('region', { name: 'Profile' });
  await profile.getByLabel('First name').fill('typed by the one');
  const other = await person.newPage();
  await other.goto(at.server.api);
  await signedIn(other);
  await other.evaluate(async ([email, password]) => {
    const { ok } = await fetch('/api/auth/login', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ email, password, cookie: true }) });
    if (!ok) throw new Error('not signed in');
    new BroadcastChannel('agentdb9.session').postMessage('begin');
  }, [next.user.email, userPassword]);
  await eventually('the other’s address', async () => (await profile.getByLabel('Email').inputValue().catch(() => '')) === next.user.email);
  assert.equal(await profile.getByLabel('First name').inputValue(), '');
  await card(other, 'Of the next').waitFor();
  await person.leave();
});

test('reloading keeps the session, also in the middle of its renewal and in two tabs at once', async () => {
  const { person, page } = await visit(at, 'reload');
  person.expect(twoTabs, /net::ERR_ABORTED/);
  await page.reload();
  await signedIn(page);
  for (let round = 0; round < 5; ++round) {
    await Promise.all([page.waitForRequest('**/api/auth/refresh'), page.reload({ waitUntil: 'commit' })]);
  }
  await signedIn(page);
  const tabs = await Promise.all([person.newPage(), person.newPage(), person.newPage()]);
  await Promise.all(tabs.map((tab) => tab.goto(at.server.api)));
  await Promise.all(tabs.map(signedIn));
  await person.leave();
});

test('signing out in one tab ends the others and closes the application’s sockets', async () => {
  const { server } = at;
  const { person, page, made } = await visit(at, 'leave', {}, runningWorkspace);
  person.expect(sessionOver, streamEnded);
  const other = await person.newPage();
  await other.goto(server.api);
  await signedIn(other);
  const [application] = await Promise.all([person.context.waitForEvent('page'), button(card(page, 'Sheets'), 'Open').click()]);
  await application.getByRole('heading', { name: 'testapp' }).waitFor();
  await application.evaluate(() => new Promise((resolve, reject) => {
    const socket = new WebSocket(`${location.href.replace(/^http/, 'ws')}echo`);
    socket.onopen = resolve;
    socket.onerror = reject;
    window.ended = new Promise((end) => (socket.onclose = ({ code }) => end(code)));
  }));
  await signOut(other);
  await other.getByRole('heading', { name: 'Sign in' }).waitFor();
  await page.getByText('You signed out in another tab.').waitFor();
  assert.equal(await application.evaluate(() => window.ended), 1008);
  const again = await application.reload();
  assert.equal(again.status(), 401);
  await picture(application, '12-application-after-sign-out');
  await page.reload();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  assert.equal((await exchange(server.api, 'GET', `/api/workspaces/${made.id}`)).status, 401);
  await person.leave();
});

test('another user’s workspace is as good as not there', async () => {
  const { server } = at;
  const owner = await server.user('owner');
  const theirs = await runningWorkspace(owner, { name: 'Secret' });
  const { user, person, page } = await visit(at, 'stranger', {}, runningWorkspace);
  person.expect(/status of 40[14] /);
  const [application] = await Promise.all([person.context.waitForEvent('page'), button(card(page, 'Sheets'), 'Open').click()]);
  await application.getByRole('heading', { name: 'testapp' }).waitFor();
  assert.equal(await page.getByText('Secret').count(), 0);
  for (const url of [`${server.apps}/${theirs.id}/8080/`, `${server.api}/workspace-proxy/${theirs.id}/`, `${server.api}/api/workspaces/${theirs.id}/proxy/`]) {
    const answer = await application.goto(url);
    assert.equal(answer.status(), 401, url);
    await application.getByRole('heading', { name: /^Sign in on the server's own page/ }).waitFor();
  }
  await assertAccessible(application, 'the page that says where to sign in');
  await picture(application, '13-another-users-workspace');
  assert.equal((await user.post(`/api/workspaces/${theirs.id}/proxy-ticket`, {})).status, 404);
  // Nor has the page a screen for it, whichever part is asked for.
  for (const part of ['', '/logs', '/settings']) {
    await page.goto(`${server.api}/workspaces/${theirs.id}${part}`);
    await page.getByText('There is no such workspace of yours.').waitFor();
  }
  const project = (await owner.get('/api/projects')).expect(200).data[0];
  await page.goto(`${server.api}/projects/${project.id}/backups`);
  await page.getByText('There is no such project of yours.').waitFor();
  await page.goto(`${server.api}/admin`);
  await page.getByText('Only administrators see this screen.').waitFor();
  await assertAccessible(page, 'a screen that is not there');
  await person.leave();
});

test('a lost connection is shown and heals by itself', async () => {
  const own = await startServer();
  try {
    const user = await own.user('patient');
    await user.createWorkspace({ name: 'Sheets' });
    const person = await Person.at(at.browser);
    person.expect(noSession, /net::ERR_/);
    const page = await person.newPage();
    await page.goto(own.api);
    await signIn(page, user.user.email);
    await card(page, 'Sheets').waitFor();
    await own.kill();
    await page.getByText('The server does not answer. Trying again…').waitFor();
    await button(card(page, 'Sheets'), 'Start').click();
    await outcome(page, /^Sheets could not be started: The server does not answer/).waitFor();
    await picture(page, '14-connection-lost');
    await own.start();
    await page.getByText('The server does not answer. Trying again…').waitFor({ state: 'hidden' });
    await button(card(page, 'Sheets'), 'Start').click();
    await state(page, 'Sheets', 'Running');
    // Also a page that is opened while the server is away.
    await own.kill();
    const other = await person.newPage();
    await page.getByText('The server does not answer. Trying again…').waitFor();
    await own.start();
    await other.goto(own.api);
    await state(other, 'Sheets', 'Running');
    await person.leave();
  } finally {
    await own.close();
  }
});

test('the password is changed, and the old one is worth nothing', async () => {
  const { user, person, page } = await visit(at, 'change');
  person.expect(badLogin, streamEnded, /status of 400 .*change-password/);
  await button(page, 'Account menu').click();
  await page.getByRole('menuitem', { name: 'Account' }).waitFor();
  await assertAccessible(page, 'an open menu');
  await page.getByRole('menuitem', { name: 'Account' }).click();
  await title(page, 'Account').waitFor();
  const form = page.getByRole('region', { name: 'Password' });
  await form.getByLabel('Current password').fill('a guess');
  await form.getByLabel('New password').fill('a better one, long');
  await button(form, 'Change password').click();
  await form.getByText('The current password is wrong.').waitFor();
  await form.getByText(/Request [\w-]+/).waitFor();
  await assertAccessible(page, 'the account');
  await picture(page, '15-account');
  await form.getByLabel('Current password').fill(userPassword);
  await button(form, 'Change password').click();
  await outcome(page, 'The password is changed.').waitFor();
  await page.reload();
  await title(page, 'Account').waitFor();
  await signOut(page);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await signIn(page, user.user.email);
  await page.getByText(/Request [\w-]+/).waitFor();
  await signIn(page, user.user.email, 'a better one, long');
  await signedIn(page);
  await person.leave();
});

test('the page is good in the dark, on a narrow screen and with large text', async () => {
  const prepare = async (client) => {
    await client.createProject({ name: 'A project with a rather long name, as people give them' });
    await client.createWorkspace({ type: 'notebook', name: 'Experiments of the spring and the summer' });
    await runningWorkspace(client);
    await client.delete(`/api/projects/${(await client.createProject({ name: 'Gone' })).id}`);
  };
  for (const [name, options] of [
    ['16-dark', { colorScheme: 'dark' }],
    ['17-narrow', { viewport: { width: 340, height: 700 }, hasTouch: true }],
    ['18-narrow-dark', { viewport: { width: 340, height: 700 }, colorScheme: 'dark', reducedMotion: 'reduce' }],
  ]) {
    const { person, page } = await visit(at, 'eyes', options, prepare);
    await state(page, 'Sheets', 'Running');
    const fits = async (what) => {
      const [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(wide <= seen, `${what}: nothing stands out of a screen ${seen} wide: ${wide}`);
    };
    await fits(name);
    await assertAccessible(page, name);
    await picture(page, name);
    await button(page, 'New workspace').click();
    await page.getByRole('dialog', { name: 'New workspace' }).getByRole('radio').first().waitFor({ state: 'attached' });
    await assertAccessible(page, `${name}, the form for a workspace`);
    await picture(page, `${name}-form`);
    await page.keyboard.press('Escape');
    for (const place of ['Projects', 'Trash']) {
      if (options.viewport) {
        await button(page, 'Main menu').click();
        await page.getByRole('menuitem', { name: place }).click();
        await title(page, place).waitFor();
      } else {
        await goTo(page, place);
      }
      await page.getByRole('listitem').first().waitFor();
      await fits(place);
      await assertAccessible(page, `${name}, ${place}`);
      await picture(page, `${name}-${place.toLowerCase()}`);
    }
    await person.leave();
  }
});

test('dark and light can be chosen, and stay so', async () => {
  const { person, page } = await visit(at, 'colours');
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await ground();
  await button(page, 'Account menu').click();
  await page.getByRole('menuitem', { name: 'Dark colours' }).click();
  await eventually('the page to be dark', async () => (await ground()) !== light);
  const dark = await ground();
  await page.reload();
  await signedIn(page);
  assert.equal(await ground(), dark);
  await button(page, 'Account menu').click();
  await page.getByRole('menuitem', { name: 'Colours of the system' }).click();
  await eventually('the page to be light', async () => (await ground()) === light);
  await person.leave();
});

test('the page’s files cannot be framed, mixed with scripts from elsewhere or be old', async () => {
  const { server } = at;
  const html = (await exchange(server.api, 'GET', '/')).expect(200).text;
  const assets = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path);
  assert.ok(assets.some((each) => each.endsWith('.js')) && assets.some((each) => each.endsWith('.css')));
  for (const path of ['/', '/theme.js', '/favicon.svg', ...assets]) {
    const { headers, text } = (await exchange(server.api, 'GET', path)).expect(200);
    const type = path === '/' ? 'text/html' : { js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml' }[path.split('.').pop()];
    assert.equal(headers['content-type'].split(';')[0], type, path);
    for (const word of ["default-src 'none'", "script-src 'self';", "style-src 'self';", `frame-src ${server.apps};`, "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"]) {
      assert.ok(headers['content-security-policy'].includes(word), `${path}: ${word}`);
    }
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
    assert.equal(headers['cache-control'], assets.includes(path) ? 'public, max-age=31536000, immutable' : 'no-cache');
    assert.equal(headers.vary, 'Accept-Encoding');
    if (type === 'text/html') assert.doesNotMatch(text, /\sstyle=|\son\w+=|<style|<script(?! (?:type="module" crossorigin )?src=)/);
    const again = await exchange(server.api, 'GET', path, { headers: { 'If-None-Match': headers.etag } });
    assert.deepEqual([again.status, again.text], [304, '']);
    (await exchange(server.api, 'GET', path, { headers: { 'If-None-Match': '"another"' } })).expect(200);
    const head = (await exchange(server.api, 'HEAD', path)).expect(200);
    assert.equal(Number(head.headers['content-length']), Buffer.byteLength(text));
  }
});

test('the page’s own addresses are the page’s for a browser, and nothing for a program', async () => {
  const { server } = at;
  const html = (await exchange(server.api, 'GET', '/')).expect(200).text;
  const get = (path, Accept) => exchange(server.api, 'GET', path, { headers: { Accept } });
  const browser = 'text/html,application/xhtml+xml,*/*;q=0.8';
  for (const path of ['/workspaces', '/workspaces/x/logs', '/projects/x', '/trash', '/account', '/admin/quotas']) {
    assert.equal((await get(path, browser)).expect(200).text, html, path);
    (await get(path, '*/*')).expect(404, 'not_found');
  }
  for (const path of ['/nothing', '/assets/nothing.js', '/api/nothing', '/workspaces/a/b/c']) (await get(path, browser)).expect(404, 'not_found');
  assert.equal((await get('/healthz', browser)).expect(200).headers['content-type'].split(';')[0], 'application/json');
});
