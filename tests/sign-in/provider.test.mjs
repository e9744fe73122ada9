// The provider of the other tests, asked by a client of its own: what fails here is the test equipment.

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { Agent } from './agent.mjs';
import { startShop } from './harness.mjs';
import { claimsOf } from './jwt.mjs';
import { freePorts } from './processes.mjs';
import { startProvider } from './provider.mjs';

const APP = 'http://127.0.0.1:1/web';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

let provider;
let shop;
let ear;
const heard = [];
const stops = [];

before(async () => {
  const base = await freePorts(8);
  const issuer = `http://127.0.0.1:${base + 7}`;
  ear = createServer((request, response) => {
    request.on('data', (data) => heard.push(String(data))).on('end', () => response.end());
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => ear.once('listening', resolve));
  provider = await startProvider({ issuer, port: base + 7, appUrl: APP, backchannel: `http://127.0.0.1:${ear.address().port}/` });
  shop = await startShop(base, issuer, { foreign: true, shop: [] }, (stop) => stops.push(stop));
});
after(async () => {
  for (const stop of stops) await stop();
  await provider?.stop();
  ear?.close();
});

const token = async (form) => {
  const headers = { authorization: `Basic ${btoa('web-bff:demo-secret-of-web-bff')}` };
  return (await fetch(`${provider.url}/token`, { method: 'POST', headers, body: new URLSearchParams(form) })).json();
};

/** Signs somebody in; answers with what the code was redeemed for, and how it was redeemed. */
async function signIn(user) {
  const agent = new Agent();
  const verifier = randomBytes(32).toString('base64url');
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const asked = { response_type: 'code', client_id: 'web-bff', redirect_uri: `${APP}/auth/callback`, scope: 'openid profile', state: 's', nonce: 'n', code_challenge: challenge, code_challenge_method: 'S256' };
  let answer = await agent.visit(`${provider.url}/auth?${new URLSearchParams(asked)}`);
  while (!answer.location?.href.startsWith(APP)) {
    const choosing = answer.status === 200;
    answer = choosing
      ? await agent.visit(answer.url, { method: 'POST', body: `user=${user}`, headers: { 'content-type': 'application/x-www-form-urlencoded' } })
      : await agent.visit(answer.location);
  }
  const redemption = { grant_type: 'authorization_code', code: answer.location.searchParams.get('code'), redirect_uri: asked.redirect_uri, code_verifier: verifier };
  return { answer: answer.location.searchParams, redemption, tokens: await token(redemption) };
}

const exchanged = (subjectToken, audience) => token({ grant_type: EXCHANGE, audience, subject_token: subjectToken, subject_token_type: ACCESS_TOKEN });
const ordersOf = (user, accessToken) => fetch(`${shop.url('orders')}/orders?userId=${user}&limit=1`, { headers: { authorization: `Bearer ${accessToken}` } });

test('it signs in, and the shop takes a token that was exchanged for it and no other', async () => {
  const { answer, tokens } = await signIn('u_42');
  assert.equal(answer.get('iss'), provider.issuer);
  const { sub, name, nonce, aud } = claimsOf(tokens.id_token);
  assert.deepEqual({ sub, name, nonce, aud }, { sub: 'u_42', name: 'Ada Lovelace', nonce: 'n', aud: 'web-bff' });
  assert.equal((await ordersOf('u_42', tokens.access_token)).status, 401);
  const { access_token: forOrders } = await exchanged(tokens.access_token, 'orders');
  assert.equal((await ordersOf('u_42', forOrders)).status, 200);
  assert.equal((await ordersOf('u_7', forOrders)).status, 403);
  assert.equal((await exchanged(`${tokens.access_token}x`, 'orders')).error, 'invalid_request');
  assert.equal((await exchanged(tokens.access_token, 'elsewhere')).error, 'invalid_target');
});

test('its service token opens what is public', async () => {
  const { access_token: service } = await token({ grant_type: 'client_credentials' });
  const answer = await fetch(`${shop.url('catalog')}/promos`, { headers: { authorization: `Bearer ${service}` } });
  assert.equal(answer.status, 200);
});

test('a code and a refresh token work once', async () => {
  const { redemption, tokens } = await signIn('u_42');
  const renewed = await token({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token });
  assert.equal(claimsOf(renewed.access_token).sub, 'u_42');
  assert.notEqual(renewed.refresh_token, tokens.refresh_token);
  assert.equal((await token({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token })).error, 'invalid_grant');
  // One that is used again takes all with it.
  assert.equal((await token({ grant_type: 'refresh_token', refresh_token: renewed.refresh_token })).error, 'invalid_grant');
  assert.equal((await token(redemption)).error, 'invalid_grant');
});

test('it misbehaves when it is told to', async () => {
  await provider.be({ issuer: 'https://evil.example', nonce: 'another', accessTokenLife: 1 });
  const { answer, tokens } = await signIn('u_7');
  assert.equal(answer.get('iss'), 'https://evil.example');
  assert.equal(claimsOf(tokens.id_token).nonce, 'another');
  assert.equal(tokens.expires_in, 1);
  await provider.heal();
  const keys = async () => (await (await fetch(`${provider.url}/jwks`)).json()).keys.map(({ kid }) => kid);
  const before = await keys();
  provider.rotateKeys();
  const now = await keys();
  assert.deepEqual([before[0] === now[0], before[1] === now[1]], [true, false]);
  await provider.be({ down: 'refused' });
  await assert.rejects(fetch(`${provider.url}/jwks`));
  await provider.be({ down: 'error' });
  assert.equal((await fetch(`${provider.url}/jwks`)).status, 503);
  await provider.heal();
  assert.equal((await fetch(`${provider.url}/jwks`)).status, 200);
});

test('it ends sessions and says so, and takes back what it gave', async () => {
  const { tokens } = await signIn('u_1');
  heard.length = 0;
  assert.deepEqual(await provider.endSessionsOf('u_1'), ['told']);
  const { sub, sid, events } = claimsOf(new URLSearchParams(heard.join('')).get('logout_token'));
  assert.equal(sub, 'u_1');
  assert.equal(sid, claimsOf(tokens.id_token).sid);
  assert.ok('http://schemas.openid.net/event/backchannel-logout' in events);
  assert.equal((await token({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token })).error, 'invalid_grant');
});
