// A workspace's own screen, a project's and the account's, as a person uses them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';

import { withAppsDomain } from '../support/application_hosts.mjs';
import { exchange } from '../support/api_client.mjs';
import { eventually } from '../support/eventually.mjs';
import { startServer } from '../support/server.mjs';
import { assertAccessible, openBrowser, patience, Person, picture } from './support/browser.mjs';
import { button, card, choose, goTo, link, noIcon, outcome, pick, row, runningWorkspace, state, title, visit } from './support/page.mjs';

const at = {};
before(async () => {
  at.server = await startServer();
  at.browser = await openBrowser();
});
after(async () => {
  await at.browser?.close();
  await at.server?.close();
});

const part = async (page, name) => {
  await link(page.getByRole('navigation', { name: 'Parts of the workspace' }), name).click();
  await page.getByRole('navigation', { name: 'Parts of the workspace' }).locator('[aria-current=page]', { hasText: name }).waitFor();
};
async function fits(page, what) {
  const [wide, seen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(wide <= seen, `${what}: nothing stands out of a screen ${seen} wide: ${wide}`);
}
const region = (page, name) => page.getByRole('region', { name, exact: true });
const run = (workspace, command) => execFileSync('docker', ['exec', `agentdb9-workspace-${workspace.id}`, 'sh', '-c', command], { encoding: 'utf8' });
const prints = (workspace, text) => run(workspace, `echo '${text}' > /proc/1/fd/1`);

/** Somebody on the screen of a workspace that runs. */
async function atWorkspace(name, options, fields) {
  const there = await visit(at, name, options, (client) => runningWorkspace(client, fields));
  await link(card(there.page, there.made.name), there.made.name).click();
  await title(there.page, there.made.name).waitFor();
  return there;
}

test('its overview says what it uses, how it is and what happened; its name leads there', async () => {
  const { person, page, made } = await atWorkspace('overview');
  assert.equal(new URL(page.url()).pathname, `/workspaces/${made.id}`);
  await page.getByRole('img', { name: /^Memory: .+ now, of / }).waitFor();
  await region(page, 'Health').getByText('It answers.').waitFor();
  await region(page, 'What happened').getByText('Started').waitFor();
  await assertAccessible(page, 'the overview');
  await picture(page, '30-overview');
  // What happens meanwhile shows without anybody asking.
  await choose(page, 'Sheets', 'Restart');
  await region(page, 'What happened').getByText('Restarted').waitFor();
  await part(page, 'History');
  await page.getByText('Restart requested').waitFor();
  await assertAccessible(page, 'the history');
  await picture(page, '31-history');
  await person.leave();
});

test('its application shows in a frame of its own origin, which cannot lead the page elsewhere, and follows a switch', async () => {
  const { user, person, page, made } = await atWorkspace('frame');
  await part(page, 'Application');
  const frame = page.frameLocator('iframe');
  await frame.getByRole('heading', { name: 'testapp' }).waitFor();
  const inside = () => page.frames().find((each) => each.url().startsWith(at.server.apps));
  assert.equal(new URL(inside().url()).origin, at.server.apps);
  await assertAccessible(page, 'the application in its frame');
  await picture(page, '32-application');
  person.expect(/Unsafe attempt to initiate navigation/, /Failed to set a named property 'href'|does not have permission to navigate/);
  await inside().evaluate(() => { try { top.location.href = 'about:blank'; } catch { /* refused at once */ } });
  await title(page, 'Sheets').waitFor();
  const other = await user.createProject({ name: 'Other' });
  const first = await inside().evaluate(() => performance.timeOrigin);
  await pick(page.getByRole('main'), 'Other');
  await outcome(page, 'Sheets works on Other now.').waitFor();
  await eventually('the frame to be loaded anew', async () => {
    const now = await inside()?.evaluate(() => performance.timeOrigin).catch(() => undefined);
    return now !== undefined && now !== first;
  }, { within: patience });
  assert.equal((await user.get(`/api/workspaces/${made.id}`)).expect(200).data.currentProjectId, other.id);
  await button(page, 'Stop').click();
  await page.getByText('It is not running.').waitFor();
  assert.equal(await page.locator('iframe').count(), 0);
  await page.getByRole('main').getByRole('button', { name: 'Start' }).last().click();
  await frame.getByRole('heading', { name: 'testapp' }).waitFor();
  await person.leave();
});

test('its log comes as it is printed, is searched, paused and downloaded', async () => {
  const { person, page, made } = await atWorkspace('logs');
  await part(page, 'Logs');
  const log = page.getByRole('log');
  await log.getByText('Container 1: running').waitFor();
  prints(made, 'a first line');
  await log.getByText('a first line').waitFor();
  prints(made, 'another \u001b[31mred\u001b[0m line with <b>text</b>');
  await log.getByText('another red line with <b>text</b>').waitFor();
  await assertAccessible(page, 'the log');
  await picture(page, '33-logs');
  await page.getByRole('searchbox', { name: 'Search the log' }).fill('FIRST');
  await page.getByText('1 line found').waitFor();
  assert.equal(await log.getByText('another red line').count(), 0);
  await page.getByRole('searchbox', { name: 'Search the log' }).fill('');
  await button(page, 'Pause').click();
  prints(made, 'while it was paused');
  await page.getByText(/1 waiting/).waitFor();
  assert.equal(await log.getByText('while it was paused').count(), 0);
  await button(page, 'Go on').click();
  await log.getByText('while it was paused').waitFor();
  const [download] = await Promise.all([page.waitForEvent('download'), button(page, 'Download').click()]);
  assert.equal(download.suggestedFilename(), 'Sheets.log');
  assert.match(readFileSync(await download.path(), 'utf8'), /a first line[\s\S]*while it was paused/);
  await person.leave();
});

test('a terminal runs what is typed, in colours, and says how it ended', async () => {
  const { person, page, made } = await atWorkspace('terminal');
  await part(page, 'Terminal');
  await page.getByText('Connected.').waitFor();
  const screen = page.locator('.xterm-rows');
  await page.keyboard.type('echo one$((1+1))three > typed.txt; printf "\\033[38;2;255;100;0mcol%s\\033[0m\\n" oured\n');
  await screen.getByText('coloured').waitFor();
  assert.equal(run(made, 'cat /workspace/typed.txt'), 'one2three\n');
  assert.equal(await screen.getByText('coloured').evaluate((each) => getComputedStyle(each).color), 'rgb(255, 100, 0)');
  // Ctrl-K is the shell's here.
  await page.keyboard.press('Control+k');
  assert.equal(await page.getByRole('dialog').count(), 0);
  await assertAccessible(page, 'the terminal');
  await picture(page, '34-terminal');
  await page.keyboard.press('Control+F6');
  assert.equal(await page.evaluate(() => document.activeElement.id), 'main');
  await page.locator('.xterm').click();
  await page.keyboard.type('exit\n');
  await page.getByText('The shell has ended.').waitFor();
  await button(page, 'New terminal').click();
  await page.getByText('Connected.').waitFor();
  await page.keyboard.type('cat typed.txt\n');
  await screen.getByText('one2three').waitFor();
  // The shell goes on while somebody looks elsewhere on this screen.
  await page.keyboard.type('kept=$((40+2)); cat typed.txt typed.txt\n');
  await part(page, 'Logs');
  await part(page, 'Terminal');
  await page.locator('.xterm').click();
  await page.keyboard.type('echo it is still $kept\n');
  await screen.getByText('it is still 42').waitFor();
  // Leaving the screen ends it: nothing is left behind.
  await goTo(page, 'Workspaces');
  await eventually('the shells to be gone', () => !run(made, 'cat /proc/[0-9]*/environ 2>/dev/null | tr "\\0" "\\n"').includes('AGENTDB9_EXECUTION='), { within: patience });
  await person.leave();
});

test('a stop that is refused ends neither the shell nor the application', async () => {
  const { person, page } = await atWorkspace('refused');
  person.expect(/status of 409 .*\/stop/);
  let refuse;
  const held = new Promise((resolve) => (refuse = resolve));
  await page.route('**/stop', async (route) => {
    await held;
    await route.fulfill({ status: 409, json: { success: false, error: 'Not now.', code: 'conflict' } });
  });
  await part(page, 'Terminal');
  await page.getByText('Connected.').waitFor();
  await page.keyboard.type('kept=$((40+2))\n');
  await part(page, 'Application');
  const frame = page.frameLocator('iframe');
  await frame.getByRole('heading', { name: 'testapp' }).waitFor();
  await frame.locator('body').evaluate((body) => (body.dataset.kept = 'yes'));
  await button(page, 'Stop').click();
  await page.locator('[data-state]', { hasText: 'Stopping' }).waitFor();
  refuse();
  await outcome(page, 'Sheets could not be stopped: Not now.').waitFor();
  assert.equal(await frame.locator('body').evaluate((body) => body.dataset.kept), 'yes', 'it was not loaded anew');
  await part(page, 'Terminal');
  await page.locator('.xterm').click();
  await page.keyboard.type('echo it is still $kept\n');
  await page.locator('.xterm-rows').getByText('it is still 42').waitFor();
  await person.leave();
});

test('any port opens in a tab; sharing says what it needs', async () => {
  const { person, page } = await atWorkspace('ports');
  await part(page, 'Ports');
  await page.getByText('server.appsDomain').waitFor();
  await assertAccessible(page, 'the ports');
  const open = region(page, 'Open a port');
  await open.getByLabel('Port').fill('99999');
  await button(open, 'Open').click();
  await open.getByText('A port is a number from 1 to 65535.').waitFor();
  await open.getByLabel('Port').fill('8080');
  const [application] = await Promise.all([person.context.waitForEvent('page'), button(open, 'Open').click()]);
  await application.getByRole('heading', { name: 'testapp' }).waitFor();
  assert.equal(new URL(application.url()).origin, at.server.apps);
  await person.leave();
});

test('a port is shared, and taken back', async () => {
  const server = await startServer({ environment: withAppsDomain });
  try {
    const { person, page } = await visit({ server, browser: at.browser }, 'sharer', {}, runningWorkspace);
    await link(card(page, 'Sheets'), 'Sheets').click();
    await part(page, 'Ports');
    const sharing = region(page, 'Share a port');
    await sharing.getByLabel('With').selectOption({ label: 'Whoever has the link' });
    await button(sharing, 'Share').click();
    await sharing.getByText('Port 8080').waitFor();
    await fits(page, 'a long address');
    await assertAccessible(page, 'a shared port');
    await picture(page, '35-shared');
    const address = await sharing.locator('li p.truncate').textContent();
    const stranger = await Person.at(at.browser);
    stranger.expect(noIcon, /status of 40\d/);
    const tab = await stranger.newPage();
    await tab.goto(address);
    await tab.getByRole('heading', { name: 'testapp' }).waitFor();
    await button(sharing, 'Take back port 8080').click();
    await button(page.getByRole('alertdialog'), 'Take back').click();
    // While the question stands nothing behind it is found, whether it is there or not.
    await page.getByRole('alertdialog').waitFor({ state: 'detached' });
    await sharing.getByText('Port 8080').waitFor({ state: 'detached' });
    assert.notEqual((await tab.goto(address)).status(), 200);
    await stranger.leave();
    await person.leave();
  } finally {
    await server.close();
  }
});

test('its settings are changed, and say what is wrong', async () => {
  const { user, person, page, made } = await atWorkspace('settings');
  person.expect(/status of 400 /);
  const now = async () => (await user.get(`/api/workspaces/${made.id}`)).expect(200).data;
  await part(page, 'Settings');
  const general = region(page, 'General');
  await general.getByLabel('Name').fill('Figures');
  await general.getByLabel('Description').fill('Of the year');
  await button(general, 'Save').click();
  await outcome(page, 'The settings are saved.').waitFor();
  await title(page, 'Figures').waitFor();
  assert.deepEqual([(await now()).name, (await now()).description], ['Figures', 'Of the year']);

  const limits = region(page, 'Limits');
  await limits.getByLabel('Processor cores').fill('a lot');
  await button(limits, 'Save limits').click();
  await limits.getByText('“a lot” is not a number.').waitFor();
  await limits.getByLabel('Processor cores').fill('99');
  await button(limits, 'Save limits').click();
  await limits.getByText(/Request [\w-]+/).waitFor();
  await assertAccessible(page, 'refused limits');
  await limits.getByLabel('Processor cores').fill('0.5');
  await button(limits, 'Save limits').click();
  await outcome(page, 'The limits are saved.').waitFor();
  assert.equal((await now()).resourceLimits.cpus, 0.5);

  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Save limits', 'the focus stays where it was');
  // What another client sets meanwhile shows, and takes nothing of what is being typed.
  await limits.getByLabel('Memory in MB').fill('300');
  (await user.put(`/api/workspaces/${made.id}`, { resourceLimits: { pids: 77 } })).expect(200);
  await eventually('the other limit', async () => (await limits.getByLabel('Processes').inputValue()) === '77');
  assert.equal(await limits.getByLabel('Memory in MB').inputValue(), '300');
  await limits.getByLabel('Memory in MB').fill('');

  const idle = region(page, 'When nobody uses it');
  await idle.getByLabel('Stop it').selectOption({ label: 'After a time of its own' });
  await idle.getByLabel('Minutes without use').fill('45');
  await idle.getByLabel('Start it when its application is opened').check();
  await button(idle, 'Save').click();
  await idle.getByText('Now: after 45 minutes.').waitFor();
  assert.deepEqual([(await now()).idleStopMinutes, (await now()).wakeOnRequest], [45, true]);

  const schedule = region(page, 'Schedule');
  (await user.put(`/api/workspaces/${made.id}`, { schedule: { zone: 'UTC', rules: [{ days: ['sun'], start: '09:00' }] } })).expect(200);
  await eventually('the other’s schedule', async () => (await schedule.getByLabel('Start at').inputValue().catch(() => '')) === '09:00');
  (await user.put(`/api/workspaces/${made.id}`, { schedule: null })).expect(200);
  await schedule.getByText('None: it starts and stops').waitFor();
  await button(schedule, 'Add a rule').click();
  await button(schedule, 'Sat').click();
  await schedule.getByLabel('Stop at').fill('17:30');
  await assertAccessible(page, 'a schedule');
  await picture(page, '36-settings');
  await button(schedule, 'Save schedule').click();
  await outcome(page, 'The schedule is saved.').waitFor();
  assert.deepEqual((await now()).schedule, { zone: 'Europe/Berlin', rules: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat'], start: '08:00', stop: '17:30' }] });
  await button(schedule, 'Remove rule 1').click();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Add a rule');
  await button(schedule, 'Save schedule').click();
  await outcome(page, 'It has no schedule now.').waitFor();
  assert.equal((await now()).schedule, null);

  await part(page, 'Overview');
  await button(page, 'Keep it on for an hour').click();
  await region(page, 'When it stops').getByText(/^Kept on until /).waitFor();

  await part(page, 'Settings');
  await button(page, 'Stop at once').click();
  await button(page.getByRole('alertdialog'), 'Stop at once').click();
  await outcome(page, 'Figures has stopped.').waitFor();
  await button(page, 'Delete workspace…').click();
  await button(page.getByRole('alertdialog'), 'Delete workspace').click();
  await title(page, 'Workspaces').waitFor();
  await outcome(page, 'Figures is deleted. The files of its project stay.').waitFor();
  assert.deepEqual((await user.get('/api/workspaces')).expect(200).data, []);
  await person.leave();
});

test('a project’s files are looked at, backed up, restored, cloned, exported and imported', async () => {
  const { user, person, page, made } = await visit(at, 'files', {}, async (client) => {
    const project = await client.createProject({ name: 'Novel' });
    const workspace = await runningWorkspace(client, { projectId: project.id });
    await client.writeFile(workspace.id, 'chapter.txt', 'It was a dark night.');
    run(workspace, 'mkdir -p /workspace/notes/old && echo x > /workspace/notes/old/one.txt');
    return { project, workspace };
  });
  const streams = new Set();
  page.on('request', (request) => request.url().endsWith('/events') && streams.add(new URL(request.url()).pathname));
  await page.reload();
  await goTo(page, 'Projects');
  await link(page, 'Novel').click();
  await title(page, 'Novel').waitFor();
  await page.getByText('chapter.txt').waitFor();
  await assertAccessible(page, 'the files');
  await picture(page, '37-files');
  await button(page, 'notes').focus();
  await page.keyboard.press('Enter');
  await button(page, 'old').waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.textContent), 'notes', 'where one is has the focus of what was opened');
  await button(page, 'old').click();
  await page.getByText('one.txt').waitFor();
  await button(page, 'Up').click();
  await button(page, 'Files').click();
  const [file] = await Promise.all([page.waitForEvent('download'), button(page, 'Download chapter.txt').click()]);
  assert.equal(readFileSync(await file.path(), 'utf8'), 'It was a dark night.');

  await link(page, 'Backups').click();
  await page.getByText('No backup yet.').waitFor();
  await button(page, 'Back up now').click();
  await page.getByRole('dialog').getByLabel('Name').fill('Before the end');
  await page.keyboard.press('Enter');
  await outcome(page, 'The backup of Novel is made.').waitFor();
  await page.getByText('Before the end').first().waitFor();
  await assertAccessible(page, 'the backups');
  await picture(page, '38-backups');

  // In place only while nobody works on it; what was there goes to the trash.
  await user.writeFile(made.workspace.id, 'chapter.txt', 'changed');
  await button(page, 'More for Before the end').click();
  assert.equal(await page.getByRole('menuitem', { name: /^Restore…/ }).getAttribute('aria-disabled'), 'true');
  await page.keyboard.press('Escape');
  await user.stop(made.workspace.id);
  await page.getByText('Current project of Sheets').waitFor();
  await choose(page, 'Before the end', 'Restore…');
  await button(page.getByRole('alertdialog'), 'Restore').click();
  await outcome(page, 'The backup of Novel is restored.').waitFor();
  await user.start(made.workspace.id);
  assert.equal(await user.readFile(made.workspace.id, 'chapter.txt'), 'It was a dark night.');
  await choose(page, 'Before the end', 'Restore into a new project');
  await eventually('the new project', async () => (await user.get('/api/projects')).expect(200).data.some((each) => each.name === 'Novel, Before the end'), { within: patience });

  await choose(page, 'Novel', 'Clone');
  await outcome(page, 'The copy of Novel is made.').waitFor();
  const [archive] = await Promise.all([page.waitForEvent('download'), choose(page, 'Novel', 'Export')]);
  assert.equal(archive.suggestedFilename(), 'Novel.tar.zst');
  const path = await archive.path();
  await goTo(page, 'Projects');
  await row(page, 'projects', 'Copy of Novel').waitFor();
  await button(page, 'Import').click();
  const dialog = page.getByRole('dialog', { name: 'Import a project' });
  await dialog.getByLabel('Archive').setInputFiles({ name: 'Novel again.tar.zst', mimeType: 'application/zstd', buffer: readFileSync(path) });
  assert.equal(await dialog.getByLabel('Name').inputValue(), 'Novel again');
  await assertAccessible(page, 'the import');
  await button(dialog, 'Import').click();
  await title(page, 'Novel again').waitFor();
  await page.getByText('chapter.txt').waitFor();

  await link(page, 'About').click();
  await button(page, 'Measure').click();
  await page.getByText(/ in \d+ files/).waitFor();
  await page.getByLabel('Workspace', { exact: true }).selectOption({ label: 'Sheets' });
  await outcome(page, 'Novel again is assigned to Sheets.').waitFor();
  const about = region(page, 'General');
  await about.getByLabel('Name').fill('The second');
  await button(about, 'Save').click();
  await title(page, 'The second').waitFor();
  await assertAccessible(page, 'about a project');
  await picture(page, '39-about-project');
  assert.deepEqual([...streams], ['/api/workspaces/events'], 'one stream tells this tab of everything');
  await person.leave();
});

test('an account’s profile and tokens', async () => {
  const { user, person, page } = await visit(at, 'profile');
  person.expect(/status of 40\d /);
  await button(page, 'Account menu').click();
  await page.getByRole('menuitem', { name: 'Account' }).click();
  const profile = region(page, 'Profile');
  await profile.getByLabel('First name').fill('Ada');
  await profile.getByLabel('User name').fill('ada-l');
  await button(profile, 'Save profile').click();
  await outcome(page, 'The profile is saved.').waitFor();
  const now = (await user.get('/api/auth/profile')).expect(200).data;
  assert.deepEqual([now.firstName, now.username, now.email], ['Ada', 'ada-l', user.user.email]);

  await button(page, 'New token').click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('nightly');
  await button(dialog, 'Create token').click();
  await dialog.getByText('Copy it now: it is shown this once.').waitFor();
  const token = await dialog.locator('code').textContent();
  await assertAccessible(page, 'a new token');
  await picture(page, '40-token');
  const ask = () => exchange(at.server.api, 'GET', '/api/workspaces', { headers: { Authorization: `Bearer ${token}` } });
  (await ask()).expect(200);
  // It is shown once: neither Escape nor a message that is put away beside it takes it.
  await page.evaluate(() => { navigator.clipboard.writeText = () => Promise.reject(new Error('refused')); });
  await button(dialog, 'Copy the token').click();
  await button(page.getByRole('complementary', { name: 'Outcomes' }), 'Dismiss').last().click();
  await page.keyboard.press('Escape');
  assert.equal(await dialog.locator('code').textContent(), token);
  await button(dialog, 'Done').click();
  await region(page, 'API tokens').getByText('nightly').waitFor();
  assert.equal(await page.getByText(token).count(), 0);
  await button(page, 'Revoke: nightly').click();
  await button(page.getByRole('alertdialog'), 'Revoke token').click();
  await outcome(page, 'The token nightly is revoked.').waitFor();
  assert.equal((await ask()).status, 401);
  await person.leave();
});

test('a workspace’s screen is good in the dark and on a narrow screen', async () => {
  for (const [name, options] of [['43-dark', { colorScheme: 'dark' }], ['44-narrow', { viewport: { width: 340, height: 700 }, hasTouch: true }]]) {
    const { person, page } = await atWorkspace('eyes', options);
    for (const each of ['Overview', 'Application', 'Logs', 'Terminal', 'Ports', 'History', 'Settings']) {
      await part(page, each);
      if (each === 'Application') await page.frameLocator('iframe').getByRole('heading', { name: 'testapp' }).waitFor();
      if (each === 'Terminal') await page.getByText('Connected.').waitFor();
      if (each === 'Settings') await region(page, 'Limits').waitFor();
      await fits(page, each);
      await assertAccessible(page, `${name}, ${each}`);
      await picture(page, `${name}-${each.toLowerCase()}`);
    }
    await person.leave();
  }
});
