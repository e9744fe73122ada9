// A real identity provider that none of us wrote (oidc-provider, certified), set up as an adopter might, and able to
// misbehave on purpose. Browsers find it under its issuer's name over TLS; programs at a loopback port without.

import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';

import { Provider, errors } from 'oidc-provider';

import { claimsOf, demoKey, isSignedBy, makeToken, newKey } from './jwt.mjs';
import { choice, page } from './provider_pages.mjs';
import { Store } from './store.mjs';

export const CLIENT = 'web-bff';
const SECRET = 'demo-secret-of-web-bff';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const SERVICES = ['users', 'orders', 'catalog', 'notifications', 'billing', 'usage'];
const BFFS = ['web-bff', 'mobile-bff', 'partner-bff'];
const USER_SCOPES = 'openid profile orders:read orders:write catalog:read profile:read';
const NAMES = { u_1: 'Grace Hopper', u_7: 'Alan Turing', u_42: 'Ada Lovelace' };
const RESOURCE = 'urn:triptych:shop';

/** How it behaves when nothing is wrong. Times are in seconds. */
const WELL = {
  /** Waits this many milliseconds before it answers a program. */
  slow: 0,
  /** 'refused': nobody listens; 'error': every answer is a 503. */
  down: null,
  /** What the callback says instead of the issuer. */
  issuer: null,
  /** What the ID token says instead of the nonce. */
  nonce: null,
  accessTokenLife: 3600,
  sessionLife: 86_400,
};

export const nameOf = (user) => NAMES[user] ?? `Customer ${user.slice(2)}`;

/**
 * Starts it. `issuer` is its name, `port` and `tlsPort` where it listens, `tls` the key and certificate for browsers,
 * `appUrl` the public URL of web-bff, `backchannel` where web-bff hears of ended sessions.
 */
