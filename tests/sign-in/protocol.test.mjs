// Signing in, staying signed in and signing out, without a screen: every test runs with both providers.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';

import { PROVIDERS, signedIn, startSystem, until, walkToCallback } from './harness.mjs';
import { claimsOf, newKey } from './jwt.mjs';

const COOKIE = '__Host-Http-triptych';
const LOGIN_COOKIE = /^__Host-Http-triptych-login-[0-9a-f]{8}$/;
const CROSS_SITE = { site: 'cross-site' };

const session = async (system, agent) => (await agent.fetch(`${system.appUrl}/auth/session`)).json;
const dashboard = (system, agent) => agent.fetch(`${system.appUrl}/dashboard`);
const loginCookies = (agent) => [...agent.cookies.values()].filter(({ name }) => LOGIN_COOKIE.test(name));

async function isSignedIn(system, agent, user = 'u_42') {
  assert.equal((await session(system, agent)).user?.id, user);
  assert.equal((await dashboard(system, agent)).status, 200);
}

async function isNobody(system, agent) {
  assert.deepEqual(await session(system, agent), { authenticated: false });
  assert.equal((await dashboard(system, agent)).status, 401);
}

/** A page for people, and no session: what a sign-in that went wrong must end in. */
function isRefusal(agent, answer) {
  assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status}`);
  assert.match(answer.headers['content-type'], /^text\/html/);
  assert.match(answer.headers['content-security-policy'], /default-src 'none'/);
  assert.equal(agent.cookie(COOKIE), undefined);
}

for (const kind of PROVIDERS) {
  describe(`with ${kind}`, () => {
    let system;
    before(async () => (system = await startSystem(kind)));
    after(() => system?.stop());

    test('a sign-in ends in a session that no script can read', async () => {
      const agent = system.agent();
      const callback = await walkToCallback(system, agent, 'u_42', '/?from=a%20mail');
      assert.equal(loginCookies(agent).length, 1);
      const answer = await agent.visit(callback, CROSS_SITE);
      assert.equal(answer.status, 303);
      assert.equal(answer.location.href, `${system.appOrigin}/?from=a%20mail`);
      const set = answer.headers['set-cookie'].find((header) => header.startsWith(`${COOKIE}=`));
      for (const attribute of ['Secure', 'HttpOnly', 'SameSite=Strict', 'Path=/']) assert.match(set, new RegExp(`; ?${attribute}(;|$)`, 'i'));
      assert.doesNotMatch(set, /domain=/i);
      assert.equal(loginCookies(agent).length, 0);
      const { authenticated, user, expiresAt, endsSoon } = await session(system, agent);
      assert.deepEqual({ authenticated, user, endsSoon }, { authenticated: true, user: { id: 'u_42', name: 'Ada Lovelace' }, endsSoon: false });
      assert.ok(Date.parse(expiresAt) > Date.now());
      const page = (await dashboard(system, agent)).json;
      assert.equal(page.user.name, 'Ada Lovelace');
      assert.equal(page.orders.length, 50);
      assert.deepEqual(page.warnings.filter(({ status }) => status !== 'not_found'), []);
      for (const body of agent.bodies) assert.doesNotMatch(body, /eyJ[\w-]{10,}\.[\w-]{10,}\./, 'a token is in a body');
    });

    test('a bearer token opens nothing', async () => {
      const answer = await system.agent().fetch(`${system.appUrl}/dashboard`, { headers: { authorization: 'Bearer x.y.z' } });
      assert.equal(answer.status, 401);
    });

    test('a new sign-in makes a new session and ends the one before', async () => {
      const agent = await signedIn(system);
      const thief = agent.copy();
      const old = agent.cookie(COOKIE);
      await agent.visit(await walkToCallback(system, agent), CROSS_SITE);
      assert.notEqual(agent.cookie(COOKIE), old);
      await isSignedIn(system, agent);
      await isNobody(system, thief);
    });

    test('an id that was made up opens nothing and is not adopted', async () => {
      const agent = system.agent();
      agent.keep(new URL(system.appUrl), [`${COOKIE}=${'A'.repeat(43)}`]);
      await isNobody(system, agent);
      await agent.visit(await walkToCallback(system, agent), CROSS_SITE);
      assert.notEqual(agent.cookie(COOKIE), 'A'.repeat(43));
    });

    test('returnTo leads nowhere but to our own pages', async () => {
      for (const returnTo of ['//evil.example', '/\\evil.example', '/%2f%2fevil.example', 'https://evil.example/', 'javascript:alert(1)', '/\t/evil.example', '/a\r\nSet-Cookie: a=b', 'x']) {
        const answer = await system.agent().visit(`${system.appUrl}/auth/login?${new URLSearchParams({ returnTo })}`);
        assert.equal(answer.status, 400, JSON.stringify(returnTo));
        assert.equal(answer.location, undefined);
      }
    });

    test('a code works once, and only in the browser that asked for it', async () => {
      const [agent, other] = [system.agent(), system.agent()];
      const callback = await walkToCallback(system, agent);
      isRefusal(other, await other.visit(callback, CROSS_SITE));
      const copy = agent.copy();
      assert.equal((await agent.visit(callback, CROSS_SITE)).status, 303);
      // The same answer again, from the browser as it was before the first time: it leads to another sign-in.
      const again = await copy.visit(callback, CROSS_SITE);
      assert.equal(again.location.pathname, '/web/auth/login');
      assert.equal(copy.cookie(COOKIE), undefined);
      await isSignedIn(system, agent);
    });

    test('two browsers that swap their answers sign in nobody', async () => {
      const [ada, mallory] = [system.agent(), system.agent()];
      const [forAda, forMallory] = [await walkToCallback(system, ada, 'u_42'), await walkToCallback(system, mallory, 'u_7')];
      isRefusal(ada, await ada.visit(forMallory, CROSS_SITE));
      isRefusal(mallory, await mallory.visit(forAda, CROSS_SITE));
      // One's state with another's code: the provider refuses it, since the verifier is another one.
      forAda.searchParams.set('code', forMallory.searchParams.get('code'));
      isRefusal(ada, await ada.visit(forAda, CROSS_SITE));
    });

    test('an answer of another issuer, or of none, is refused', async () => {
      for (const issuer of ['https://evil.example', '']) {
        const agent = system.agent();
        const callback = await walkToCallback(system, agent);
        if (issuer) callback.searchParams.set('iss', issuer);
        else callback.searchParams.delete('iss');
        isRefusal(agent, await agent.visit(callback, CROSS_SITE));
      }
    });

    test('two sign-ins at once in one browser both end well', async () => {
      const agent = system.agent();
      const first = await walkToCallback(system, agent);
      const second = await walkToCallback(system, agent);
      for (const callback of [first, second]) assert.equal((await agent.visit(callback, CROSS_SITE)).status, 303);
      await isSignedIn(system, agent);
    });

    test('a browser keeps five attempts and no more', async () => {
      const agent = system.agent();
      for (let attempt = 0; attempt < 7; attempt++) await agent.visit(`${system.appUrl}/auth/login`);
      assert.equal(loginCookies(agent).length, 5);
    });

    test('a browser that keeps no cookies is told so', async () => {
      const agent = system.agent();
      const callback = await walkToCallback(system, agent);
      agent.cookies.clear();
      const answer = await agent.visit(callback, CROSS_SITE);
      isRefusal(agent, answer);
      assert.match(answer.text, /cookie/i);
    });

    test('other sites can neither write nor read', async () => {
      const agent = await signedIn(system);
      const attempts = [
        { method: 'POST', headers: { 'x-csrf': '' } },
        { method: 'POST', headers: { 'sec-fetch-site': 'cross-site' } },
        { method: 'POST', headers: { 'sec-fetch-site': 'same-site' } },
      ];
      for (const { method, headers } of attempts) {
        for (const path of ['/auth/logout', '/orders', '/notifications/n_1/read']) {
          const answer = await agent.fetch(system.appUrl + path, { method, headers, json: {} });
          assert.equal(answer.status, 403, `${path} ${JSON.stringify(headers)}`);
          assert.equal(answer.json.type, 'urn:triptych:problem:cross-site');
        }
      }
      assert.equal((await agent.fetch(`${system.appUrl}/dashboard`, { headers: { 'sec-fetch-site': 'cross-site' } })).status, 403);
      await isSignedIn(system, agent);
    });

    test('signing out ends the session everywhere and leads to the provider and back', async () => {
      const agent = await signedIn(system);
      const copy = agent.copy();
      const answer = await agent.fetch(`${system.appUrl}/auth/logout`, { method: 'POST' });
      assert.equal(answer.status, 200);
      const target = new URL(answer.json.redirectTo);
      assert.equal(target.origin, new URL(system.provider.issuer).origin);
      assert.equal(target.searchParams.get('client_id'), 'web-bff');
      assert.equal(target.searchParams.get('post_logout_redirect_uri'), `${system.appOrigin}/`);
      assert.equal(target.searchParams.get('id_token_hint'), null);
      assert.equal(agent.cookie(COOKIE), undefined);
      await isNobody(system, copy);
    });

    test('a logout that races a hundred requests leaves no session alive', async () => {
      const agent = await signedIn(system);
      const copy = agent.copy();
      const requests = Array.from({ length: 100 }, () => dashboard(system, copy));
      await agent.fetch(`${system.appUrl}/auth/logout`, { method: 'POST' });
      for (const { status } of await Promise.all(requests)) assert.ok([200, 401].includes(status), `${status}`);
      await isNobody(system, copy);
    });

    test('a back-channel logout ends the sessions of its user, and only those', async () => {
      const [ada, alan] = [await signedIn(system, 'u_42'), await signedIn(system, 'u_7')];
      await system.provider.endSessionsOf('u_42');
      await isNobody(system, ada);
      await isSignedIn(system, alan, 'u_7');
    });

    test('a logout token that is forged, stale or used before ends nothing', async () => {
      const agent = await signedIn(system, 'u_1');
      const tell = (token) => agent.send(`${system.direct}/auth/backchannel-logout`, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: `logout_token=${token}` });
      const make = (...how) => system.provider.logoutToken('u_1', ...how);
      const now = Math.floor(Date.now() / 1000);
      const forged = {
        'another key': make({}, { key: newKey() }),
        'another issuer': make({ iss: 'https://evil.example' }),
        'another audience': make({ aud: 'mobile-bff' }),
        'a nonce': make({ nonce: 'n' }),
        'no event': make({ events: {} }),
        'no id': make({ jti: undefined }),
        'nobody': make({ sub: undefined }),
        'an old one': make({ iat: now - 3600, exp: now - 3500 }),
        'another type': make({}, { type: 'at+jwt' }),
        'no signature': make().replace(/[^.]*$/, ''),
      };
      for (const [what, token] of Object.entries(forged)) {
        const answer = await tell(token);
        assert.equal(answer.status, 400, what);
        assert.match(answer.headers['cache-control'], /no-store/);
      }
      await isSignedIn(system, agent, 'u_1');
      const token = make();
      assert.equal((await tell(token)).status, 200);
      await isNobody(system, agent);
      await agent.visit(await walkToCallback(system, agent, 'u_1'), CROSS_SITE);
      assert.equal((await tell(token)).status, 400, 'a token that was used before');
      await isSignedIn(system, agent, 'u_1');
    });
  });
}

describe('when a token has to be renewed (oidc-provider)', () => {
  let system;
  before(async () => (system = await startSystem('oidc-provider')));
  afterEach(() => system?.provider.heal());
  after(() => system?.stop());

  /** Signed in, with an access token that is as good as over: the next request needs another one. */
  async function withOldToken(user) {
    await system.provider.be({ accessTokenLife: 1 });
    const agent = await signedIn(system, user);
    await system.provider.heal();
    const [token] = system.provider.state.issued.filter((issued) => issued.split('.').length === 3 && claimsOf(issued).sub === user && claimsOf(issued).scope).slice(-1);
    // A second more: who asked for it counts from then, and `exp` has no fractions.
    await until('the token is over', () => claimsOf(token).exp + 1 <= Date.now() / 1000);
    return agent;
  }

  const redemptions = () => system.provider.state.grants.refresh_token ?? 0;

  test('fifty requests at once redeem the refresh token once', async () => {
    const agent = await withOldToken('u_42');
    const earlier = redemptions();
    const answers = await Promise.all(Array.from({ length: 50 }, () => dashboard(system, agent)));
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    assert.equal(redemptions() - earlier, 1);
    await isSignedIn(system, agent);
  });

  for (const [how, trouble] of [['down', { down: 'refused' }], ['answering nonsense', { down: 'error' }], ['slow', { slow: 4_000 }]]) {
    test(`a provider that is ${how} logs nobody out`, async () => {
      const agent = await withOldToken('u_1');
      await system.provider.be(trouble);
      const answer = await dashboard(system, agent);
      assert.ok([503, 504].includes(answer.status), `${answer.status}`);
      const said = await agent.fetch(`${system.appUrl}/auth/session`);
      assert.ok(said.status === 503 || said.json.authenticated, 'nobody can tell, so nobody says that it is over');
      assert.ok(agent.cookie(COOKIE));
      await system.provider.heal();
      await until('the session goes on', async () => (await dashboard(system, agent)).status === 200);
      await isSignedIn(system, agent, 'u_1');
    });
  }

  test('a token that is still good is used while the provider is down', async () => {
    const agent = await signedIn(system, 'u_7');
    await isSignedIn(system, agent, 'u_7');
    await system.provider.be({ down: 'refused' });
    await isSignedIn(system, agent, 'u_7');
    await system.provider.heal();
  });

  test('a refresh token that is refused ends the session, and says so', async () => {
    const agent = await withOldToken('u_100');
    await system.provider.forget('u_100');
    await until('the session has ended', async () => (await dashboard(system, agent)).status === 401);
    await isNobody(system, agent);
  });

  test('rotated keys do not disturb a session or a sign-in', async () => {
    const agent = await withOldToken('u_42');
    system.provider.rotateKeys();
    await isSignedIn(system, agent);
    await isSignedIn(system, await signedIn(system, 'u_7'), 'u_7');
  });

  test('an ID token with another nonce signs in nobody', async () => {
    const agent = system.agent();
    await system.provider.be({ nonce: 'another' });
    isRefusal(agent, await agent.visit(await walkToCallback(system, agent), CROSS_SITE));
    await system.provider.heal();
  });

  test('a provider that names another issuer signs in nobody', async () => {
    const agent = system.agent();
    await system.provider.be({ issuer: 'https://evil.example' });
    isRefusal(agent, await agent.visit(await walkToCallback(system, agent), CROSS_SITE));
    await system.provider.heal();
  });

  test('while the provider is down, a sign-in says so and can be tried again', async () => {
    const agent = system.agent();
    const callback = await walkToCallback(system, agent);
    await system.provider.be({ down: 'refused' });
    const answer = await agent.visit(callback, CROSS_SITE);
    assert.equal(answer.status, 503);
    assert.match(answer.text, /auth\/login/);
    await system.provider.heal();
    await agent.visit(await walkToCallback(system, agent), CROSS_SITE);
    await isSignedIn(system, agent);
  });
});

describe('when tokens live for seconds (demo-shop)', () => {
  let system;
  before(async () => (system = await startSystem('demo-shop', { shop: ['--token-lifetime', '3s'] })));
  afterEach(() => system?.provider.heal());
  after(() => system?.stop());

  test('a session outlives its tokens, also when fifty ask at once', async () => {
    const agent = await signedIn(system);
    const until = Date.now() + 7_000;
    while (Date.now() < until) {
      const answers = await Promise.all(Array.from({ length: 50 }, () => dashboard(system, agent)));
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    }
    await isSignedIn(system, agent);
  });

  test('a provider that is down logs nobody out', async () => {
    const agent = await signedIn(system);
    await system.provider.be({ down: 'error' });
    await until('the token is over', async () => [503, 504].includes((await dashboard(system, agent)).status));
    assert.ok(agent.cookie(COOKIE));
    await system.provider.heal();
    await until('the session goes on', async () => (await dashboard(system, agent)).status === 200);
    await isSignedIn(system, agent);
  });
});
