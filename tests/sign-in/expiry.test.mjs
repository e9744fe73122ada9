// The end of a session that nobody uses. Apart from the other tests, because it takes the shortest time that a session may have.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { ask, launch, newPerson, picture } from './chromium.mjs';
import { startSystem } from './harness.mjs';

describe('a session that nobody uses (oidc-provider)', () => {
  let system;
  let browser;
  let page;

  before(async () => {
    system = await startSystem('oidc-provider', { settings: { BFF__SESSION__IDLE_TIMEOUT: '1m', BFF__SESSION__ENDS_SOON: '50s' } });
    browser = await launch(system.tls);
    page = await (await newPerson(browser)).newPage();
  });
  after(async () => {
    await browser?.close();
    await system?.stop();
  });

  test('its end is announced, can be put off, and comes', async () => {
    await page.goto(system.appOrigin);
    await page.click('#sign-in');
    await page.click('button[value="u_42"]');
    await page.waitForSelector('.dashboard');
    await page.waitForSelector('#stay', { timeout: 40_000 });
    await picture(page, 'ends-soon');
    const end = async () => Date.parse((await ask(page, '/auth/session')).body.expiresAt);
    const before = await end();
    await page.click('#stay');
    await page.waitForSelector('#stay', { state: 'detached' });
    assert.ok((await end()) > before);
    await page.waitForSelector('#stay', { timeout: 40_000 });
    await page.waitForSelector('#sign-in', { timeout: 70_000 });
    assert.equal(await page.textContent('h1'), 'You are signed out');
  });
});
