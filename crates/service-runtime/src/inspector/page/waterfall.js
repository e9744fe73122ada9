// A request on a time axis: its sections, beneath each the calls that it made.

import { chip, el } from './dom.js';
import { round, size, took, words } from './format.js';

/** So many colours are in the style sheet. */
const PALETTE = 8;
/** The longest bar leaves this much of its lane to what is written behind it. */
const ROOM = 1.14;
/** What a call is when it needed no attempt of its own. */
const CACHE = { hit: 'cache hit', stale_while_revalidate: 'stale, renewed', stale_if_error: 'stale, for want of better', revalidated: 'revalidated' };
const ATTEMPT = { retry: 'retry', hedge: 'hedge', fresh_token: 'new token' };

export function waterfall(request) {
  const lines = inOrder(request);
  const end = Math.max(request.tookUs, ...lines.map(({ span }) => span.beganUs + span.tookUs), 1);
  // A deadline that is far away would press all else together.
  const hasDeadline = request.deadlineUs <= end * 1.25;
  const scale = (hasDeadline ? Math.max(end, request.deadlineUs) : end) * ROOM;
  const at = (micros) => `${((micros / scale) * 100).toFixed(3)}%`;
  const step = tick(scale);
  const vars = { step: at(step), end: at(request.tookUs), deadline: at(request.deadlineUs) };
  return el('section', { class: 'waterfall', 'aria-label': 'Waterfall', 'data-deadline': hasDeadline, vars },
    el('div', { class: 'axis', 'aria-hidden': 'true' }, el('span', { class: 'label' }, 'Section and call'), axis(scale, step, at, request, hasDeadline), el('span', {}, 'Status'), el('span', {}, 'Size')),
    lines.length ? el('ol', {}, lines.map((each) => line(each, at))) : el('p', { class: 'faint' }, 'No section and no call was recorded.'));
}

/** The spans as a tree, read from its top: what began first comes first. */
function inOrder({ spans, spanId }) {
  const known = new Set(spans.map(({ id }) => id));
  const children = Map.groupBy(spans, ({ parent }) => (known.has(parent) ? parent : spanId));
  const lines = [];
  const visit = (parent, depth) => {
    for (const span of children.get(parent) ?? []) {
      lines.push({ span, depth, isParent: children.has(span.id) });
      visit(span.id, depth + 1);
    }
  };
  visit(spanId, 0);
  return lines;
}

/** A round number of which four to nine fit. */
function tick(scale) {
  const power = 10 ** Math.floor(Math.log10(scale / 4));
  return [5, 2, 1].map((factor) => factor * power).find((step) => scale / step >= 4);
}

function axis(scale, step, at, { tookUs, deadlineUs }, hasDeadline) {
  const ticks = [];
  for (let time = 0; time < scale * 0.93; time += step) ticks.push(el('span', { class: 'tick', vars: { at: at(time) } }, time ? round(time) : '0'));
  return el('span', { class: 'lane' }, ticks,
    el('span', { class: 'flag end', vars: { at: at(tookUs) }, title: `answered after ${took(tookUs)}` }),
    hasDeadline && el('span', { class: 'flag deadline', vars: { at: at(deadlineUs) } }, 'deadline'));
}

