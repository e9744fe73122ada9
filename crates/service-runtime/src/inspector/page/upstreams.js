// How each upstream is doing: a tile each above the requests, and all that is known of it in a view of its own.

import { chip, el, sparkline } from './dom.js';
import { percent, plural, size, took, words } from './format.js';
import { hue } from './waterfall.js';

const WORST = ['closed', 'disabled', 'probing', 'open'];

/** One tile for each upstream, and one for the cache. */
export function strip({ upstreams, cache }, history) {
  const tiles = Object.entries(upstreams).map(([name, state]) => {
    const samples = history.get(name) ?? [];
    const breaker = worst(state);
    // With few calls there is no percentile: then it is how many there are that moves.
    const p95 = samples.at(-1)?.p95;
    const [value, unit, line] = p95 == null ? [perSecond(samples).at(-1) ?? 0, ' attempts/s', perSecond(samples)] : [took(p95), ' p95', samples.map((sample) => sample.p95)];
    return el('a', { class: 'tile', href: '#/upstreams', 'data-breaker': breaker, 'data-hue': hue(name) },
      el('span', { class: 'name' }, name),
      ['open', 'probing'].includes(breaker) ? chip(`breaker ${breaker}`, 'bad') : sparkline(line),
      el('span', { class: 'value' }, String(value), el('small', {}, unit)),
      gauge(state.concurrency));
  });
  return [...tiles, el('a', { class: 'tile cache', href: '#/upstreams' },
    el('span', { class: 'name' }, 'cache'), el('span', { class: 'faint' }, `${cache.entries} kept`),
    el('span', { class: 'value' }, share(cache), el('small', {}, ' spared')), el('span', { class: 'faint' }, size(cache.bytes)))];
}

/** All of it. */
export function upstreams({ upstreams: all, cache }, history) {
  return [
    el('h1', {}, 'Upstreams'),
    el('div', { class: 'cards' }, Object.entries(all).map(([name, state]) => card(name, state, history.get(name) ?? [])), cacheCard(cache)),
  ];
}

function card(name, { concurrency, budget, operations }, samples) {
  const breaker = worst({ operations });
  const rates = perSecond(samples);
  return el('section', { class: 'card', 'data-breaker': breaker, 'data-hue': hue(name), 'aria-label': name },
    el('header', {}, el('h2', {}, name), chip(breaker === 'closed' ? 'all closed' : `breaker ${breaker}`, breaker === 'closed' ? 'good' : breaker === 'disabled' ? 'quiet' : 'bad')),
    el('div', { class: 'figures' },
      figure('p95, worst operation', took(samples.at(-1)?.p95), sparkline(samples.map(({ p95 }) => p95))),
      figure('attempts a second', String(rates.at(-1) ?? 0), sparkline(rates)),
      figure('in flight', `${concurrency.inFlight} of ${concurrency.limit}`, gauge(concurrency)),
      figure('second attempts left', String(budget.attemptsLeft), el('small', { class: 'faint' }, `${plural(budget.calls, 'call')} in 10 s, ${plural(budget.hedgesLeft, 'hedge')} left`))),
    Object.keys(operations).length ? table(operations) : el('p', { class: 'faint' }, 'Not called yet.'));
}

/** Attempts a second between each sample and the next. What was started anew counts from nothing again. */
const perSecond = (samples) => samples.slice(1).map(({ at, attempts }, index) => Math.max(Math.round(((attempts - samples[index].attempts) * 1000) / (at - samples[index].at)), 0));

const figure = (name, value, more) => el('div', { class: 'figure' }, el('span', { class: 'faint' }, name), el('b', {}, value), more);

function table(operations) {
  const columns = ['Operation', 'Breaker', 'p50', 'p95', 'p99', 'Attempts', 'What happened'];
  return el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Operations' }, el('table', {},
    el('thead', {}, el('tr', {}, columns.map((column, index) => el('th', { scope: 'col', class: index > 1 && index < 6 ? 'number' : null }, column)))),
    el('tbody', {}, Object.entries(operations).map(([name, operation]) => el('tr', {},
      el('th', { scope: 'row' }, name),
      el('td', {}, position(operation.breaker)),
      [operation.latency.p50Us, operation.latency.p95Us, operation.latency.p99Us].map((micros) => el('td', { class: 'number' }, took(micros))),
      el('td', { class: 'number' }, String(operation.attempts)),
      el('td', {}, el('span', { class: 'chips' }, events(operation))))))));
}

function position({ position: now, failures, results, probeInMs }) {
  const seen = `${failures} of ${results} failed`;
  if (now === 'open') return chip(probeInMs > 0 ? `open, probes in ${took(probeInMs * 1000)}` : 'open', 'bad', seen);
  return chip(words(now), now === 'closed' ? 'good' : now === 'disabled' ? 'quiet' : 'warn', seen);
}

function events({ retries, hedges, coalesced, shed, breakerOpen, givenUp, contractViolations = {} }) {
  const counted = [[retries, 'retried', 'accent'], [hedges, 'hedged', 'accent'], [coalesced, 'shared', 'good'], [shed, 'shed', 'bad'], [breakerOpen, 'refused', 'bad', 'by the open breaker'], [givenUp, 'given up', 'warn']];
  return [...counted.filter(([number]) => number > 0).map(([number, word, kind, why]) => chip(`${number} ${word}`, kind, why)),
    ...Object.entries(contractViolations).map(([path, number]) => chip(`${number} × ${path}`, 'bad code', 'contract violations at this field'))];
}

function cacheCard({ entries, bytes, fresh, staleWhileRevalidate, staleIfError, missed }) {
  const parts = [['fresh', fresh, 'good'], ['stale, renewed', staleWhileRevalidate, 'warn'], ['stale for want of better', staleIfError, 'bad'], ['asked for', missed, 'quiet']];
  const all = Math.max(fresh + staleWhileRevalidate + staleIfError + missed, 1);
  return el('section', { class: 'card cache', 'aria-label': 'Cache' },
    el('header', {}, el('h2', {}, 'cache'), el('span', { class: 'faint' }, `${entries} answers, ${size(bytes)}`)),
    el('div', { class: 'stack', 'aria-hidden': 'true' }, parts.map(([, number, kind]) => el('i', { class: kind, vars: { share: number / all } }))),
    el('ul', { class: 'legend' }, parts.map(([name, number, kind]) => el('li', { class: kind }, el('b', {}, String(number)), ` ${name}`, el('small', { class: 'faint' }, ` ${percent(number / all)}`)))));
}

/** Calls that run, of those that may, and those that wait. */
function gauge({ limit, inFlight, queued }) {
  const words = `${inFlight} of ${limit} in flight, ${queued} waiting`;
  return el('span', { class: 'gauge', role: 'img', 'aria-label': words, title: words, vars: { full: Math.min(inFlight / Math.max(limit, 1), 1) } }, el('i'), queued > 0 && el('small', {}, `+${queued}`));
}

const share = ({ fresh, staleWhileRevalidate, staleIfError, missed }) => {
  const spared = fresh + staleWhileRevalidate + staleIfError;
  return spared + missed ? percent(spared / (spared + missed)) : '–';
};

const worst = ({ operations }) => Object.values(operations).map(({ breaker }) => breaker.position).reduce((one, other) => (WORST.indexOf(other) > WORST.indexOf(one) ? other : one), 'closed');
