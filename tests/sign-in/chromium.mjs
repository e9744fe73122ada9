// A real Chromium in which the tests' two sites are on this machine.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
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

/** A browser whose owner lets this site keep nothing. */
export async function withoutCookies(tls) {
  const profile = mkdtempSync(join(tmpdir(), 'triptych-chromium-'));
  mkdirSync(join(profile, 'Default'));
  const exceptions = { cookies: { [`[*.]${SHOP_HOST},*`]: { setting: 2 } } };
  writeFileSync(join(profile, 'Default/Preferences'), JSON.stringify({ profile: { content_settings: { exceptions } } }));
  const context = await chromium.launchPersistentContext(profile, options(tls));
  context.setDefaultTimeout(PATIENCE_MS);
  const close = async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  };
  return { context, close };
}

/** What a state looks like, on a desk by day and on a phone by night; only when somebody asked for pictures. */
export async function picture(page, name) {
  if (!SCREENSHOTS) return;
  mkdirSync(SCREENSHOTS, { recursive: true });
  const before = page.viewportSize();
  for (const [device, colorScheme, width, height] of [['desktop', 'light', 1280, 800], ['phone', 'dark', 390, 844]]) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.screenshot({ path: join(SCREENSHOTS, `${name}-${device}.png`) });
  }
  await page.setViewportSize(before);
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'no-preference' });
}
