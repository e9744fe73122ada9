// What is shown: the address says it, the feed renews it, the keys move through it.

import { el } from './dom.js';
import { Feed, Lost, read } from './feed.js';
import { Filters } from './filters.js';
import { List } from './list.js';
import { overview, waiting } from './overview.js';
import { gone, request } from './request.js';
import { strip, upstreams } from './upstreams.js';

const $ = (id) => document.getElementById(id);
const STATES = { live: 'Live', paused: 'Paused', lost: 'No answer, trying again', connecting: 'Connecting' };

const feed = new Feed({ onChange: draw, onState: tell });
const filters = new Filters($('filters'), draw);
const list = new List($('list'));
/** What the address says: `{view, traceId, spanId}`. */
let place = {};
let isBegun = false;

function draw() {
  if (!feed.service) return;
  const { name, version } = feed.service;
  $('service').textContent = name;
  $('version').textContent = version;
  const shown = filters.of(feed.requests);
  list.show(shown);
  drawEmpty(shown);
  if (feed.upstreams) $('strip').replaceChildren(...strip(feed.upstreams, feed.history));
  $('strip').hidden = !feed.upstreams;
  // What the address says is drawn once there is something to draw: colours are given out above.
  if (!isBegun) {
    isBegun = true;
    turn();
    return;
  }
  if (place.view === 'upstreams') drawUpstreams();
  if (place.view === 'requests') drawOverview(shown);
}

/** Nothing to choose: why, and what to do about it. */
function drawEmpty(shown) {
  $('empty').hidden = shown.length > 0;
  if (shown.length) return;
  const words = feed.requests.length
    ? [el('h2', {}, 'Nothing fits'), el('p', {}, 'None of the last requests is like that.'), el('button', { type: 'button', on: { click: () => filters.clear() } }, 'Show all')]
    : [el('h2', {}, 'No request yet'), el('p', { class: 'narrow' }, `Ask ${feed.service.name} for something, and it appears here within a second.`)];
  $('empty').replaceChildren(...words);
}

function drawOverview(shown) {
  $('detail').replaceChildren(...(shown.length ? [overview(shown, feed.service)] : feed.requests.length ? [] : [waiting(feed.service)]));
}

function drawUpstreams() {
  const none = el('div', { class: 'empty' }, el('h2', {}, 'No upstreams'), el('p', {}, 'This service calls no other.'));
  // A table that somebody scrolls must not be drawn under their hands.
  if ($('upstreams').querySelector('.scroll:hover, .scroll:focus')) return;
  $('upstreams').replaceChildren(...(feed.upstreams ? upstreams(feed.upstreams, feed.history) : [none]));
}

async function drawRequest({ traceId, spanId }) {
  let shown;
  try {
    const found = await read(`requests/${traceId}`, { optional: true });
    shown = found ? request(found.requests, spanId, { onUser: (user) => filters.onlyUser(user) }) : gone(traceId);
    list.select(spanId ?? found?.requests[0].spanId);
  } catch (error) {
    if (!(error instanceof Lost)) throw error;
    tell('lost');
    shown = el('div', { class: 'empty' }, el('h2', {}, 'The service does not answer'), el('button', { type: 'button', on: { click: turn } }, 'Try again'));
  }
  // By now something else may have been asked for.
  if (place.traceId === traceId && place.spanId === spanId) $('detail').replaceChildren(shown);
}

/** Shows what the address says. */
function turn() {
  const [, view, traceId, spanId] = location.hash.split('/');
  const isTrace = view === 'trace' && /^[0-9a-f]{32}$/.test(traceId);
  place = isTrace ? { view: 'trace', traceId, spanId } : { view: view === 'upstreams' ? 'upstreams' : 'requests' };
  document.body.dataset.view = place.view;
  $('upstreams').hidden = place.view !== 'upstreams';
  for (const [tab, isOn] of [['requests', place.view !== 'upstreams'], ['upstreams', place.view === 'upstreams']]) {
    if (isOn) $(`tab-${tab}`).setAttribute('aria-current', 'page');
    else $(`tab-${tab}`).removeAttribute('aria-current');
  }
  list.select(place.spanId ?? '');
  $('detail').scrollTop = 0;
  if (!isBegun) return;
  if (isTrace) drawRequest(place);
  else draw();
}

function tell(state) {
  $('connection').dataset.state = state;
  if ($('connection').textContent !== STATES[state]) $('connection').textContent = STATES[state];
}

function togglePause() {
  feed.pause(!feed.paused);
  $('pause').setAttribute('aria-pressed', String(feed.paused));
  $('pause').firstElementChild.textContent = feed.paused ? 'Go on' : 'Pause';
}

const step = (by) => {
  const next = list.step(by);
  // Not a page to come back to, each.
  if (next) location.replace(next);
};

const KEYS = {
  j: () => step(1), ArrowDown: () => step(1), k: () => step(-1), ArrowUp: () => step(-1),
  '/': () => filters.focus(), ' ': togglePause, '?': () => $('keys').showModal(),
  u: () => (location.hash = place.view === 'upstreams' ? '#/' : '#/upstreams'), Escape: () => (location.hash = '#/'),
};

document.addEventListener('keydown', (event) => {
  const inField = event.target.closest('input, select, dialog');
  if (inField && event.key === 'Escape') event.target.blur();
  // Where a key has a meaning of its own, it keeps it.
  const isTaken = inField || (event.target.closest('button') && event.key === ' ') || event.ctrlKey || event.metaKey || event.altKey;
  const act = KEYS[event.key];
  if (!act || isTaken || (event.key.startsWith('Arrow') && place.view === 'upstreams')) return;
  event.preventDefault();
  act();
});

addEventListener('hashchange', turn);
$('pause').addEventListener('click', togglePause);
$('help').addEventListener('click', () => $('keys').showModal());
$('leave').addEventListener('click', async () => {
  await fetch('/inspector/session', { method: 'DELETE' }).catch(() => {});
  location.reload();
});

turn();
feed.start();
