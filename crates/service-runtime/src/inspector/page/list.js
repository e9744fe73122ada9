// The last requests, one row each.

import { chip, el } from './dom.js';
import { plural, size, time, took, words } from './format.js';

/** What is worth a mark in a row, in this order, and what it is called there. */
const MARKS = [['contract_violation', 'contract'], ['breaker_open', 'breaker'], ['shed', 'shed'], ['timeout', 'timeout'], ['stale', 'stale'], ['hedge', 'hedge'], ['retry', 'retry'], ['fresh_token', 'new token'], ['coalesced', 'shared'], ['hit', 'cache'], ['revalidated', 'revalidated']];
const BAD = new Set(['shed', 'breaker_open', 'timeout', 'contract_violation', 'stale']);

export const address = ({ traceId, spanId }) => `#/trace/${traceId}/${spanId}`;

export class List {
  #rows = new Map();
  #shown = [];
  #selected = '';

  constructor(element) {
    this.element = element;
  }

  /** Draws these, the newest first. Rows that were drawn before stay the same elements, and keep the focus. */
  show(requests) {
    const slowest = Math.max(...requests.map(({ tookUs }) => tookUs), 1);
    this.element.style.setProperty('--slowest', slowest);
    const rows = new Map(requests.map((request) => [request.spanId, this.#rows.get(request.spanId) ?? row(request)]));
    const focused = document.activeElement;
    this.#rows = rows;
    this.#shown = requests;
    place(this.element, [...rows.values()]);
    if (this.element.contains(focused)) focused.focus({ preventScroll: true });
    this.#mark();
  }

  /** Marks the row of this request, and brings it into sight. */
  select(spanId) {
    this.#selected = spanId;
    this.#mark();
    this.#rows.get(spanId)?.scrollIntoView({ block: 'nearest' });
  }

  /** The address of the request so many rows on. */
  step(by) {
    const at = this.#shown.findIndex(({ spanId }) => spanId === this.#selected);
    const next = this.#shown[at < 0 ? 0 : Math.min(Math.max(at + by, 0), this.#shown.length - 1)];
    return next ? address(next) : null;
  }

  #mark() {
    for (const [spanId, item] of this.#rows) {
      const link = item.firstElementChild;
      if (spanId === this.#selected) link.setAttribute('aria-current', 'true');
      else link.removeAttribute('aria-current');
    }
  }
}

/** Puts the rows in place without touching those that are there already: what is not moved keeps its scroll. */
function place(parent, rows) {
  const wanted = new Set(rows);
  for (const old of [...parent.children]) if (!wanted.has(old)) old.remove();
  rows.forEach((item, index) => {
    if (parent.children[index] !== item) parent.insertBefore(item, parent.children[index] ?? null);
  });
}

function row(request) {
  const { method, route, status, outcome, tookUs, beganAt, marks, warnings } = request;
  const told = MARKS.filter(([mark]) => marks[mark]).map(([mark, label]) => chip(marks[mark] > 1 ? `${label} ${marks[mark]}` : label, BAD.has(mark) ? 'warn' : '', words(mark)));
  const lost = warnings.length > 0 && chip(plural(warnings.length, 'warning'), 'warn', warnings.map(({ section, status: why }) => `${section}: ${words(why)}`).join('\n'));
  // More would not fit.
  const most = lost ? 1 : 2;
  return el('li', {}, el('a', { class: 'row', href: address(request), 'data-outcome': outcome, title: request.error ? words(request.error) : size(request.size), vars: { took: tookUs } },
    el('span', { class: 'what' }, el('b', {}, method), ' ', route ?? 'no route'),
    el('span', { class: 'status' }, String(status ?? '—'), el('span', { class: 'unseen' }, ` ${outcome}`)),
    el('span', { class: 'took' }, took(tookUs)),
    el('time', { datetime: beganAt }, time(beganAt)),
    el('span', { class: 'marks' }, lost, told.slice(0, most), told.length > most && chip(`+${told.length - most}`)),
    el('span', { class: 'meter', 'aria-hidden': 'true' }, el('i'))));
}
