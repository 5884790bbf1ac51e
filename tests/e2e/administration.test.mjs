// The administration, and what somebody's own account holds beside the profile: as a person uses them.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { exchange } from '../support/api_client.mjs';
import { on } from '../support/command.mjs';
import { EngineProxy } from '../support/engine_proxy.mjs';
import { eventually } from '../support/eventually.mjs';
import { adminEmail, adminPassword, startServer, testType, userPassword } from '../support/server.mjs';
import { assertAccessible, openBrowser, Person, picture } from './support/browser.mjs';
import { badLogin, button, goTo, link, noIcon, noSession, outcome, runningWorkspace, signedIn, signIn, streamEnded, title, visit } from './support/page.mjs';

const at = {};
before(async () => {
  at.engine = await new EngineProxy().open();
  at.server = await startServer({ environment: { DOCKER_HOST: at.engine.host }, toml: testType('failing', { FAIL_START: 1 }) });
  at.browser = await openBrowser();
});
after(async () => {
  await at.browser?.close();
  await at.server?.close();
  await at.engine?.remove();
});

const region = (page, name) => page.getByRole('region', { name, exact: true });
const table = (page, name) => page.getByRole('table', { name, exact: true });
const rowOf = (page, name, text) => table(page, name).getByRole('row').filter({ hasText: text });
const question = (page) => page.getByRole('alertdialog');
const agree = (page, verb) => button(question(page), verb).click();
const asked = async (page, ofWhom, entry, verb) => {
  await button(page, `More for ${ofWhom}`).click();
  await page.getByRole('menuitem', { name: entry }).click();
  await agree(page, verb);
};
async function fits(page, what) {
  const [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= seen, `${what}: nothing stands out of a screen ${seen} wide: ${wide}`);
}

async function administrator(options) {
  const person = await Person.at(at.browser, options);
  person.expect(noSession, noIcon);
  const page = await person.newPage();
  await page.goto(at.server.api);
  await signIn(page, adminEmail, adminPassword);
  await title(page, 'Workspaces').waitFor();
  return { person, page };
}
async function part(page, name) {
  const parts = page.getByRole('navigation', { name: 'Parts of the administration' });
  await link(parts, name).click();
  await parts.locator('[aria-current=page]', { hasText: name }).waitFor();
}

test('the overview tells what there is and what failed, and goes on telling while the engine is away', async () => {
  const user = await at.server.user('seen');
  const broken = await user.createWorkspace({ type: 'failing', name: 'Crumbling' });
  assert.ok((await user.post(`/api/workspaces/${broken.id}/start`, {})).status >= 400);
  const { person, page } = await administrator();
  await goTo(page, 'Administration');
  const failures = region(page, 'Latest failures');
  const failure = failures.getByRole('row').filter({ hasText: 'Start: Crumbling' });
  await failure.waitFor();
  assert.match(await failure.textContent(), new RegExp(user.user.email));
  const told = (await user.get(`/api/workspaces/${broken.id}/operations`)).expect(200).data[0];
  await failure.getByText(told.error).waitFor();
  await region(page, 'Capacity').getByText(/of the host’s \d+$/).waitFor();
  await region(page, 'Operations').getByRole('rowheader', { name: 'Start' }).waitFor();
  await assertAccessible(page, 'the overview');
  await picture(page, '60-overview');

  await at.engine.close();
  try {
    await button(page, 'Refresh').click();
    await page.getByText('The container engine does not answer.').waitFor();
    await region(page, 'Installation').getByText('Does not answer').waitFor();
    await failure.waitFor();
    await assertAccessible(page, 'the overview without an engine');
    await picture(page, '61-overview-without-engine');
  } finally {
    await at.engine.recover();
  }
  await eventually('the engine to be back on the page', async () => {
    await button(page, 'Refresh').click();
    return (await page.getByText('The container engine does not answer.').count()) === 0;
  });
  // From a number to what it counts.
  await region(page, 'Workspaces').getByRole('link', { name: 'failing', exact: true }).click();
  await rowOf(page, 'Workspaces', 'Crumbling').waitFor();
  await person.leave();
});

