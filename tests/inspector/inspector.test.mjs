// The inspector of a real web-bff, in a real browser.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';

import { launch, newPerson } from '../sign-in/chromium.mjs';
import { startSystem, until } from '../sign-in/harness.mjs';
import { freePorts } from '../sign-in/processes.mjs';
import { Traffic, calm, strike } from './traffic.mjs';

const TOKEN = 'an-admin-token-for-tests';
const SCREENSHOTS = process.env.TRIPTYCH_SCREENSHOTS;
const DESK = { width: 1440, height: 900 };
const PHONE = { width: 360, height: 780 };

describe('the inspector', () => {
  let system;
  let browser;
  let traffic;
  let address;
  let person;
  let page;
  let troubles;

  before(async () => {
    const port = await freePorts(1);
    address = `http://127.0.0.1:${port}/inspector`;
    system = await startSystem('demo-shop', {
      settings: { BFF__ADMIN__LISTEN: `127.0.0.1:${port}`, BFF__ADMIN__TOKEN: TOKEN, BFF__TELEMETRY__INSPECTOR: 'true' },
    });
    browser = await launch(system.tls);
  });
  after(async () => {
    await browser?.close();
    await system?.stop();
  });
  beforeEach(async () => {
    person = await newPerson(browser, { viewport: DESK, permissions: ['clipboard-read', 'clipboard-write'] });
    page = await newPage();
  });
  afterEach(async () => {
    await person.close();
    assert.deepEqual(troubles, []);
  });

  /** A page that must break none of its own rules, and ask nobody else. */
  async function newPage() {
    const opened = await person.newPage();
    troubles = [];
    opened.on('pageerror', (error) => troubles.push(error.message));
    opened.on('console', (message) => /Content Security Policy/.test(message.text()) && troubles.push(message.text()));
    opened.on('request', (request) => request.url().startsWith('data:') || new URL(request.url()).host === new URL(address).host || troubles.push(`asked ${request.url()}`));
    return opened;
  }

  async function open(hash = '') {
    await page.goto(address + hash);
    if (await page.locator('#token').count()) {
      await page.fill('#token', TOKEN);
      await page.click('#login button');
    }
    await page.waitForSelector('#connection[data-state="live"]');
  }

  const api = async (path) => {
    const answer = await fetch(`${address}/${path}`, { headers: { authorization: `Bearer ${TOKEN}` } });
    assert.equal(answer.status, 200, path);
    return answer.json();
  };

  async function forget() {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    const answer = await fetch(new URL('/cache/invalidate', address), { method: 'POST', headers, body: '{"tags":["*"]}' });
    assert.equal(answer.status, 204);
  }

  /** A request of which `fits` says so, with its spans. */
  async function find(what, fits) {
    return until(what, async () => {
      for (const { traceId, spanId } of (await api('requests')).requests) {
        const found = (await api(`requests/${traceId}`)).requests.find((request) => request.spanId === spanId);
        if (found && fits(found)) return found;
      }
      return null;
    });
  }

  /** The degraded request of this route to whose calls the most different things happened. */
  async function mostEventful(route) {
    const { requests } = await api(`requests?outcome=degraded&route=${route}`);
    const events = ({ marks, warnings }) => Object.keys(marks).length + warnings.length;
    const { traceId, spanId } = requests.toSorted((one, other) => events(other) - events(one))[0];
    return (await api(`requests/${traceId}`)).requests.find((request) => request.spanId === spanId);
  }

  const attributes = ({ spans }) => spans.map((span) => span.attributes);

  /** What it looks like, by day or by night; only when somebody asked for pictures. Nothing may be wider than the page. */
  async function picture(name, { colorScheme = 'light', viewport = DESK } = {}) {
    await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, `${name} is too wide`);
    if (SCREENSHOTS) {
      mkdirSync(SCREENSHOTS, { recursive: true });
      await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
    }
    await page.setViewportSize(DESK);
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'no-preference' });
  }

  test('it asks for the token, and keeps what no script can read', async () => {
    const answer = await page.goto(`${address}#/upstreams`);
    assert.equal(answer.status(), 401);
    await picture('login', { viewport: { width: 1000, height: 640 } });
    await page.fill('#token', 'not-the-token-at-all');
    await page.click('#login button');
    await page.waitForSelector('text=This is not the token.');
    assert.deepEqual(await person.cookies(), []);

    await page.fill('#token', TOKEN);
    await page.click('#login button');
    // Where it was asked for, too.
    await page.waitForSelector('#upstreams h1');
    const [cookie] = await person.cookies(`${address}/requests`);
    assert.deepEqual([cookie.name, cookie.httpOnly, cookie.sameSite, cookie.path], ['inspector-web-bff', true, 'Strict', '/inspector']);
    assert.ok(!cookie.value.includes(TOKEN));
    assert.equal(await page.evaluate(() => JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }])), '["",{},{}]');

    await page.click('#leave');
    await page.waitForSelector('#token');
    assert.deepEqual(await person.cookies(), []);
  });

  test('before anything has happened it says what to do', async () => {
    await open();
    await page.waitForSelector('#empty h2:text-is("No request yet")');
    await picture('empty');
    traffic = await Traffic.begin(system, forget);
    await page.waitForSelector('#list a');
    assert.equal(await page.isVisible('#empty'), false);
  });

  test('what happens to a screen is drawn', async () => {
    // Enough of them that there is a percentile, at which a call is hedged.
    await calm(system);
    await traffic.ask('/dashboard', 90);
    await strike(system);
    await until('everything has happened', async () => {
      await traffic.look(6);
      const { requests } = await api('requests');
      const has = (mark) => requests.some(({ marks }) => marks[mark]);
      return ['hit', 'hedge', 'retry', 'breaker_open', 'contract_violation'].every(has);
    });
    await open();
    await page.waitForSelector('.scatter circle');
    // A line needs more than one look at the upstreams.
    for (let round = 0; round < 4; round++) await Promise.all([traffic.look(1), page.waitForResponse('**/upstreams')]);
    assert.ok((await page.locator('.tile .sparkline path:not(.area)').count()) > 0);
    await picture('requests');
    await picture('requests-dark', { colorScheme: 'dark' });
    await picture('requests-phone', { viewport: PHONE, colorScheme: 'dark' });

    const degraded = await mostEventful('/dashboard');
    await page.goto(`${address}#/trace/${degraded.traceId}/${degraded.spanId}`);
    await page.waitForSelector('.waterfall');
    assert.equal(await page.textContent('.detail h1'), 'GET /dashboard');
    assert.match(await page.textContent('.badge'), /200 · degraded/);
    assert.equal(await page.locator('.waterfall li').count(), degraded.spans.length);
    const sections = attributes(degraded).map((span) => span['triptych.section']).filter(Boolean);
    assert.deepEqual((await page.locator('.waterfall .section .name').allTextContents()).sort(), sections.sort());
    assert.deepEqual(await page.locator('.warnings b').allTextContents(), degraded.warnings.map(({ section }) => section));
    // All of it, to the ids.
    const tall = { ...DESK, height: 1000 };
    await picture('trace', { viewport: tall });
    await picture('trace-dark', { viewport: tall, colorScheme: 'dark' });
    await picture('trace-phone', { viewport: PHONE });

    const line = page.locator('.waterfall .call .line').first();
    await line.click();
    await page.waitForSelector('.attributes >> text=triptych.upstream');
    assert.equal(await line.getAttribute('aria-expanded'), 'true');
    await page.click('[aria-label="Copy the trace id"]');
    await page.waitForSelector('text=Copied');
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), degraded.traceId);
    await page.reload();
    await page.waitForSelector('.waterfall');
  });

  test('each mark of a call is shown', async () => {
    for (const [mark, label, isIt] of [
      ['hedge', 'hedge', (span) => span['triptych.attempt'] === 'hedge'],
      ['retry', 'retry', (span) => span['triptych.attempt'] === 'retry'],
      ['hit', 'cache hit', (span) => span['triptych.cache'] === 'hit'],
      ['breaker_open', 'breaker open', (span) => span['triptych.outcome'] === 'breaker_open'],
      ['contract_violation', 'contract violation', (span) => span['triptych.contract.path']],
    ]) {
      const request = await find(mark, (each) => attributes(each).some(isIt));
      await open(`#/trace/${request.traceId}/${request.spanId}`);
      await page.waitForSelector(`.waterfall .chip:text-is("${label}")`);
    }
    const path = await page.textContent('.waterfall .chip.code');
    assert.match(path, /^at \S+/);
  });

  test('requests are found by outcome, route and words', async () => {
    await open();
    await page.click('[data-outcome="degraded"]');
    const outcomes = () => page.locator('#list a').evaluateAll((rows) => [...new Set(rows.map((row) => row.dataset.outcome))]);
    assert.deepEqual(await outcomes(), ['degraded']);
    await page.selectOption('#route', '/dashboard');
    await page.fill('#search', 'promos');
    const routes = await page.locator('#list .what').allTextContents();
    assert.ok(routes.length > 0 && routes.every((route) => route === 'GET /dashboard'));
    await picture('filtered');
    await page.fill('#search', 'no such words');
    await page.click('#empty button');
    assert.ok((await page.locator('#list a').count()) > routes.length);
  });

  test('requests are found by who asked, who is a hash', async () => {
    await open();
    const users = await page.locator('#user option').evaluateAll((options) => options.map(({ value }) => value).filter(Boolean));
    assert.ok(users.length >= 3 && users.every((user) => /^[0-9a-f]{16}$/.test(user)), users.join());
    await page.selectOption('#user', users[0]);
    const shown = await page.locator('#list a').count();
    const { requests } = await api(`requests?user=${users[0]}`);
    assert.equal(shown, requests.length);
  });

  test('it can be paused, and goes on with what it has missed', async () => {
    await open();
    const newest = () => page.getAttribute('#list li:first-child a', 'href');
    await page.keyboard.press('Space');
    await page.waitForSelector('#connection[data-state="paused"]');
    const [before] = await Promise.all([newest(), traffic.ask('/orders', 1)]);
    const { newest: number } = await api('requests');
    assert.ok(number > 0);
    assert.equal(await newest(), before);
    await page.click('#pause');
    await until('it goes on', async () => (await newest()) !== before);
  });

  test('it can be used without a mouse', async () => {
    await open();
    await page.keyboard.press('j');
    await page.waitForSelector('#list [aria-current="true"]');
    await page.waitForSelector('.waterfall');
    const first = page.url();
    await page.keyboard.press('ArrowDown');
    await until('the next one is shown', () => page.url() !== first);
    await page.keyboard.press('k');
    await until('the first one is shown', () => page.url() === first);
    await page.keyboard.press('/');
    await page.keyboard.type('j?');
    assert.equal(await page.inputValue('#search'), 'j?');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await until('all are shown', () => page.url().endsWith('#/'));
    await page.keyboard.press('?');
    await page.waitForSelector('#keys[open]');
    await page.keyboard.press('Escape');
    await page.keyboard.press('u');
    await page.waitForSelector('#upstreams h1');
  });

  test('the upstreams are shown as they are', async () => {
    await open('#/upstreams');
    const names = Object.keys((await api('upstreams')).upstreams);
    assert.deepEqual(await page.locator('#upstreams .card:not(.cache) h2').allTextContents(), names);
    await page.waitForSelector('.card[data-breaker="open"] >> text=promos');
    // Some seconds of traffic, so that there are lines.
    for (let round = 0; round < 10; round++) await Promise.all([traffic.ask('/dashboard', 9), page.waitForResponse('**/upstreams')]);
    await picture('upstreams');
    await picture('upstreams-phone', { viewport: PHONE });
  });

  test('a request that is no longer kept says so', async () => {
    await open(`#/trace/${'ab'.repeat(16)}`);
    await page.waitForSelector('text=This request is not kept any more');
  });

  test('a service that does not answer is said so, and asked until it does', async () => {
    await open();
    await person.setOffline(true);
    await page.waitForSelector('#connection[data-state="lost"]');
    assert.ok((await page.locator('#list a').count()) > 0);
    await picture('lost');
    await person.setOffline(false);
    await page.waitForSelector('#connection[data-state="live"]');
  });

  test('a page under a name that anybody could own gets nothing', async () => {
    const answer = await (await person.newPage()).goto(address.replace('127.0.0.1', 'evil.example'));
    assert.equal(answer.status(), 421);
    assert.match(await answer.text(), /IP addresses, localhost and the names in admin\.hosts/);
  });

  test('a page of another port reads nothing, though it is sent with the session', async () => {
    await open();
    const other = await person.newPage();
    await other.goto(system.direct).catch(() => {});
    const seen = await other.evaluate(async (url) => Promise.all(['cors', 'no-cors'].map((mode) =>
      fetch(url, { mode, credentials: 'include' }).then((answer) => answer.text(), () => 'refused'))), `${address}/requests`);
    assert.deepEqual(seen, ['refused', 'refused']);
  });

  test('it heals with the service', async () => {
    await calm(system);
    await until('all is well', async () => {
      await traffic.ask('/dashboard', 3);
      return (await api('requests')).requests[0].outcome === 'ok';
    });
    await open();
    await page.waitForSelector('#list li:first-child [data-outcome="ok"]');
  });
});