export async function startProvider({ issuer, port, tlsPort, tls, appUrl, backchannel }) {
  const store = new Store();
  const accessKey = demoKey();
  const state = { ...WELL, idKeys: [newKey()], grants: {}, issued: [] };
  const origin = new URL(appUrl).origin;
  let provider = build();

  function build() {
    const built = new Provider(issuer, {
      adapter: store.adapter,
      clients: [client()],
      jwks: { keys: [accessKey, ...state.idKeys].map(({ jwk }) => jwk) },
      cookies: { keys: ['a test has no secrets'] },
      conformIdTokenClaims: false,
      claims: { openid: ['sub'], profile: ['name'] },
      scopes: ['openid', 'profile', 'offline_access'],
      pkce: { required: () => true },
      rotateRefreshToken: true,
      issueRefreshToken: async () => true,
      findAccount: (ctx, id) => account(id),
      loadExistingGrant: granted,
      interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
      ttl: { AccessToken: life, ClientCredentials: life, IdToken: 600, AuthorizationCode: 60, RefreshToken: sessionLife, Session: sessionLife, Grant: sessionLife, Interaction: 600 },
      formats: { customizers: { jwt: asDemoShopReads } },
      // A back-channel call goes to loopback here, which the provider would otherwise refuse to do.
      fetch: (url, options) => fetch(url, { ...options, dispatcher: undefined }),
      renderError: (ctx, out) => {
        ctx.type = 'html';
        ctx.body = page('Error', `<h1>This does not work</h1><p>${out.error}: ${out.error_description ?? ''}</p>`);
      },
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        revocation: { enabled: true },
        backchannelLogout: { enabled: true },
        rpInitiatedLogout: { enabled: true, logoutSource: askToLeave, postLogoutSuccessSource: left },
        resourceIndicators: {
          enabled: true,
          defaultResource: () => RESOURCE,
          useGrantedResource: () => true,
          getResourceServerInfo: () => ({ scope: USER_SCOPES, audience: CLIENT, accessTokenFormat: 'jwt', accessTokenTTL: life(), jwt: { sign: { alg: 'EdDSA', kid: accessKey.id } } }),
        },
      },
    });
    built.proxy = true;
    built.registerGrantType(EXCHANGE, exchange, ['audience', 'subject_token', 'subject_token_type', 'requested_token_type', 'scope']);
    built.on('grant.success', (ctx) => {
      const grant = ctx.oidc.params.grant_type;
      state.grants[grant] = (state.grants[grant] ?? 0) + 1;
      state.issued.push(...['access_token', 'refresh_token', 'id_token'].map((name) => ctx.body[name]).filter(Boolean));
    });
    built.on('server_error', (ctx, error) => console.error(error));
    return built;
  }

  function client() {
    return {
      client_id: CLIENT, client_secret: SECRET, token_endpoint_auth_method: 'client_secret_basic',
      redirect_uris: [`${appUrl}/auth/callback`], post_logout_redirect_uris: [origin, `${origin}/`], response_types: ['code'],
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials', EXCHANGE],
      id_token_signed_response_alg: 'ES256',
      backchannel_logout_uri: backchannel, backchannel_logout_session_required: true,
    };
  }

  function life() {
    return state.accessTokenLife;
  }

  function sessionLife() {
    return state.sessionLife;
  }

  /** The domain services of the demo read what RFC 9068 leaves open in their own way. */
  function asDemoShopReads(ctx, token, { payload }) {
    const service = token.kind === 'ClientCredentials';
    payload.nbf = payload.iat;
    payload.aud = service ? [...BFFS, ...SERVICES] : [CLIENT];
    payload.scope = service ? 'service' : USER_SCOPES;
  }

  /** RFC 8693: the same person, for one service. */
  async function exchange(ctx, next) {
    const { audience, subject_token: token, subject_token_type: type } = ctx.oidc.params;
    if (type !== ACCESS_TOKEN || !token || !isSignedBy(accessKey, token)) throw new errors.InvalidRequest('the subject token is not one of ours');
    if (!SERVICES.includes(audience)) throw new errors.InvalidTarget('there is no such service');
    const subject = claimsOf(token);
    const now = Math.floor(Date.now() / 1000);
    if (subject.exp <= now || ![subject.aud].flat().includes(CLIENT)) throw new errors.InvalidRequest('the subject token is not valid here');
    const exp = Math.min(subject.exp, now + life());
    const claims = { ...subject, aud: [audience], iat: now, nbf: now, exp, jti: crypto.randomUUID(), client_id: CLIENT, act: { sub: CLIENT } };
    ctx.body = { access_token: makeToken(accessKey, 'at+jwt', claims), issued_token_type: ACCESS_TOKEN, token_type: 'Bearer', expires_in: exp - now, scope: claims.scope };
    await next?.();
  }

  /** Nobody is asked to consent: the app and the provider are one house. */
  async function granted(ctx) {
    const { client, session, result } = ctx.oidc;
    const id = result?.consent?.grantId ?? session.grantIdFor(client.clientId);
    const found = id && (await ctx.oidc.provider.Grant.find(id));
    if (found) return found;
    const grant = new ctx.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope('openid profile offline_access');
    grant.addResourceScope(RESOURCE, USER_SCOPES);
    await grant.save();
    return grant;
  }

  async function answer(request, response) {
    const path = request.url.split('?')[0];
    if (path === '/_control') return control(request, response);
    if (state.down === 'error') return response.writeHead(503, { 'Content-Type': 'text/html' }).end('<h1>Down for maintenance</h1>');
    if (state.slow && !path.startsWith('/interaction') && path !== '/auth') await new Promise((resolve) => setTimeout(resolve, state.slow));
    if (path.startsWith('/interaction/')) return interaction(request, response);
    misbehave(request, response, path);
    // Whoever dials a loopback port is told the names that browsers know.
    request.headers.host = new URL(issuer).host;
    request.headers['x-forwarded-proto'] = new URL(issuer).protocol.slice(0, -1);
    return provider.callback()(request, response);
  }

  function misbehave(request, response, path) {
    if (state.nonce && path === '/auth') request.url = request.url.replace(/([?&]nonce=)[^&]*/, `$1${state.nonce}`);
    if (!state.issuer) return;
    const set = response.setHeader.bind(response);
    response.setHeader = (name, value) => set(name, name.toLowerCase() === 'location' ? otherIssuer(value) : value);
  }

  function otherIssuer(location) {
    const url = new URL(location, issuer);
    if (url.searchParams.has('iss')) url.searchParams.set('iss', state.issuer);
    return url.href;
  }

  /** The login page: shown, or sent back. */
  async function interaction(request, response) {
    request.headers.host = new URL(issuer).host;
    const details = await provider.interactionDetails(request, response).catch(() => null);
    if (!details) return html(response, 400, page('Expired', '<h1>This page has expired</h1><p>Go back and sign in again.</p>'));
    if (request.method !== 'POST') return html(response, 200, choice(details.params.client_id, nameOf));
    const form = new URLSearchParams(await text(request));
    if (form.has('cancel')) return provider.interactionFinished(request, response, { error: 'access_denied' });
    const user = form.get('user') ?? '';
    if (!account(user)) return html(response, 400, choice(details.params.client_id, nameOf));
    return provider.interactionFinished(request, response, { login: { accountId: user } });
  }

  /** `PUT {"slow": 500}` or any other of WELL; `POST {"endSessionsOf": "u_42"}`, `POST {"rotateKeys": true}`; `DELETE` makes it well. */
  async function control(request, response) {
    const body = JSON.parse((await text(request)) || '{}');
    if (request.method === 'PUT') await misbehaveFromNowOn(body);
    if (request.method === 'DELETE') await misbehaveFromNowOn(WELL);
    if (body.rotateKeys) rotateKeys();
    const ended = body.endSessionsOf ? await endSessionsOf(body.endSessionsOf) : [];
    return response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ ended, grants: state.grants }));
  }

  async function misbehaveFromNowOn(change) {
    const unknown = Object.keys(change).filter((name) => !(name in WELL));
    if (unknown.length) throw new Error(`${unknown}: must be of ${Object.keys(WELL)}`);
    const wasRefusing = state.down === 'refused';
    Object.assign(state, change);
    if (state.down === 'refused' && !wasRefusing) await stopListening();
    if (wasRefusing && state.down !== 'refused') await listen();
  }

  /** New keys for ID tokens and logout tokens; those that sign access tokens are known to the domain services by heart. */
  function rotateKeys() {
    state.idKeys = [newKey()];
    provider = build();
  }

  /** As an administrator would: their sessions end here, and the app is told. */
  async function endSessionsOf(user) {
    const told = [];
    for (const session of store.all('Session').filter(({ accountId }) => accountId === user)) {
      const { sid, grantId } = session.authorizations?.[CLIENT] ?? {};
      await store.adapter('Session').destroy(session.jti);
      if (grantId) await revoke(grantId);
      if (sid) told.push(await tell(user, sid));
    }
    return told;
  }

  /** Takes back what a user was given, without a word to the app. */
  async function forget(user) {
    for (const { jti, accountId } of store.all('Grant')) if (accountId === user) await revoke(jti);
  }

  async function revoke(grantId) {
    await store.adapter('Grant').destroy(grantId);
    await store.adapter('RefreshToken').revokeByGrantId(grantId);
  }

  async function tell(user, sid) {
    const app = await provider.Client.find(CLIENT);
    return app.backchannelLogout(user, sid).then(() => 'told', (error) => error.message);
  }

  /** A logout token as web-bff must take it; `change` makes it one that it must not. */
  function logoutToken(user, change = {}, { key = state.idKeys[0], type = 'logout+jwt' } = {}) {
    const now = Math.floor(Date.now() / 1000);
    const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
    return makeToken(key, type, { iss: issuer, aud: CLIENT, iat: now, exp: now + 120, jti: crypto.randomUUID(), sub: user, events, ...change });
  }

  let servers = [];

  async function listen() {
    const listener = (request, response) => answer(request, response).catch((error) => response.destroy(error));
    const wanted = [[createServer(listener), port], ...(tls ? [[createTlsServer(tls, listener), tlsPort]] : [])];
    servers = await Promise.all(wanted.map(([server, at]) => new Promise((resolve, reject) => {
      server.once('error', reject).listen(at, '127.0.0.1', () => resolve(server));
    })));
  }

  async function stopListening() {
    await Promise.all(servers.map((server) => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    })));
    servers = [];
  }

  await listen();
  return { issuer, url: `http://127.0.0.1:${servers[0].address().port}`, state, be: misbehaveFromNowOn, heal: () => misbehaveFromNowOn(WELL), rotateKeys, endSessionsOf, forget, logoutToken, stop: stopListening };
}

function account(id) {
  const number = /^u_([1-9]\d{0,3})$/.exec(id)?.[1];
  if (!number || Number(number) > 1000) return undefined;
  return { accountId: id, claims: () => ({ sub: id, name: nameOf(id) }) };
}

function askToLeave(ctx, form) {
  ctx.body = page('Sign out', `<h1>Sign out here too?</h1>${form}<button form="op.logoutForm" name="logout" value="yes" autofocus>Yes, sign out</button>`);
}

function left(ctx) {
  ctx.body = page('Signed out', '<h1>You are signed out</h1>');
}

function html(response, status, body) {
  response.writeHead(status, { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-store' }).end(body);
}

async function text(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
