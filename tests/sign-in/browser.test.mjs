// The web app in a real browser, over TLS, with the provider on another site: every test runs with both providers.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';

import { ask, launch, newPerson, picture, refuseCookies, taken } from './chromium.mjs';
import { PROVIDERS, SHOP_HOST, startSystem, until } from './harness.mjs';

const COOKIE = '__Host-Http-triptych';
// Within these a page must have noticed what happened elsewhere.
const SECONDS = { timeout: 8_000 };

for (const kind of PROVIDERS) {
  describe(`in a browser, with ${kind}`, () => {
    const pictures = kind === 'oidc-provider' ? picture : () => {};
    let system;
    let browser;
    let person;
    let page;
    let troubles;

    before(async () => {
      system = await startSystem(kind, { shop: ['--status-interval', '4s'] });
      browser = await launch(system.tls);
    });
    after(async () => {
      await browser?.close();
      await system?.stop();
    });
    beforeEach(async () => {
      person = await newPerson(browser);
      page = await newPage();
    });
    afterEach(() => person.close());

    /** A page that must break none of its own rules. */
    async function newPage(context = person) {
      const opened = await context.newPage();
      troubles = [];
      opened.on('pageerror', (error) => troubles.push(error.message));
      opened.on('console', (message) => /Content Security Policy/.test(message.text()) && troubles.push(message.text()));
      return opened;
    }

    async function toLogin(target = page) {
      await target.goto(system.appOrigin);
      await target.click('#sign-in');
      await target.waitForURL(`${system.provider.issuer}/**`);
    }

    async function signIn(target = page, user = 'u_42') {
      await toLogin(target);
      await target.click(`button[value="${user}"]`);
      await target.waitForSelector('.dashboard');
    }

    const isSignedOut = (target = page) => target.waitForSelector('#sign-in', SECONDS);
    const sessionCookie = async (context = person) => (await context.cookies(system.appOrigin)).find(({ name }) => name === COOKIE)?.value;

    async function order(words, quantity = '1') {
      await page.fill('#search', words);
      // What was found before may still be there.
      const offer = page.locator('.offer', { hasText: new RegExp(words, 'i'), has: page.locator('button:enabled') }).first();
      await offer.locator('input').fill(quantity);
      const answered = page.waitForResponse((response) => response.url().endsWith('/web/orders') && response.request().method() === 'POST');
      await offer.locator('button').click();
      return (await answered).json();
    }

    test('sign in, look around, order, cancel, watch it move, sign out', async () => {
      const bodies = [];
      page.on('response', async (response) => response.url().startsWith(system.appOrigin) && bodies.push(await response.text().catch(() => '')));
      await page.goto(system.appOrigin);
      await isSignedOut();
      await pictures(page, 'signed-out');
      await signIn();
      assert.equal(page.url(), `${system.appOrigin}/`);
      assert.match(await page.textContent('h1'), /Ada Lovelace$/);
      await page.waitForSelector('#live[data-state="live"]');
      for (const section of ['Order something', 'Orders', 'Account', 'Notifications', 'For you']) await page.waitForSelector(`h2:text-is("${section}")`);
      assert.match(await page.textContent('.filters'), /All 50/);
      await pictures(page, 'dashboard');

      const first = await order('lamp');
      await page.click(`#cancel-${first.id}`);
      await pictures(page, 'cancel');
      await page.click('#confirm-cancel');
      await page.waitForSelector(`#order-${first.id}[data-status="cancelled"]`);

      const second = await order('kettle', '2');
      await page.waitForSelector(`#order-${second.id}[data-status="placed"]`);
      await page.waitForSelector(`#order-${second.id}.changed[data-status="paid"]`);
      await pictures(page, 'ordering');
      await page.waitForSelector(`#order-${second.id}[data-status="shipped"]`);

      const unread = await page.locator('.notifications li').count();
      await page.locator('.notifications button').first().click();
      await until('it is read', async () => (await page.locator('.notifications li').count()) === unread - 1);

      await readsNothing(bodies);
      await page.click('#sign-out');
      if (kind === 'oidc-provider') await page.click('button[name="logout"]');
      await page.waitForURL(`${system.appOrigin}/`);
      await isSignedOut();
      assert.equal(await sessionCookie(), undefined);
      assert.deepEqual(troubles, []);
    });

    /** No script can read a token: not in a cookie, not in a storage, not in anything that was answered. */
    async function readsNothing(bodies) {
      const readable = await page.evaluate(async () => JSON.stringify([document.cookie, { ...localStorage }, { ...sessionStorage }, await indexedDB.databases(), await caches.keys()]));
      assert.equal(readable, '["",{},{},[],[]]');
      const cookie = (await person.cookies(system.appOrigin)).find(({ name }) => name === COOKIE);
      assert.deepEqual([cookie.httpOnly, cookie.secure, cookie.sameSite, cookie.path], [true, true, 'Strict', '/']);
      assert.ok(bodies.length > 10);
      const secrets = [cookie.value, ...(system.provider.state?.issued ?? [])];
      for (const body of bodies) {
        assert.doesNotMatch(body, /eyJ[\w-]{10,}\.[\w-]{10,}\./);
        for (const secret of secrets) assert.ok(!body.includes(secret), 'a secret is in a body');
      }
    }

    test('what is sold out or too much is refused with a reason', async () => {
      await signIn();
      await page.fill('#search', 'lamp');
      const offer = page.locator('.offer', { has: page.locator('button:enabled') });
      const { body: found } = await ask(page, '/products?q=lamp');
      const product = found.products.slice(0, 6).find(({ stock }) => stock > 0 && stock < 100);
      assert.ok(product, 'the shop has a lamp of which there are few');
      const row = page.locator(`[data-product="${product.id}"]`);
      await row.locator('input').fill('100');
      await row.locator('button').click();
      await row.locator('.problem', { hasText: 'There are not enough of this product' }).waitFor();
      await pictures(page, 'refused');
      assert.ok(await offer.first().isVisible());
    });

    test('a second tab, a reload and the back button are signed in too', async () => {
      await signIn();
      const second = await newPage();
      await second.goto(system.appOrigin);
      await second.waitForSelector('.dashboard');
      await page.reload();
      await page.waitForSelector('.dashboard');
      // Back over the provider's page to where it began, which now shows who came back.
      for (let step = 0; step < 3 && (step === 0 || page.url() !== `${system.appOrigin}/`); step++) await page.goBack();
      assert.equal(page.url(), `${system.appOrigin}/`);
      await page.waitForSelector('.dashboard');
    });

    test('signing out in one tab is seen in the other', async () => {
      await signIn();
      const second = await newPage();
      await second.goto(system.appOrigin);
      await second.waitForSelector('.dashboard');
      await second.click('#sign-out');
      await isSignedOut(page);
      assert.equal(await page.textContent('h1'), 'You are signed out');
      await pictures(page, 'ended');
    });

    test('signing in in one tab is seen in the other', async () => {
      const second = await newPage();
      await second.goto(system.appOrigin);
      await isSignedOut(second);
      await signIn(page);
      await second.waitForSelector('.dashboard', SECONDS);
    });

    test('a double click on sign in does no harm', async () => {
      await page.goto(system.appOrigin);
      await page.dblclick('#sign-in');
      await page.waitForURL(`${system.provider.issuer}/**`);
      await page.dblclick('button[value="u_42"]').catch(() => {});
      await page.waitForSelector('.dashboard');
    });

    test('a session that the provider ends is seen within seconds', async () => {
      await signIn();
      await page.waitForSelector('#live[data-state="live"]');
      await system.provider.endSessionsOf('u_42');
      await isSignedOut();
      assert.equal((await ask(page, '/dashboard')).status, 401);
    });

    test('a section that is lost says so in its place, and comes back', async () => {
      // Somebody new: what was asked before would be remembered.
      await system.shop.strike('notifications', [{ path: '*', mode: 'error', status: 500 }]);
      await signIn(page, 'u_1');
      await page.waitForSelector('[data-warning="unreadNotifications"]');
      await pictures(page, 'degraded');
      await system.shop.heal('notifications');
      await until('it is back', async () => {
        await page.click('[data-warning="unreadNotifications"] button', { timeout: 500 }).catch(() => {});
        return (await page.locator('.notifications li').count()) > 0;
      });
      assert.equal(await page.locator('[data-warning="unreadNotifications"]').count(), 0);
    });

    test('a page that cannot be had says so and tries again', async () => {
      await system.shop.strike('users', [{ path: '*', mode: 'error', status: 503 }]);
      await toLogin();
      await page.click('button[value="u_7"]');
      await page.waitForSelector('.failure');
      await pictures(page, 'failure');
      await system.shop.heal('users');
      // By itself after Retry-After, without one by the button.
      await page.locator('#retry:enabled').click({ timeout: 1_000 }).catch(() => {});
      await page.waitForSelector('.dashboard', { timeout: 30_000 });
    });

    test('without a network the page says so and comes back', async () => {
      await signIn();
      await person.setOffline(true);
      await page.click('#sign-out');
      await page.waitForSelector('.toast.bad');
      await person.setOffline(false);
      await page.reload();
      await page.waitForSelector('.dashboard');
    });

    test('a login page that was left open too long leads to a new sign-in', async () => {
      await toLogin();
      await person.clearCookies({ name: /triptych-login/ });
      await page.click('button[value="u_42"]');
      await page.waitForURL(`${system.appUrl}/auth/callback**`);
      assert.equal(await sessionCookie(), undefined);
      await pictures(page, 'login-lost');
      await page.click('a[href*="auth/login"]');
      // The provider still knows who it is; another one asks again.
      await page.waitForSelector('.dashboard, button[value="u_42"]');
      if (await page.locator('button[value="u_42"]').count()) await page.click('button[value="u_42"]');
      await page.waitForSelector('.dashboard');
    });

    test('a browser that keeps no cookies is told so', async () => {
      await refuseCookies(page);
      await page.goto(system.appOrigin);
      await page.waitForSelector('text=Your browser refuses cookies');
      await pictures(page, 'no-cookies');
      await page.click('#sign-in');
      await page.waitForURL(`${system.provider.issuer}/**`);
      await person.clearCookies({ domain: SHOP_HOST });
      await page.click('button[value="u_42"]');
      await page.waitForURL(`${system.appUrl}/auth/callback**`);
      assert.match(await page.textContent('body'), /cookie/i);
      assert.equal(await sessionCookie(), undefined);
    });

    if (kind === 'oidc-provider') {
      test('who thinks better of it at the provider is not signed in', async () => {
        await toLogin();
        await page.click('button[name="cancel"]');
        await page.waitForURL(`${system.appUrl}/auth/callback**`);
        await pictures(page, 'login-cancelled');
        assert.equal(await sessionCookie(), undefined);
      });
    }

    /** The answer that the provider gives a browser, taken from it on its way. */
    async function takenAnswer(context, user) {
      const victim = await newPage(context);
      await toLogin(victim);
      const answer = taken(victim, `${system.appUrl}/auth/callback*`);
      await victim.click(`button[value="${user}"]`);
      return answer;
    }

    test('nobody is signed in by another\'s answer', async () => {
      const mallory = await newPerson(browser);
      try {
        const answer = await takenAnswer(mallory, 'u_7');
        // Into a browser that asked for nothing, and into one that waits for an answer of its own.
        await page.goto(answer);
        assert.equal(await sessionCookie(), undefined);
        await toLogin();
        await page.goto(answer);
        assert.equal(await sessionCookie(), undefined);
        await signIn();
        await page.goto(answer);
        await page.goto(system.appOrigin);
        await page.waitForSelector('.dashboard');
        assert.match(await page.textContent('h1'), /Ada Lovelace$/);
      } finally {
        await mallory.close();
      }
    });

    test('an answer with a state of nobody\'s is refused', async () => {
      await page.goto(`${system.appUrl}/auth/callback?code=x&state=${'A'.repeat(43)}&iss=${encodeURIComponent(system.provider.issuer)}`);
      assert.equal(await sessionCookie(), undefined);
      assert.equal(new URL(page.url()).origin, system.appOrigin);
    });

    test('returnTo leads nowhere else', async () => {
      for (const returnTo of ['//evil.example', '/\\evil.example', '/%2f%2fevil.example', 'https://evil.example/', 'javascript:alert(1)', '/\t/evil.example']) {
        const answer = await page.goto(`${system.appUrl}/auth/login?${new URLSearchParams({ returnTo })}`);
        assert.equal(answer.status(), 400, returnTo);
        assert.equal(new URL(page.url()).origin, system.appOrigin);
      }
    });

    test('another site can do nothing with the session', async () => {
      await signIn();
      const evil = await person.newPage();
      await evil.route(`${system.provider.issuer}/evil`, (route) => route.fulfill({ contentType: 'text/html', body: '<h1>Win a lamp</h1>' }));
      await evil.goto(`${system.provider.issuer}/evil`);
      const seen = await evil.evaluate(async (url) => {
        const tries = [['/auth/logout', 'POST'], ['/orders', 'POST'], ['/dashboard', 'GET']];
        return Promise.all(tries.flatMap(([path, method]) => ['no-cors', 'cors'].map((mode) =>
          fetch(url + path, { method, mode, credentials: 'include' }).then((answer) => answer.type, () => 'refused'))));
      }, system.appUrl);
      assert.ok(seen.every((outcome) => ['opaque', 'refused'].includes(outcome)), seen.join());
      // A form can be sent without a script, and a page can be framed.
      await evil.setContent(`<form method="post" action="${system.appUrl}/auth/logout"><button>Win</button></form><iframe src="${system.appOrigin}/"></iframe>`);
      await evil.waitForTimeout(300);
      assert.equal(await evil.frames()[1].locator('.brand').count(), 0, 'the app is in a frame');
      const answered = evil.waitForResponse(`${system.appUrl}/auth/logout`);
      await evil.click('button');
      await answered;
      assert.ok(await sessionCookie(), 'another site has taken the cookie away');
      await page.reload();
      await page.waitForSelector('.dashboard');
    });
  });
}