test('an account is made with a password that is shown once, and is changed, locked out and let in again', async () => {
  const { person, page } = await administrator();
  // The palette leads to each part.
  await page.keyboard.press('Control+k');
  await page.keyboard.type('users');
  await page.getByRole('option', { name: /^Users/ }).waitFor();
  await page.keyboard.press('Enter');
  await page.getByRole('navigation', { name: 'Parts of the administration' }).locator('[aria-current=page]', { hasText: 'Users' }).waitFor();
  const email = `made-${Date.now()}@example.test`;
  await button(page, 'New user').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Email').fill(adminEmail);
  person.expect(/status of 409 .*\/api\/admin\/users/);
  await button(dialog, 'Create user').click();
  await dialog.getByRole('alert').getByText(/^Request /).waitFor();
  await assertAccessible(page, 'an account that is there already');
  await dialog.getByLabel('Email').fill(email);
  await button(dialog, 'Create user').click();
  await dialog.getByText('Copy it now: it is shown this once.').waitFor();
  const password = await dialog.locator('code').textContent();
  await assertAccessible(page, 'a one-time password');
  await picture(page, '62-one-time-password');
  await button(dialog, 'Done').click();
  await rowOf(page, 'Users', email).waitFor();
  assert.equal(await page.getByText(password).count(), 0);

  // It lets them in.
  const made = await Person.at(at.browser);
  made.expect(noSession, noIcon, badLogin, streamEnded, /status of 401 /);
  const theirs = await made.newPage();
  await theirs.goto(at.server.api);
  await signIn(theirs, email, password);
  await signedIn(theirs);
  assert.equal(await link(theirs, 'Administration').count(), 0);
  await theirs.goto(`${at.server.api}/admin/users`);
  await theirs.getByText('Only administrators see this screen.').waitFor();
  await assertAccessible(theirs, 'a screen for administrators');

  await page.getByRole('searchbox', { name: 'Search users' }).fill(email);
  await eventually('one account alone', async () => (await table(page, 'Users').getByRole('row').count()) === 2);
  await assertAccessible(page, 'the users');
  await picture(page, '63-users');
  await asked(page, email, 'Make an administrator', 'Make administrator');
  await outcome(page, `${email} is an administrator now.`).waitFor();
  await rowOf(page, 'Users', email).getByText('Administrator').waitFor();
  await theirs.reload();
  await part(theirs, 'Users');
  await rowOf(theirs, 'Users', email).waitFor();
  // It counts at once, on a screen that is open too.
  made.expect(/status of 403 .*\/api\/admin\//);
  await asked(page, email, 'Take administration away', 'Take it away');
  await outcome(page, `${email} is no administrator any more.`).waitFor();
  await button(theirs, 'Refresh').click();
  await theirs.getByRole('alert').getByText(/^The users could not be read anew: /).waitFor();
  await theirs.reload();
  await theirs.getByText('Only administrators see this screen.').waitFor();

  // A new password ends what the old one began.
  await asked(page, email, 'New one-time password', 'Make a password');
  await dialog.getByText('Copy it now: it is shown this once.').waitFor();
  const next = await dialog.locator('code').textContent();
  await button(dialog, 'Done').click();
  await theirs.reload();
  await signIn(theirs, email, password);
  await theirs.getByRole('alert').waitFor();
  await signIn(theirs, email, next);
  await signedIn(theirs);

  await asked(page, email, 'Disable the account', 'Disable account');
  await rowOf(page, 'Users', email).getByText('Disabled').waitFor();
  await theirs.reload();
  await theirs.getByRole('heading', { name: 'Sign in' }).waitFor();
  await asked(page, email, 'Enable the account', 'Enable account');
  await outcome(page, `${email} is enabled.`).waitFor();
  await signIn(theirs, email, next);
  await signedIn(theirs);
  await made.leave();

  // One's own account is another administrator's to take away.
  await page.getByRole('searchbox', { name: 'Search users' }).fill(adminEmail);
  await rowOf(page, 'Users', adminEmail).waitFor();
  await button(page, `More for ${adminEmail}`).click();
  for (const entry of [/^Disable the account/, /^Take administration away/]) {
    assert.equal(await page.getByRole('menuitem', { name: entry }).getAttribute('aria-disabled'), 'true');
  }
  await page.keyboard.press('Escape');
  await person.leave();
});

test('more accounts than fit on one page are shown as somebody asks', async () => {
  const many = 60;
  for (let made = 0; made < many; made += 4) await Promise.all(Array.from({ length: 4 }, (_, index) => at.server.user(`crowd-${made + index}`)));
  const last = await at.server.user('late');
  const { person, page } = await administrator();
  await page.goto(`${at.server.api}/admin/users`);
  await rowOf(page, 'Users', last.user.email).waitFor();
  await page.getByRole('searchbox', { name: 'Search users' }).fill('crowd-');
  const rows = async () => (await table(page, 'Users').getByRole('row').count()) - 1;
  await rowOf(page, 'Users', last.user.email).waitFor({ state: 'detached' });
  await eventually('the first fifty', async () => (await rows()) === 50);
  await button(page, 'Show more').click();
  await eventually('all of them', async () => (await rows()) === many);
  assert.equal(await button(page, 'Show more').count(), 0);
  const addresses = await table(page, 'Users').getByRole('link', { name: /crowd-/ }).allTextContents();
  assert.equal(new Set(addresses).size, many, 'each once');
  await person.leave();
});

test('a quota is set on the account’s page, and what was done is found in the audit log', async () => {
  const user = await at.server.user('watched');
  await user.createWorkspace({ name: 'Watched' });
  const { person, page } = await administrator();
  await goTo(page, 'Administration');
  await part(page, 'Users');
  await link(page, user.user.email).click();
  await page.getByRole('heading', { name: user.user.email }).waitFor();
  const own = region(page, 'For this user');
  await own.getByLabel('Workspaces').fill('1');
  await button(own, 'Save').click();
  await outcome(page, 'The quota is saved.').waitFor();
  await page.getByText('1 of 1').first().waitFor();
  await assertAccessible(page, 'an account');
  await picture(page, '64-user');
  assert.equal((await user.post('/api/workspaces', { type: 'spreadsheet' })).status, 403);

  await part(page, 'Audit');
  await page.getByLabel('Who').fill(user.user.email);
  await button(page, 'Search').click();
  await page.getByRole('cell', { name: /^POST \/api\/workspaces/ }).first().waitFor();
  await eventually('only this user’s rows', async () => (await page.getByRole('row').count()) >= 2 && (await page.locator('tbody tr').filter({ hasNotText: user.user.email }).count()) === 0);
  await assertAccessible(page, 'the audit log');
  await picture(page, '65-audit');

  person.expect(/status of 40[04] .*\/api\/admin\/users/);
  for (const nobody of ['00000000-0000-4000-8000-000000000000', 'nobody']) {
    await page.goto(`${at.server.api}/admin/users/${nobody}`);
    await page.getByText('There is no such account.').waitFor();
  }
  await person.leave();
});

test('somebody’s workspace is found and stopped, and there is no door into it', async () => {
  const user = await at.server.user('owner');
  const other = await at.server.user('neighbour');
  const workspace = await runningWorkspace(user, { name: 'Left running' });
  await other.createWorkspace({ name: 'Of the neighbour' });
  const { person, page } = await administrator();
  await page.goto(`${at.server.api}/admin/workspaces`);
  await rowOf(page, 'Workspaces', 'Of the neighbour').waitFor();
  await page.getByRole('searchbox', { name: 'Owner' }).fill('nobody has this');
  await button(page, 'Find').click();
  await page.getByRole('alert').getByText('No account has “nobody has this” in its address or name.').waitFor();
  await page.getByRole('searchbox', { name: 'Owner' }).fill(user.user.email);
  await button(page, 'Find').click();
  await eventually('this owner’s alone', async () => (await table(page, 'Workspaces').getByRole('row').count()) === 2);
  assert.match(page.url(), new RegExp(`user=${user.user.id}`));
  await page.reload();
  const mine = rowOf(page, 'Workspaces', 'Left running');
  await mine.waitFor();
  assert.equal(await rowOf(page, 'Workspaces', 'Of the neighbour').count(), 0);
  assert.equal(await page.locator(`a[href*="${workspace.id}"]`).count(), 0);
  await assertAccessible(page, 'everybody’s workspaces');
  await picture(page, '66-workspaces');
  await button(page, `Stop: Left running, of ${user.user.email}`).click();
  await agree(page, 'Stop workspace');
  await outcome(page, `Left running of ${user.user.email} has stopped.`).waitFor();
  await mine.getByText('Stopped').locator('visible=true').waitFor();
  assert.equal((await user.get(`/api/workspaces/${workspace.id}`)).expect(200).data.phase, 'stopped');
  await page.getByLabel('State').selectOption({ label: 'Archived' });
  await page.getByText('No workspace fits.').waitFor();
  await button(page, 'Show all').click();
  await rowOf(page, 'Workspaces', 'Of the neighbour').waitFor();
  await person.leave();
});

test('cleaning shows its duties, what it would do, and what it did', async () => {
  const { person, page } = await administrator();
  await goTo(page, 'Administration');
  await part(page, 'Cleaning');
  const duties = table(page, 'Duties');
  await duties.getByRole('row').filter({ hasText: 'Trash' }).getByText('Every hour').locator('visible=true').waitFor();
  assert.equal(await duties.getByRole('row').count(), 7);
  await table(page, 'Images').getByRole('row').filter({ hasText: 'agentdb9/testapp:local' }).getByText('On the engine').locator('visible=true').waitFor();
  await button(page, 'Preview').click();
  await region(page, 'Preview').waitFor();
  await assertAccessible(page, 'a preview of the cleaning');
  await picture(page, '67-cleaning');
  await button(page, 'Close').click();

  // With something to do: what a late call left of a workspace that is gone.
  const user = await at.server.user('gone');
  const workspace = await user.createWorkspace({ name: 'Gone' });
  (await user.delete(`/api/workspaces/${workspace.id}`)).expect(200);
  const left = await at.server.engine.createLeftOver(workspace.id);
  const name = (await at.server.engine.inspect(left)).Name.slice(1);
  await button(page, 'Preview').click();
  const preview = region(page, 'Preview').getByRole('listitem').filter({ hasText: name });
  await preview.getByText(/was deleted/).waitFor();
  await button(page, 'Clean up now').click();
  await assertAccessible(page, 'the question before a cleaning');
  await button(question(page), 'Cancel').click();
  assert.ok(await at.server.engine.inspect(left), 'a preview removes nothing');
  await button(page, 'Clean up now').click();
  await agree(page, 'Clean up');
  await outcome(page, 'Cleaned up: 1 done.').waitFor();
  await region(page, 'Cleaned up').getByRole('listitem').filter({ hasText: name }).getByText('Done', { exact: true }).waitFor();
  assert.equal(await at.server.engine.inspect(left), undefined);
  await duties.getByRole('row').filter({ hasText: 'Containers' }).getByText('1 done').locator('visible=true').waitFor();

  // A database that may be an old copy purges nothing until somebody has looked.
  at.server.query("INSERT INTO agentdb9_settings (name, value) VALUES ('purgePausedBecause', 'a test said so')");
  await button(page, 'Refresh').click();
  await page.getByText('Nothing is purged at present.').waitFor();
  await page.getByText('a test said so.').waitFor();
  await assertAccessible(page, 'a cleaning that waits');
  (await on(at.server, 'volumes', 'resume')).expect(0);
  await button(page, 'Refresh').click();
  await page.getByText('Nothing is purged at present.').waitFor({ state: 'detached' });

  await at.engine.close();
  try {
    await button(page, 'Refresh').click();
    await page.getByText('which of them are there is not known').waitFor();
  } finally {
    await at.engine.recover();
  }
  await person.leave();
});

test('sessions are listed, and ended one by one or all but this one', async () => {
  const { user, person, page } = await visit(at, 'traveller');
  const elsewhere = await Person.at(at.browser);
  elsewhere.expect(noSession, noIcon, streamEnded, /status of 401 /);
  const there = await elsewhere.newPage();
  await there.goto(at.server.api);
  await signIn(there, user.user.email);
  await signedIn(there);
  await page.goto(`${at.server.api}/account`);
  const sessions = region(page, 'Sessions');
  // This one, the other browser's, and the one of who made the account.
  await eventually('three sessions', async () => (await sessions.getByRole('listitem').count()) === 3);
  await sessions.getByRole('listitem').first().getByText('This one').waitFor();
  await assertAccessible(page, 'sessions');
  await picture(page, '68-sessions');
  await sessions.getByRole('listitem').filter({ hasText: 'on Linux' }).filter({ hasNotText: 'This one' }).getByRole('button').click();
  await agree(page, 'End session');
  await outcome(page, 'The session is ended.').waitFor();
  await there.reload();
  await there.getByRole('heading', { name: 'Sign in' }).waitFor();
  await button(sessions, 'End all others').click();
  await agree(page, 'End them');
  await outcome(page, '1 session ended.').waitFor();
  await sessions.getByText('You are signed in nowhere else.').waitFor();
  await page.reload();
  await signedIn(page);
  await elsewhere.leave();
  await person.leave();
});

test('a token is made for one workspace and to look only, and may no more', async () => {
  const { person, page, made: workspace, user } = await visit(at, 'careful', undefined, (client) => client.createWorkspace({ name: 'Sheets' }));
  const other = await user.createWorkspace({ name: 'Other' });
  await page.goto(`${at.server.api}/account`);
  await button(page, 'New token').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('watcher');
  await dialog.getByLabel('It may').selectOption({ label: 'Everything that you may' });
  await dialog.getByLabel('Workspaces').selectOption({ label: 'Sheets alone' });
  assert.deepEqual(await dialog.getByLabel('It may').locator('option').allTextContents(), ['Look only', 'Look, change, start and open']);
  await dialog.getByLabel('It may').selectOption({ label: 'Look only' });
  await assertAccessible(page, 'a token that is asked for');
  await picture(page, '69-token');
  await button(dialog, 'Create token').click();
  const token = await dialog.locator('code').textContent();
  await button(dialog, 'Done').click();
  await region(page, 'API tokens').getByText('May look only, in Sheets alone').waitFor();
  assert.equal(await page.getByText(token).count(), 0);
  const ask = async (method, path) => (await exchange(at.server.api, method, path, { headers: { Authorization: `Bearer ${token}` }, json: method === 'GET' ? undefined : {} })).status;
  assert.equal(await ask('GET', `/api/workspaces/${workspace.id}`), 200);
  assert.equal(await ask('POST', `/api/workspaces/${workspace.id}/start`), 403);
  assert.equal(await ask('GET', `/api/workspaces/${other.id}`), 403);
  await person.leave();
});

test('every part is good in the dark and on a narrow screen', async () => {
  for (const [name, options] of [['70-dark', { colorScheme: 'dark' }], ['71-narrow', { viewport: { width: 390, height: 844 }, hasTouch: true }]]) {
    const { person, page } = await administrator(options);
    for (const [path, ready] of [['/admin', () => region(page, 'Capacity')], ['/admin/users', () => table(page, 'Users')], ['/admin/workspaces', () => table(page, 'Workspaces')], ['/admin/cleaning', () => table(page, 'Images')], ['/account', () => region(page, 'Sessions').getByText('This one')]]) {
      await page.goto(at.server.api + path);
      await ready().waitFor();
      await fits(page, path);
      await assertAccessible(page, `${name}, ${path}`);
      await picture(page, `${name}-${path.split('/').at(-1)}`);
    }
    await person.leave();
  }
});
