// A stand-in for web-bff that knows the web app's routes and little else: for work on the pages without the backend.
//
//     node tests/sign-in/stand_in.mjs 8090
//     curl -X PUT -d '{"degraded": true}' http://127.0.0.1:8090/_set

import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const APP = join(dirname(fileURLToPath(import.meta.url)), '../../deploy/web-app');
const TYPES = { '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml' };
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const COOKIE = 'triptych-dev';
const NEXT = { placed: 'paid', paid: 'shipped', shipped: 'delivered' };
const NAMES = [['Little Brass Desk Lamp', 'office'], ['Classic Glass Kettle', 'kitchen'], ['Sunday Wool Chess Set', 'books & games'], ['Folding Ash Seed Tray', 'garden'],
  ['Sturdy Steel Headlamp', 'outdoors'], ['Recycled Felt Wooden Train', 'toys'], ['Little Ash Speaker', 'audio'], ['Vintage Oak Mirror', 'home']];

const money = (amount, currency = 'EUR') => ({ amount, currency });
const products = NAMES.concat(NAMES, NAMES).map(([name, category], index) => ({
  id: `p_${index + 1}`, name, category, description: 'Made to be used every day and to look better for it.', price: money(`${12 + index * 7}.50`),
  imageUrl: null, stock: index % 12 === 4 ? 0 : index * 3 + 4, rating: 3 + (index % 20) / 10,
}));

/** Starts it; `state` may be changed while it runs. */
export async function start({ port = 0 } = {}) {
  const state = { sessions: new Map(), streams: new Set(), degraded: false, failing: 0, retryAfter: 0, slow: 0, lifetime: 3600_000, soon: 120_000, orders: history(), unread: notifications(), keys: new Map() };
  const server = createServer((request, response) => answer(state, request, response).catch((error) => response.destroy(error)));
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = () => new Promise((resolve) => {
    server.closeAllConnections();
    server.close(resolve);
  });
  return { url: `http://127.0.0.1:${server.address().port}`, state, close, announce: (order) => announce(state, order), end: () => end(state) };
}

async function answer(state, request, response) {
  const url = new URL(request.url, 'http://stand-in');
  const body = await text(request);
  if (url.pathname === '/_set') return json(response, 200, Object.keys(Object.assign(state, JSON.parse(body))));
  if (url.pathname === '/_end') return json(response, 200, end(state));
  if (!url.pathname.startsWith('/web/')) return file(url.pathname, response);
  const route = `${request.method} ${url.pathname.slice(4).replace(/\/(o|p|n)_\d+/, '/{id}')}`;
  const call = { state, url, body: body && JSON.parse(body), headers: request.headers, id: url.pathname.match(/\/((o|p|n)_\d+)/)?.[1], response, session: session(state, request) };
  if (state.slow) await new Promise((resolve) => setTimeout(resolve, state.slow));
  if (state.failing && !route.includes('/auth/')) return problem(response, state.failing, 'unavailable', 'A service behind this one is not available', state.retryAfter);
  if (!routes[route]) return problem(response, 404, 'not-found', 'There is nothing here');
  if (!route.includes('/auth/') && !call.session) return problem(response, 401, 'unauthenticated', 'A valid credential is needed');
  if (request.method === 'POST' && request.headers['x-csrf'] !== '1') return problem(response, 403, 'cross-site', 'The request was not made by our own pages');
  return routes[route](call);
}

const routes = {
  'GET /auth/session': ({ state, session, response }) => json(response, 200, session
    ? { authenticated: true, user: { id: 'u_42', name: 'Ada Lovelace' }, expiresAt: new Date(session.ends).toISOString(), endsSoon: session.ends - Date.now() < state.soon }
    : { authenticated: false }),
  'GET /auth/login': ({ state, url, response }) => {
    const id = randomUUID();
    state.sessions.set(id, { ends: Date.now() + state.lifetime });
    response.writeHead(303, { Location: url.searchParams.get('returnTo') ?? '/', 'Set-Cookie': `${COOKIE}=${id}; HttpOnly; SameSite=Strict; Path=/` }).end();
  },
  'POST /auth/logout': ({ state, response }) => {
    end(state);
    json(response, 200, { redirectTo: '/' });
  },
  'GET /dashboard': ({ state, session, response }) => {
    session.ends = Date.now() + state.lifetime;
    json(response, 200, dashboard(state));
  },
  'GET /products': ({ url, response }) => {
    const words = url.searchParams.get('q').toLowerCase();
    json(response, 200, { products: products.filter(({ name, category }) => `${name} ${category}`.toLowerCase().includes(words)), nextCursor: null });
  },
  'GET /products/{id}': ({ id, response }) => json(response, 200, { product: products.find((product) => product.id === id), related: [], promo: { id: 'promo_1', title: 'Autumn clearance', productId: id, discountPercent: 20, endsAt: '2031-12-25T00:00:00Z' }, warnings: [] }),
  'GET /orders/{id}': ({ state, id, response }) => json(response, 200, { ...state.orders.find((order) => order.id === id), warnings: [] }),
  'POST /orders': ({ state, body, headers, response }) => {
    const product = products.find(({ id }) => id === body.productId);
    if (body.quantity > product.stock) return problem(response, 409, 'out-of-stock', 'There are not enough of this product');
    const key = headers['idempotency-key'];
    const order = state.keys.get(key) ?? newOrder(state.orders.length + 20_000, product, body.quantity, 'placed', Date.now());
    if (!state.keys.has(key)) state.orders.unshift(order);
    state.keys.set(key, order);
    return json(response, 201, { ...order, warnings: [] });
  },
  'POST /orders/{id}/cancel': ({ state, id, response }) => {
    const order = state.orders.find((other) => other.id === id);
    if (!['placed', 'paid'].includes(order.status)) return problem(response, 409, 'not-cancellable', 'The order cannot be cancelled any more', 0, 'The order has been sent.');
    Object.assign(order, { status: 'cancelled', updatedAt: new Date().toISOString() });
    return json(response, 200, { ...order, warnings: [] });
  },
  'POST /notifications/{id}/read': ({ state, id, response }) => {
    state.unread = state.unread.filter((notification) => notification.id !== id);
    response.writeHead(204).end();
  },
  'GET /events': ({ state, response }) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.write('retry: 500\n\n');
    state.streams.add(response);
    response.on('close', () => state.streams.delete(response));
  },
};

