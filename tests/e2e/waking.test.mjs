// A workspace that starts because somebody goes to its application: what they see until they are there.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { eventually } from '../support/eventually.mjs';
import { startServer, testType } from '../support/server.mjs';
import { assertAccessible, openBrowser, patience, Person, picture } from './support/browser.mjs';

let server;
let browser;

before(async () => {
  server = await startServer({ toml: testType('slow', { START_DELAY: 6000 }) + testType('failing', { FAIL_START: 1 }) });
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await server?.close();
});

// The browser writes every answer from 400 on into the console.
const notThere = /status of 503 /;
const noIcon = /status of 404 .*\/favicon\.ico/;

/** Somebody who has the application of a running workspace open: `{user, workspace, person, page, address}`. */
async function visit({ options, ...fields } = {}) {
  const user = await server.user();
  const workspace = await user.createWorkspace({ type: 'slow', name: 'Night desk', wakeOnRequest: true, ...fields });
  const person = await Person.at(browser, options);
  person.expect(noIcon, notThere);
  const page = await person.newPage();
  const ticket = (await user.post(`/api/workspaces/${workspace.id}/proxy-ticket`, {})).expect(201).data;
  return { user, workspace, person, page, ticket, address: `${server.apps}/${workspace.id}/8080/` };
}
const operations = async ({ user, workspace }) =>
  (await user.get(`/api/workspaces/${workspace.id}/operations`)).expect(200).data.map((each) => `${each.kind} ${each.state}`);
const status = async ({ user, workspace }) => (await user.get(`/api/workspaces/${workspace.id}`)).expect(200).data.status;

test('going to a stopped application leads through the page of its start into it', async () => {
  const visitor = await visit();
  const { user, workspace, person, page, ticket, address } = visitor;
  await user.start(workspace.id);
  await page.goto(ticket.url);
  await page.getByText('testapp').first().waitFor();
  assert.equal(page.url(), address);
  await user.stop(workspace.id);

  // What the page that is still open asks for does not undo the stop.
  person.expect(/WebSocket connection to/);
  const asked = await page.evaluate(async () => {
    const fetched = await fetch(location.href, { headers: { Accept: 'text/html' } });
    const socket = await new Promise((resolve) => {
      const one = new WebSocket(location.href.replace('http', 'ws') + 'ws');
      one.onopen = () => resolve('open');
      one.onclose = () => resolve('closed');
    });
    const image = await new Promise((resolve) => Object.assign(new Image(), { onload: () => resolve('there'), onerror: () => resolve('not there'), src: 'picture.png' }));
    const frame = await new Promise((resolve) => {
      const one = document.createElement('iframe');
      one.onload = () => resolve(one.contentDocument?.body.textContent);
      one.src = location.href;
      document.body.append(one);
    });
    return { fetched: fetched.status, socket, image, frame };
  });
  assert.equal(asked.fetched, 503);
  assert.equal(asked.socket, 'closed');
  assert.equal(asked.image, 'not there');
  assert.match(asked.frame, /workspace_not_running/);
  assert.equal(await status(visitor), 'stopped');
  assert.deepEqual(await operations(visitor), ['stop succeeded', 'start succeeded']);

  await page.goto(`${address}?color=blue#top`);
  await page.getByRole('heading', { name: 'Starting Night desk' }).waitFor();
  await page.getByRole('status').waitFor();
  await page.getByRole('progressbar', { name: 'Progress of the start' }).waitFor();
  await assertAccessible(page, 'the page of a start');
  await picture(page, 'waking');
  await page.getByText('testapp').first().waitFor();
  assert.equal(page.url(), `${address}?color=blue#top`);
  assert.deepEqual(await operations(visitor), ['start succeeded', 'stop succeeded', 'start succeeded']);
  await person.leave();
});

test('a fresh ticket wakes as well, and without scripts the page gets there, too', async () => {
  const { person, page, ticket, address } = await visit({ options: { javaScriptEnabled: false } });
  await page.goto(ticket.url);
  await page.getByRole('heading', { name: 'Starting Night desk' }).waitFor();
  await page.getByText('testapp').first().waitFor();
  assert.equal(page.url(), address);
  await person.leave();
});

test('a failed start says why, stays that way, and is tried again when its user wants that', async () => {
  const visitor = await visit({ type: 'failing' });
  const { person, page, ticket } = visitor;
  await page.goto(ticket.url);
  await page.getByRole('heading', { name: 'Night desk did not start' }).waitFor();
  await assertAccessible(page, 'the page of a failed start');
  await picture(page, 'waking-failed');
  assert.deepEqual(await operations(visitor), ['start failed']);
  await page.reload();
  await page.getByRole('heading', { name: 'Night desk did not start' }).waitFor();
  assert.deepEqual(await operations(visitor), ['start failed']);
  await page.getByRole('link', { name: 'Try again' }).click();
  await eventually('a second start', async () => (await operations(visitor)).length === 2, { within: patience });
  await page.getByRole('heading', { name: 'Night desk did not start' }).waitFor();
  await person.leave();
});

test('stopped by its user while the page follows the start, it stays stopped', async () => {
  const visitor = await visit();
  const { user, workspace, person, page, ticket } = visitor;
  await page.goto(ticket.url);
  await page.getByRole('heading', { name: 'Starting Night desk' }).waitFor();
  await user.stop(workspace.id);
  await page.getByRole('heading', { name: /^Night desk is (being )?stopped$/ }).waitFor();
  assert.equal(await status(visitor), 'stopped');
  assert.deepEqual((await operations(visitor)).map((each) => each.split(' ')[0]), ['stop', 'start']);
  await person.leave();
});
