// The page at /, as a person finds their way on it.
import { userPassword } from '../../support/server.mjs';
import { Person } from './browser.mjs';

// The browser writes every answer from 400 on into the console; these are ours to expect.
export const noSession = /status of 401 .*\/api\/auth\/refresh/;
export const badLogin = /status of 401 .*\/api\/auth\/login/;
// The browser asks every origin for one; the test application has none.
export const noIcon = /status of 404 .*\/favicon\.ico/;
// The streams of events end with the session.
export const streamEnded = /ERR_CONNECTION_RESET .*(events|stream)\)/;

export const button = (within, name) => within.getByRole('button', { name, exact: true });
export const link = (within, name) => within.getByRole('link', { name, exact: true });
export const card = (page, name) => page.getByRole('article', { name, exact: true });
export const row = (page, list, name) => page.locator(`#${list} > li`).filter({ has: page.getByRole('heading', { name, exact: true }) });
export const outcome = (page, text) => page.getByRole('complementary', { name: 'Outcomes' }).getByText(text);
export const state = (page, name, text) => card(page, name).locator('[data-state]', { hasText: text }).waitFor();
export const title = (page, name) => page.getByRole('heading', { level: 1, name, exact: true });

export async function signIn(page, email, password = userPassword) {
  await page.getByRole('textbox', { name: 'Email' }).fill(email);
  await page.getByRole('textbox', { name: 'Password' }).fill(password);
  await button(page, 'Sign in').click();
}

/** By the navigation, wherever the page is now. */
export async function goTo(page, place) {
  await link(page.getByRole('navigation', { name: 'Main' }), place).click();
  await title(page, place).waitFor();
}

/** An entry of somebody's menu: `choose(page, 'Sheets', 'Restart')`. */
export async function choose(page, name, entry) {
  await button(page, `More for ${name}`).click();
  await page.getByRole('menuitem', { name: entry, exact: true }).click();
}

/** Another project for a workspace. Its list has them once somebody is at it, which a driver is not by itself. */
export async function pick(within, label) {
  const list = within.getByLabel('Project', { exact: true });
  await list.focus();
  await list.selectOption({ label });
}

export async function signOut(page) {
  await button(page, 'Account menu').click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
}

export const signedIn = (page) => button(page, 'Account menu').waitFor();

/** A fresh account at the page, signed in: `{user, person, page}`; what the API client made before is there. */
export async function visit({ server, browser }, name, options, prepare = async () => {}) {
  const user = await server.user(name);
  const made = await prepare(user);
  const person = await Person.at(browser, options);
  person.expect(noSession, noIcon);
  const page = await person.newPage();
  await page.goto(server.api);
  await signIn(page, user.user.email);
  await title(page, 'Workspaces').waitFor();
  return { user, person, page, made };
}

export async function runningWorkspace(user, fields = {}) {
  const workspace = await user.createWorkspace({ name: 'Sheets', ...fields });
  await user.start(workspace.id);
  return workspace;
}