function line({ span, depth, isParent }, at) {
  const { attributes: facts, beganUs, tookUs } = span;
  const section = facts['triptych.section'];
  const state = stateOf(span);
  const detail = el('dl', { class: 'attributes', hidden: true });
  const label = el('span', { class: 'label', vars: { depth } },
    el('span', { class: 'name' }, section ?? span.name, !section && facts['triptych.upstream'] && el('small', {}, facts['triptych.upstream'])),
    el('span', { class: 'chips' }, marks(span)));
  const button = el('button', { type: 'button', class: 'line', 'aria-expanded': 'false', on: { click: toggle } },
    label,
    el('span', { class: 'lane' }, bars(span, at)),
    el('span', { class: 'status' }, String(facts['http.response.status_code'] ?? '')),
    el('span', { class: 'size' }, size(facts['http.response.body.size'])),
    el('span', { class: 'unseen' }, `from ${took(beganUs)}, for ${took(tookUs)}, ${words(state)}`));
  function toggle() {
    const open = detail.hidden;
    if (open && !detail.childElementCount) detail.append(...facet(span));
    detail.hidden = !open;
    button.setAttribute('aria-expanded', String(open));
  }
  return el('li', { class: section || isParent ? 'section' : 'call', 'data-state': state, 'data-hue': hue(facts['triptych.upstream']) }, button, detail);
}

/** What is drawn of a span: the time that it waited for a place, and then what it took. */
function bars({ attributes: facts, beganUs, tookUs }, at) {
  const waited = Math.min((facts['triptych.wait'] ?? 0) * 1000, tookUs);
  return [
    waited > 0 && el('span', { class: 'wait', title: `waited ${took(waited)} for a place`, vars: { left: at(beganUs), width: at(waited) } }),
    el('span', { class: 'work', vars: { left: at(beganUs + waited), width: at(tookUs - waited) } }),
    el('span', { class: 'length', vars: { at: at(beganUs + tookUs) } }, took(tookUs)),
  ];
}

function stateOf({ failed, left, attributes: facts }) {
  const outcome = facts['triptych.outcome'] ?? facts['triptych.section.status'] ?? 'ok';
  if (outcome === 'cancelled') return 'cancelled';
  if (outcome === 'stale' || outcome === 'refused') return 'stale';
  if (failed || !['ok', 'not_found'].includes(outcome)) return 'failed';
  return !left && facts['triptych.upstream'] ? 'spared' : 'ok';
}

function marks({ attributes: facts, waitedFor, left }) {
  const outcome = facts['triptych.outcome'] ?? facts['triptych.section.status'];
  const told = [];
  const policy = facts['triptych.section.policy'];
  if (policy) told.push(chip(words(policy), 'quiet', 'what the screen does without it'));
  if (ATTEMPT[facts['triptych.attempt']]) told.push(chip(ATTEMPT[facts['triptych.attempt']], 'accent', 'a further attempt'));
  const cache = facts['triptych.cache'];
  if (cache) told.push(chip(CACHE[cache] ?? words(cache), cache.startsWith('stale') ? 'warn' : 'good'));
  if (facts['triptych.coalesced']) told.push(chip('shared', 'good', waitedFor ? `it waited for the call of span ${waitedFor.spanId}` : 'it waited for the same call of another request'));
  if (outcome && outcome !== 'ok') told.push(chip(words(outcome), outcome === 'cancelled' ? 'quiet' : outcome === 'stale' ? 'warn' : 'bad', left ? null : 'it was not made'));
  if (facts['triptych.contract.path']) told.push(chip(`at ${facts['triptych.contract.path']}`, 'bad code', 'where the answer broke the contract'));
  return told;
}

/** Everything that is known of a span. */
function facet({ id, attributes, waitedFor, beganUs, tookUs }) {
  const rows = [['from', took(beganUs)], ['for', took(tookUs)], ...Object.entries(attributes).sort(([a], [b]) => a.localeCompare(b)), ['span', id]];
  const told = rows.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, String(value))));
  if (waitedFor) told.push(el('div', {}, el('dt', {}, 'waited for'), el('dd', {}, el('a', { href: `#/trace/${waitedFor.traceId}` }, `span ${waitedFor.spanId} of trace ${waitedFor.traceId}`))));
  return told;
}

/** A colour for each upstream, in the order in which they were seen: the feed names all of them, in one order, before anything is drawn. */
export function hue(name) {
  if (!name) return null;
  if (!hues.has(name)) hues.set(name, hues.size % PALETTE);
  return hues.get(name);
}

const hues = new Map();
