// usage: node bench/page.mjs [WORKSPACES [RUNNING]]
// How the page feels with WORKSPACES (200), RUNNING (20) of which run: what a first load brings, how long from each interaction to the
// next paint (Event Timing, W3C: a key or click until its frame is shown, in steps of 8 ms), and how much anything moves by itself
// (Layout Instability, W3C) while ten workspaces are started and stopped. A real Chromium, a real engine; the release binary, or
// AGENTDB9_BINARY. Needs what scripts/test installs.
import { fileURLToPath } from 'node:url';

process.env.AGENTDB9_BINARY ??= fileURLToPath(new URL('../build/release/agentdb9', import.meta.url));
const { startServer } = await import('../tests/support/server.mjs');
const { eventually } = await import('../tests/support/eventually.mjs');
const { openBrowser, Person } = await import('../tests/e2e/support/browser.mjs');
const { button, goTo, noIcon, noSession, signIn, title } = await import('../tests/e2e/support/page.mjs');

const count = Number(process.argv[2] ?? 200);
const running = Number(process.argv[3] ?? 20);
const changing = 10;
const later = { headers: { Prefer: 'respond-async' } };
const server = await startServer();
const browser = await openBrowser();
const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

async function workspaces(user) {
  const all = [];
  for (let index = 0; index < count; index += 1) all.push(await user.createWorkspace({ name: `Workspace ${String(index).padStart(3, '0')}` }));
  await Promise.all(all.slice(0, running).map((each) => user.start(each.id)));
  return all;
}

// In the page, from its first moment on.
function observe() {
  globalThis.seen = { interactions: new Map(), shifts: [] };
  new PerformanceObserver((list) => {
    for (const { interactionId, duration, name } of list.getEntries()) {
      if (!interactionId) continue;
      const known = globalThis.seen.interactions.get(interactionId);
      if (!known || known.duration < duration) globalThis.seen.interactions.set(interactionId, { duration, name });
    }
  }).observe({ type: 'event', durationThreshold: 16, buffered: true });
  new PerformanceObserver((list) => {
    for (const each of list.getEntries()) {
      if (each.hadRecentInput) continue;
      globalThis.seen.shifts.push({ value: each.value, what: each.sources?.map(({ node }) => node?.nodeName + (node?.className ? `.${String(node.className).slice(0, 40)}` : '')) });
    }
  }).observe({ type: 'layout-shift', buffered: true });
}

const results = [];
/** What `work` does on the page, and the slowest of its interactions. Under 16 ms nothing is told: one frame. */
async function interaction(page, what, work) {
  await page.evaluate(() => globalThis.seen.interactions.clear());
  await work();
  await pause(300);
  const durations = await page.evaluate(() => [...globalThis.seen.interactions.values()].map((each) => each.duration));
  results.push({ what, slowest: Math.max(16, ...durations) });
}

try {
  const user = await server.user('owner');
  const all = await workspaces(user);
  const person = await Person.at(browser);
  person.expect(noSession, noIcon, /./);
  await person.context.addInitScript(observe);
  const page = await person.newPage();
  await page.goto(server.api);
  await signIn(page, user.user.email);
  await title(page, 'Workspaces').waitFor();

  // Again, signed in: from the address to the list.
  const loads = [];
  for (let round = 0; round < 5; round += 1) {
    const began = performance.now();
    await page.reload();
    await page.getByRole('article', { name: 'Workspace 000', exact: true }).waitFor();
    loads.push(performance.now() - began);
  }
  const script = await page.evaluate(() => performance.getEntriesByType('resource').filter((each) => /\.js$/.test(each.name)).reduce((sum, each) => sum + each.encodedBodySize, 0));
  const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
  console.log(`${count} workspaces, ${running} running: list shown ${Math.round(loads.sort((a, b) => a - b)[2])} ms after the address (median of 5), first paint after ${Math.round(paint)} ms; ${(script / 1000).toFixed(1)} kB of script`);

  const search = page.getByRole('searchbox', { name: 'Search workspaces' }).or(page.getByLabel('Search workspaces'));
  await interaction(page, 'a key in the search, 200 → 11', async () => { await search.click(); await page.keyboard.type('Workspace 19', { delay: 60 }); });
  await interaction(page, 'the search emptied, 11 → 200', async () => { await page.keyboard.press('Control+A'); await page.keyboard.press('Delete'); });
  await interaction(page, 'a card\'s menu opened', () => button(page, 'More for Workspace 000').click());
  await interaction(page, 'the menu closed', () => page.keyboard.press('Escape'));
  await interaction(page, 'the palette opened', () => page.keyboard.press('Control+K'));
  await interaction(page, 'a key in the palette', () => page.keyboard.type('work 15', { delay: 60 }));
  await interaction(page, 'the palette closed', () => page.keyboard.press('Escape'));
  await interaction(page, 'the dialog for a new workspace opened', () => button(page, 'New workspace').click());
  await interaction(page, 'the dialog closed', () => page.keyboard.press('Escape'));
  await interaction(page, 'Projects', () => goTo(page, 'Projects'));
  await interaction(page, 'back to Workspaces', () => goTo(page, 'Workspaces'));
  await interaction(page, 'a workspace\'s page', async () => { await page.getByRole('link', { name: 'Workspace 001', exact: true }).click(); await title(page, 'Workspace 001').waitFor(); });
  await interaction(page, 'back to Workspaces', () => goTo(page, 'Workspaces'));
  await interaction(page, 'start', () => button(page.getByRole('article', { name: 'Workspace 030', exact: true }), 'Start').click());
  for (const { what, slowest } of results) console.log(`${String(Math.round(slowest)).padStart(5)} ms  ${what}`);
  const sorted = results.map((each) => each.slowest).sort((a, b) => a - b);
  console.log(`slowest interaction to paint: ${sorted.at(-1)} ms (16: at most)`);

  // What is shown changes, and nobody touches anything.
  async function moved(what, list) {
    await page.evaluate(() => scrollTo(0, 0));
    await pause(1000);
    await page.evaluate(() => { globalThis.seen.shifts = []; });
    const phase = async (each) => (await user.get(`/api/workspaces/${each.id}`)).data.phase;
    for (const [act, wanted] of [['stop', 'stopped'], ['start', 'running'], ['restart', 'running']]) {
      await Promise.all(list.map((each) => user.post(`/api/workspaces/${each.id}/${act}`, undefined, later)));
      await pause(500);
      await eventually(`${act} to end`, async () => (await Promise.all(list.map(phase))).every((each) => each === wanted), { within: 120_000, every: 500 });
      await pause(1000);
    }
    const shifts = await page.evaluate(() => globalThis.seen.shifts);
    console.log(`layout shift ${what}: ${shifts.reduce((sum, each) => sum + each.value, 0).toFixed(4)} in ${shifts.length} shifts`);
    for (const each of shifts.filter(({ value }) => value >= 0.001).slice(0, 10)) console.log(`  ${each.value.toFixed(4)} ${each.what?.join(', ')}`);
  }
  await moved(`while ${changing} of them are stopped, started and restarted`, all.slice(0, changing));
  await page.getByRole('link', { name: 'Workspace 001', exact: true }).click();
  for (const part of ['Overview', 'Logs', 'History']) {
    await page.getByRole('navigation', { name: 'Parts of the workspace' }).getByRole('link', { name: part, exact: true }).click();
    await moved(`at ${part} of one that is stopped, started and restarted`, all.slice(1, 2));
  }
} finally {
  await browser.close();
  await server.close();
}
