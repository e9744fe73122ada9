// A real Chromium in which the tests' two sites are on this machine.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { chromium } from 'playwright-core';

import { LOGIN_HOST, SHOP_HOST } from './harness.mjs';

const PROGRAM = process.env.TRIPTYCH_CHROMIUM ?? '/usr/bin/chromium';
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];
const SCREENSHOTS = process.env.TRIPTYCH_SCREENSHOTS;
const PATIENCE_MS = 15_000;

const options = (tls) => ({
  executablePath: PROGRAM,
  args: [...FLAGS,
    `--host-resolver-rules=MAP ${SHOP_HOST} 127.0.0.1, MAP ${LOGIN_HOST} 127.0.0.1, MAP evil.example 127.0.0.1`,
    // This one key is trusted; every other certificate is checked as always.
    `--ignore-certificate-errors-spki-list=${tls.spkiHash}`],
});

/** A browser; each of its contexts is a person's own. */
export function launch(tls) {
  return chromium.launch(options(tls));
}

export async function newPerson(browser, settings = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: 'light', ...settings });
  context.setDefaultTimeout(PATIENCE_MS);
  return context;
}

/** Does `handle(session, event)` with every request of the page that fits, redirected ones included. */
async function intercept(page, urlPattern, requestStage, handle) {
  const session = await page.context().newCDPSession(page);
  session.on('Fetch.requestPaused', (event) => handle(session, event).catch(() => {}));
  await session.send('Fetch.enable', { patterns: [{ urlPattern, requestStage }] });
  return session;
}

/** The page is told that its owner lets no site keep anything. That nothing is kept is up to the test. */
export function refuseCookies(page) {
  return page.addInitScript(() => Object.defineProperty(Navigator.prototype, 'cookieEnabled', { get: () => false }));
}

/** Resolves with the first address that fits and that the page was about to ask for: it does not. */
export function taken(page, urlPattern) {
  return new Promise((resolve) => {
    intercept(page, urlPattern, 'Request', async (session, { requestId, request }) => {
      await session.send('Fetch.failRequest', { requestId, errorReason: 'Aborted' });
      await session.detach();
      resolve(request.url);
    });
  });
}

/** What a script of the page gets for a path of web-bff: `{status, body}`. */
export function ask(page, path) {
  return page.evaluate(async (url) => {
    const answer = await fetch(url);
    return { status: answer.status, body: await answer.json() };
  }, `/web${path}`);
}

/** What a state looks like, on a desk by day and on a phone by night; only when somebody asked for pictures. */
export async function picture(page, name) {
  if (!SCREENSHOTS) return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  const before = page.viewportSize();
  for (const [device, colorScheme, width, height] of [['desktop', 'light', 1200, 750], ['phone', 'dark', 390, 844]]) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.screenshot({ path: join(SCREENSHOTS, `${name}-${device}.png`) });
  }
  await page.setViewportSize(before);
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'no-preference' });
}
