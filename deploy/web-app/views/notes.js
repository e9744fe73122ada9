// What the page says beside its content: a section that is not whole, the banner on top, and short messages.

import { el, fill, icon } from '../dom.js';
import { age } from '../format.js';

/** What a page's warnings say about these sections, to be shown where the sections are. */
export function warnings(page, sections, retry) {
  return page.warnings
    .filter((warning) => sections.includes(warning.section))
    .map((warning) => degraded(warning, retry));
}

const LABELS = {
  accountSummary: 'Account',
  'accountSummary.usage': 'Usage',
  unreadNotifications: 'Notifications',
  orders: 'Orders',
  'orders.product': 'Products',
  promos: 'Offers',
};
const LOOKS = { stale: 'old', not_found: 'gone' };

function degraded({ section, status, message, retryable, ageSeconds }, retry) {
  const old = ageSeconds == null ? '' : ` This is from ${age(ageSeconds)}.`;
  const again = () => el('button', { class: 'quiet', type: 'button', id: `retry-${section}`, on: { click: retry } }, 'Try again');
  return el('p', { class: `note ${LOOKS[status] ?? 'bad'}`, 'data-warning': section },
    icon('warning'), el('span', {}, el('strong', {}, `${LABELS[section]}: `), message + old), retryable && again());
}

const banner = document.getElementById('banner');

/** One message over everything, with what can be done about it; none takes it away. */
export function showBanner(...content) {
  fill(banner, ...content);
}

const TOAST_MS = 7_000;

/** A short message that leaves by itself, unless something went wrong: then it stays until it is closed. */
export function toast(text, { bad = false } = {}) {
  const close = () => note.remove();
  const note = el('div', { class: `toast ${bad ? 'bad' : 'good'}` },
    icon(bad ? 'warning' : 'check'), el('p', { dir: 'auto' }, text),
    el('button', { class: 'quiet', type: 'button', 'aria-label': 'Close this message', on: { click: close } }, '✕'));
  document.getElementById('toasts').append(note);
  if (!bad) setTimeout(close, TOAST_MS);
}

/** What to say when a write failed. */
export function failed(what, problem) {
  if (!problem.outcomeUnknown) return `${what} ${problem.text}.`;
  return `${what} ${problem.text}. It is not certain whether it was done: try again, it will not be done twice.`;
}
