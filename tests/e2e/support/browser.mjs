// A real Chromium for tests from a person's side. What a page complains about in its console, a violated
// Content-Security-Policy and an exception of its scripts fail the test, unless it said that it expects them.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// The machine may be busy with other tests; nothing here waits for as long as it may.
export const patience = 60_000;

/** A browser of its own; `close()` it. */
export function openBrowser() {
  return chromium.launch({
    executablePath: process.env.AGENTDB9_CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    timeout: patience,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
      '--disable-dev-shm-usage'],
  });
}

/** Somebody at a browser: cookies, storage and windows apart from everybody else's. */
export class Person {
  static async at(browser, options = {}) {
    const person = new Person();
    person.context = await browser.newContext({ viewport: { width: 1180, height: 860 }, locale: 'en-GB', timezoneId: 'Europe/Berlin', ...options });
    person.context.setDefaultTimeout(patience);
    person.complaints = [];
    person.expected = [];
    await person.context.addInitScript(() => {
      addEventListener('securitypolicyviolation', (event) => console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI}`));
    });
    person.context.on('page', (page) => person.#watch(page));
    return person;
  }

  #watch(page) {
    // The engine makes and removes interfaces of this host with each container: Chromium takes that for another network, gives up
    // what it was loading, says so, and loads it again.
    const anotherNetwork = /^Failed to load resource: net::ERR_NETWORK_CHANGED /;
    const complain = (text) => {
      const known = anotherNetwork.test(text) || this.expected.find((each) => each.test(text));
      if (!known) this.complaints.push(`${page.url()}: ${text}`);
    };
    page.on('pageerror', (error) => complain(error.stack ?? error.message));
    page.on('console', (message) => {
      if (message.type() !== 'error') return;
      complain(`${message.text()} (${message.location().url})`);
    });
  }

  newPage() {
    return this.context.newPage();
  }

  /** What the console may say from now on; the browser itself writes there of every answer from 400 on. */
  expect(...patterns) {
    this.expected.push(...patterns);
  }

  /** Ends the visit; fails when anything was complained about. */
  async leave() {
    await this.context.close();
    assert.deepEqual(this.complaints, []);
  }
}

/** A picture for people, in test-output/. */
export async function picture(page, name) {
  const folder = join(root, 'test-output', 'e2e');
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true, animations: 'disabled' });
}

/** Asserts that axe finds nothing to say about the page as it is now. */
export async function assertAccessible(page, what) {
  // What is still fading in has not the colours yet that it is judged by; one whose element goes meanwhile is over, too.
  await page.evaluate(() => Promise.allSettled(document.getAnimations().filter((each) => each.effect.getComputedTiming().endTime !== Infinity).map((each) => each.finished)));
  // Through the debugger rather than a script element: the page's policy would refuse that, rightly.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  const told = violations.map((each) => `${each.id}: ${each.help}\n    ${each.nodes.map((node) => `${node.target} ${node.failureSummary}`).join('\n    ')}`);
  assert.deepEqual(told, [], `axe on ${what}`);
}
