// The whole system on free ports: the shop, web-bff, the gateway over TLS, and one of two identity providers on another site.

import { execFileSync } from 'node:child_process';
import { X509Certificate, createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Agent } from './agent.mjs';
import { demoKey, makeToken } from './jwt.mjs';
import { Program, freePorts, until } from './processes.mjs';
import { CLIENT, startProvider } from './provider.mjs';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
const BIN = process.env.TRIPTYCH_BIN_DIR ?? join(ROOT, 'target/debug');
export const SHOP_HOST = 'shop.test';
export const LOGIN_HOST = 'login.example.test';
export const PROVIDERS = ['oidc-provider', 'demo-shop'];
const SERVICES = ['users', 'orders', 'catalog', 'notifications', 'billing', 'usage'];
const IDENTITY = SERVICES.length;

/**
 * Starts it with this provider. `settings` are more variables for web-bff, `shop` more arguments for demo-shop.
 * Whatever happens, call `stop()`: what was started before a failure is stopped here.
 */
export async function startSystem(kind, { settings = {}, shop = [] } = {}) {
  const stops = [];
  const stop = async () => {
    for (const end of stops.splice(0).reverse()) await end();
  };
  try {
    const system = await start(kind, { settings, shop }, (end) => stops.push(end));
    return { ...system, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(kind, { settings, shop }, onStop) {
  const tls = certificate(onStop);
  // The services and their provider in a row, then web-bff, the gateway's two, and the other provider's two.
  const base = await freePorts(IDENTITY + 6);
  const [web, plain, edge, login, tlsLogin] = [1, 2, 3, 4, 5].map((offset) => base + IDENTITY + offset);
  const appOrigin = `https://${SHOP_HOST}:${edge}`;
  const appUrl = `${appOrigin}/web`;
  const backchannel = `http://127.0.0.1:${web}/auth/backchannel-logout`;
  const foreign = kind === 'oidc-provider';
  const issuer = foreign ? `https://${LOGIN_HOST}:${tlsLogin}` : `http://${LOGIN_HOST}:${base + IDENTITY}`;

  const demo = await startShop(base, issuer, { appUrl, backchannel, foreign, shop }, onStop);
  const provider = foreign
    ? await startProvider({ issuer, port: login, tlsPort: tlsLogin, tls, appUrl, backchannel })
    : demoProvider(issuer, `http://127.0.0.1:${base + IDENTITY}`);
  onStop(() => provider.stop());
  await startWebBff({ base, web, appUrl, issuer, provider, settings }, onStop);
  await startGateway({ web, plain, edge, provider, tls }, onStop);
  const agent = () => new Agent(tls.cert);
  return { kind, appOrigin, appUrl, direct: `http://127.0.0.1:${web}`, tls, provider, shop: demo, agent };
}

/** For both names, signed by itself: Node trusts this one certificate, and Chromium this one key. */
function certificate(onStop) {
  const folder = mkdtempSync(join(tmpdir(), 'triptych-tls-'));
  onStop(() => rmSync(folder, { recursive: true }));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  const names = [SHOP_HOST, LOGIN_HOST].map((name) => `DNS:${name}`).join(',');
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', cert, '-days', '2', '-subj', `/CN=${SHOP_HOST}`, '-addext', `subjectAltName=${names}`], { stdio: 'pipe' });
  const content = readFileSync(cert);
  const spki = new X509Certificate(content).publicKey.export({ type: 'spki', format: 'der' });
  return { key: readFileSync(key), cert: content, files: { key, cert }, spkiHash: createHash('sha256').update(spki).digest('base64') };
}

export async function startShop(base, issuer, { appUrl, backchannel, foreign, shop }, onStop) {
  const own = foreign ? [] : ['--redirect-uri', `${appUrl}/auth/callback`, '--backchannel-logout-uri', backchannel];
  const program = new Program('demo-shop', [join(BIN, 'demo-shop'), '--base-port', String(base), '--issuer', issuer, ...own, ...shop]);
  onStop(() => program.stop());
  await program.until('listened', ({ log }) => log.includes('listening identity'));
  const url = (name) => `http://127.0.0.1:${base + (name === 'identity' ? IDENTITY : SERVICES.indexOf(name))}`;
  const bench = async (name, method, body) => {
    const answer = await fetch(`${url(name)}/_faults`, { method, body: body && JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${name} refuses these faults: ${await answer.text()}`);
  };
  return { url, strike: (name, rules) => bench(name, 'PUT', rules), heal: (name) => bench(name, 'DELETE') };
}

/** The shop's own provider, as far as it can what the other one can. */
function demoProvider(issuer, url) {
  const key = demoKey();
  const faults = (rules) => fetch(`${url}/_faults`, { method: 'PUT', body: JSON.stringify(rules) });
  return {
    issuer,
    url,
    be: ({ slow, down }) => faults([...(down ? [{ path: '*', mode: 'error', status: 503 }] : []), ...(slow ? [{ path: '*', mode: 'latency', latencyMs: slow }] : [])]),
    heal: () => fetch(`${url}/_faults`, { method: 'DELETE' }),
    async endSessionsOf(userId) {
      const answer = await fetch(`${url}/_sign-out`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ userId }) });
      return (await answer.json()).told;
    },
    logoutToken(user, change = {}, { key: signedWith = key, type = 'logout+jwt' } = {}) {
      const now = Math.floor(Date.now() / 1000);
      const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
      return makeToken(signedWith, type, { iss: issuer, aud: CLIENT, iat: now, exp: now + 120, jti: crypto.randomUUID(), sub: user, events, ...change });
    },
    stop() {},
  };
}

async function startWebBff({ base, web, appUrl, issuer, provider, settings }, onStop) {
  const upstreams = SERVICES.map((name, index) => [`BFF__UPSTREAMS__${name.toUpperCase()}__URL`, `http://127.0.0.1:${base + index}`]);
  const program = new Program('web-bff', [join(BIN, 'web-bff'), 'serve', '--config', join(ROOT, 'deploy/demo/web-bff.toml')], {
    ...Object.fromEntries(upstreams),
    BFF__LISTEN: `127.0.0.1:${web}`,
    BFF__ADMIN__LISTEN: '127.0.0.1:0',
    BFF__PUBLIC_URL: appUrl,
    BFF__IDENTITY__ISSUER: issuer,
    BFF__IDENTITY__PROVIDER_URL: provider.url,
    BFF__SESSION__SINGLE_REPLICA: 'true',
    ...settings,
  });
  onStop(() => program.stop());
  await program.until('served', ({ log }) => log.includes('"serving"'));
  return program;
}

async function startGateway({ web, plain, edge, provider, tls }, onStop) {
  const nobody = '127.0.0.1:1';
  const options = {
    listen: `127.0.0.1:${plain}`, 'tls-listen': `127.0.0.1:${edge}`, admin: '127.0.0.1:0', web: `127.0.0.1:${web}`, mobile: nobody, partner: nobody,
    certificate: tls.files.cert, key: tls.files.key, issuer: provider.issuer, provider: new URL(provider.url).host, hsts: '60',
  };
  const program = new Program('gateway', [join(ROOT, 'scripts/gateway'), ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, value])]);
  onStop(() => program.stop());
  const agent = new Agent(tls.cert);
  await program.until('answered', () => agent.visit(`https://${SHOP_HOST}:${edge}/`).then(({ status }) => status === 200, () => false));
}

/** Walks through a sign-in: to the provider, past its page, and up to the callback, which is answered but not visited. */
export async function walkToCallback(system, agent, user = 'u_42', returnTo = '/') {
  let answer = await agent.visit(`${system.appUrl}/auth/login?${new URLSearchParams({ returnTo })}`);
  for (let step = 0; step < 8; step++) {
    if (answer.location?.href.startsWith(`${system.appUrl}/auth/callback`)) return answer.location;
    if (answer.location) answer = await agent.visit(answer.location, { site: 'cross-site' });
    else if (answer.status === 200) answer = await choose(system, agent, answer.url, user);
    else throw new Error(`${answer.url.origin}${answer.url.pathname} answers ${answer.status}: ${answer.text.slice(0, 500)}`);
  }
  throw new Error('the sign-in goes round in circles');
}

function choose({ kind }, agent, url, user) {
  const body = new URLSearchParams({ [kind === 'demo-shop' ? 'user_id' : 'user']: user }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded', origin: url.origin };
  return agent.visit(url, { method: 'POST', site: 'same-origin', body, headers });
}

/** A browser in which this user is signed in. */
export async function signedIn(system, user = 'u_42') {
  const agent = system.agent();
  const callback = await walkToCallback(system, agent, user);
  const answer = await agent.visit(callback, { site: 'cross-site' });
  if (answer.status !== 303) throw new Error(`the callback answers ${answer.status}: ${answer.text.slice(0, 500)}`);
  return agent;
}

export { until };
