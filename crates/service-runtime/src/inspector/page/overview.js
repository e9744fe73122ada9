// What the last requests look like together, as long as none is chosen: each a point, and each route a line.

import { el, svg } from './dom.js';
import { plural, round, time, took } from './format.js';
import { address } from './list.js';

const [WIDTH, HEIGHT] = [960, 290];
const OUTCOMES = ['ok', 'degraded', 'refused', 'failed', 'cancelled'];

export function overview(requests, service) {
  return el('div', { class: 'overview' },
    el('h1', {}, `The last ${plural(requests.length, 'request')}`),
    el('p', { class: 'faint' }, `${service.name} keeps ${service.keeps} of them. Choose one to see how it went: here, in the list, or with `, el('kbd', {}, 'j'), '.'),
    scatter(requests),
    routes(requests));
}

/** As long as there is nothing: what will be here. */
export function waiting(service) {
  const lines = [[0, 96], [2, 20], [2, 44], [24, 38], [48, 46], [3, 30]];
  return el('div', { class: 'waiting' },
    el('div', { class: 'ghost', 'aria-hidden': 'true' }, lines.map(([left, width], index) => el('i', { 'data-hue': index - 1, vars: { left: `${left}%`, width: `${width}%` } }))),
    el('h1', {}, 'Waiting for the first request'),
    el('p', { class: 'faint' }, `Ask ${service.name} for something, in its app or with curl: it is drawn here within a second, each section with the calls that it made.`));
}

/** Time from left to right, duration from bottom to top, on a logarithmic scale: a slow one hides no fast ones. */
function scatter(requests) {
  const moments = requests.map(({ beganAt }) => Date.parse(beganAt));
  const [first, last] = [Math.min(...moments), Math.max(...moments)];
  const durations = requests.map(({ tookUs }) => Math.max(tookUs, 100));
  const [low, high] = [Math.log10(Math.min(...durations)) - 0.08, Math.log10(Math.max(...durations)) + 0.08];
  const x = (moment) => 52 + ((moment - first) / Math.max(last - first, 1)) * (WIDTH - 60);
  const y = (micros) => HEIGHT - 12 - ((Math.log10(micros) - low) / Math.max(high - low, 0.3)) * (HEIGHT - 24);
  // Lines at 1, 10, 100, or closer where all are about as fast.
  const between = high - low < 1.8 ? [1, 2, 5] : [1];
  const powers = [1e2, 1e3, 1e4, 1e5, 1e6, 1e7].flatMap((power) => between.map((factor) => factor * power)).filter((power) => Math.log10(power) > low && Math.log10(power) < high);
  const seen = OUTCOMES.filter((outcome) => requests.some((request) => request.outcome === outcome));
  const points = requests.map((request, index) => svg('a', { href: address(request), tabindex: '-1' },
    svg('circle', { cx: x(moments[index]).toFixed(1), cy: y(durations[index]).toFixed(1), r: 4.5, 'data-outcome': request.outcome },
      svg('title', {}, `${request.method} ${request.route ?? ''} ${request.status ?? ''} ${took(request.tookUs)}`))));
  return el('figure', { class: 'scatter' },
    svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': 'Duration of each request over time' },
      powers.map((power) => svg('g', { class: 'power' }, svg('line', { x1: 44, x2: WIDTH, y1: y(power), y2: y(power) }), svg('text', { x: 36, y: y(power) + 3, 'text-anchor': 'end' }, round(power)))),
      points),
    el('figcaption', {}, el('span', {}, time(first)), el('span', { class: 'key' }, seen.map((outcome) => el('span', { 'data-outcome': outcome }, outcome))), el('span', {}, time(last))));
}

function routes(requests) {
  const byRoute = Map.groupBy(requests, ({ method, route }) => `${method} ${route ?? 'no route'}`);
  const rows = [...byRoute].sort(([, some], [, others]) => others.length - some.length);
  const number = (value, kind) => el('td', { class: `number ${value ? kind : 'none'}` }, String(value));
  return el('div', { class: 'scroll', tabindex: '0', role: 'region', 'aria-label': 'Routes' }, el('table', {},
    el('thead', {}, el('tr', {}, ['Route', 'Requests', 'Median', 'p95', 'Degraded', 'Failed'].map((column, index) => el('th', { scope: 'col', class: index ? 'number' : null }, column)))),
    el('tbody', {}, rows.map(([route, all]) => {
      const sorted = all.map(({ tookUs }) => tookUs).sort((a, b) => a - b);
      const rank = (share) => took(sorted[Math.ceil(sorted.length * share) - 1]);
      const count = (outcome) => all.filter((request) => request.outcome === outcome).length;
      return el('tr', {}, el('th', { scope: 'row' }, route), el('td', { class: 'number' }, String(all.length)), el('td', { class: 'number' }, rank(0.5)), el('td', { class: 'number' }, rank(0.95)), number(count('degraded'), 'warn'), number(count('failed'), 'bad'));
    }))));
}