function dashboard({ degraded, orders, unread }) {
  const warning = (section, status, message, more = {}) => ({ section, status, message, retryable: status !== 'not_found', ...more });
  return {
    user: { id: 'u_42', name: 'Ada Lovelace', role: 'customer' },
    accountSummary: { plan: 'plus', status: 'active', balance: money('764.79'), nextInvoiceAt: '2026-11-23T00:48:20Z', paymentMethod: { brand: 'visa', last4: '4242' },
      usage: degraded ? null : { from: '2026-10-01T00:00:00Z', to: '2026-11-01T00:00:00Z', ordersPlaced: 15, apiCalls: 7702, apiCallLimit: 10_000, storageBytes: 1_717_986_880, storageLimitBytes: 5_368_709_120 } },
    unreadNotifications: degraded ? [] : unread,
    orders: degraded ? orders.slice(0, 50).map((order) => ({ ...order, product: null })) : orders.slice(0, 50),
    promos: [['Autumn clearance', 20], ['Free your desk', 55], ['Für Frühaufsteher', 35], ['Last chance: the very last of them, until we find more of them in the back of the warehouse', 40]]
      .map(([title, discountPercent], index) => ({ id: `promo_${index + 1}`, title, productId: `p_${index + 2}`, discountPercent, endsAt: '2031-12-25T00:00:00Z' })),
    warnings: degraded ? [
      warning('accountSummary', 'stale', 'This part may be out of date.', { ageSeconds: 312 }),
      warning('accountSummary.usage', 'timeout', 'This part did not answer in time.'),
      warning('unreadNotifications', 'unavailable', 'This part is not available right now.'),
      warning('orders.product', 'breaker_open', 'This part is having trouble and is not asked right now.'),
    ] : [warning('orders.product', 'not_found', 'This part does not exist any more.')],
  };
}

function history() {
  const status = (index) => ['placed', 'paid', 'shipped', 'shipped'][index] ?? (index % 9 === 5 ? 'cancelled' : 'delivered');
  const orders = Array.from({ length: 60 }, (_, index) => newOrder(19_999 - index * 7, products[(index * 5) % products.length], 1 + (index % 3), status(index), Date.now() - index * 86_400_000));
  orders[6].product = null;
  return orders;
}

function newOrder(number, product, quantity, status, at) {
  const placedAt = new Date(at).toISOString();
  const total = money((Number(product.price.amount) * quantity).toFixed(2));
  return { id: `o_${number}`, status, quantity, total, placedAt, updatedAt: placedAt, productId: product.id, product };
}

function notifications() {
  return ['We have your order o_19999', 'Your invoice for October is ready', 'إشعار', 'Your order o_19985 has been sent'].map((title, index) => ({ id: `n_${index + 1}`, title }));
}

function announce(state, order) {
  order.status = NEXT[order.status] ?? order.status;
  order.updatedAt = new Date().toISOString();
  const data = JSON.stringify({ orderId: order.id, status: order.status, at: order.updatedAt });
  for (const stream of state.streams) stream.write(`id: ${Date.now()}\nevent: order-status\ndata: ${data}\n\n`);
}

function end(state) {
  state.sessions.clear();
  for (const stream of state.streams) stream.end('event: session-ended\ndata: {}\n\n');
  return {};
}

function session(state, { headers }) {
  const found = state.sessions.get(headers.cookie?.match(new RegExp(`${COOKIE}=([^;]+)`))?.[1]);
  return found && found.ends > Date.now() ? found : undefined;
}

async function file(path, response) {
  const name = path === '/' ? '/index.html' : normalize(path);
  const content = await readFile(join(APP, name)).catch(() => null);
  if (!content) return problem(response, 404, 'not-found', 'There is nothing here');
  return response.writeHead(200, { 'Content-Type': TYPES[extname(name)], 'Content-Security-Policy': CSP, 'Cache-Control': 'no-cache', 'X-Content-Type-Options': 'nosniff' }).end(content);
}

function problem(response, status, slug, title, retryAfter = 0, detail = undefined) {
  if (retryAfter) response.setHeader('Retry-After', retryAfter);
  json(response, status, { type: `urn:triptych:problem:${slug}`, title, status, detail, instance: '/', requestId: randomUUID() }, 'application/problem+json');
}

function json(response, status, body, type = 'application/json') {
  response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'private, no-cache' }).end(JSON.stringify(body));
}

async function text(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url, state, announce: tell } = await start({ port: Number(process.argv[2] ?? 8090) });
  setInterval(() => {
    const moving = state.orders.find(({ status }) => NEXT[status]);
    if (moving) tell(moving);
  }, 8_000);
  console.log(url);
}
