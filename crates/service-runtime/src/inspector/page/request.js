// One request: what became of it, its waterfall, and the ids by which it is found elsewhere.

import { chip, el } from './dom.js';
import { plural, size, time, took, words } from './format.js';
import { address } from './list.js';
import { waterfall } from './waterfall.js';

/** Why a trace is exported. */
const SAMPLED = { head: 'all who took part in this trace recorded it', error: 'exported from here because it failed', slow: 'exported from here because it was slow' };

/** Draws the one of `requests`, which share a trace, that has this span, or the first. */
export function request(requests, spanId, { onUser }) {
  const shown = requests.find((each) => each.spanId === spanId) ?? requests[0];
  return el('article', { class: 'request', 'data-outcome': shown.outcome },
    el('a', { class: 'back', href: '#/' }, '← All requests'),
    requests.length > 1 && siblings(requests, shown),
    head(shown),
    shown.warnings.length > 0 && warnings(shown),
    waterfall(shown),
    ids(shown, onUser));
}

/** Where the request is no longer, or never was. */
export function gone(traceId) {
  return el('div', { class: 'empty' },
    el('h2', {}, 'This request is not kept any more'),
    el('p', {}, 'Only the last requests of a service are. If the trace was sampled, it is in your trace store:'),
    el('p', {}, copyable(traceId, 'trace id')),
    el('p', {}, el('a', { href: '#/' }, 'All requests')));
}

function siblings(requests, shown) {
  return el('nav', { class: 'siblings', 'aria-label': 'Requests of this trace' }, `${plural(requests.length, 'request')} of this trace: `,
    requests.map((each) => el('a', { href: address(each), 'aria-current': each === shown && 'true' }, `${each.method} ${each.route ?? 'no route'}`)));
}

function head({ method, route, status, outcome, slow, error, tookUs, deadlineUs, beganAt, size: bytes, sampled, spans }) {
  const calls = spans.filter(({ left }) => left).length;
  return el('header', {},
    el('h1', {}, el('span', { class: 'method' }, method), ' ', route ?? 'no route'),
    el('p', { class: 'verdict' },
      el('span', { class: 'badge' }, status === null ? 'no answer' : String(status), ' · ', words(outcome)),
      error && error !== outcome && chip(words(error), outcome === 'failed' ? 'bad' : 'warn', 'why'),
      slow && chip('slow', 'warn', 'it took longer than telemetry.slow'),
      sampled && chip(`sampled: ${sampled}`, '', SAMPLED[sampled])),
    el('dl', { class: 'facts' },
      fact('Took', took(tookUs)), fact('Deadline', took(deadlineUs)), fact('Upstream calls', String(calls)),
      bytes != null && fact('Body', size(bytes)), fact('Began', time(beganAt))));
}

const fact = (name, value) => el('div', {}, el('dt', {}, name), el('dd', {}, value));

function warnings({ warnings: all }) {
  return el('ul', { class: 'warnings', 'aria-label': 'Warnings in the answer' },
    all.map(({ section, status }) => el('li', {}, el('b', {}, section), chip(words(status), 'warn'))));
}

function ids({ requestId, traceId, user, spanId }, onUser) {
  const row = (name, ...value) => el('div', {}, el('dt', {}, name), el('dd', {}, value));
  return el('section', { class: 'ids', 'aria-label': 'Ids' }, el('dl', {},
    row('Request id', copyable(requestId, 'request id')),
    row('Trace id', copyable(traceId, 'trace id')),
    user && row('User', copyable(user, 'user hash'), el('button', { type: 'button', class: 'small', on: { click: () => onUser(user) } }, 'Only theirs')),
    row('Link', copyable(new URL(`#/trace/${traceId}/${spanId}`, location.href).href, 'link', `#/trace/${traceId.slice(0, 8)}…`))));
}

function copyable(text, what, shown = text) {
  const button = el('button', { type: 'button', class: 'small copy', 'aria-label': `Copy the ${what}`, on: { click: copy } }, 'Copy');
  async function copy() {
    // Only pages from this machine, or over TLS, may write to the clipboard; others select, which can be copied by hand.
    const done = await navigator.clipboard?.writeText(text).then(() => true, () => false);
    if (!done) getSelection().selectAllChildren(code);
    button.textContent = done ? 'Copied' : 'Selected';
    setTimeout(() => (button.textContent = 'Copy'), 1500);
  }
  const code = el('code', { title: text }, shown);
  return el('span', { class: 'copyable' }, code, button);
}
