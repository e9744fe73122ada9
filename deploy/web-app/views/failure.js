// The page as a whole could not be had.

import { el, icon } from '../dom.js';
import { countdown } from '../format.js';

const WORDS = {
  offline: 'As soon as your device has a connection again, this page comes back by itself.',
  unreachable: 'The connection may be lost, or the shop may be restarting.',
  timeout: 'The connection may be slow, or the shop may have too much to do.',
};

/** Offers to try again; when the backend said how long to wait, the page waits that long and tries by itself. */
export function failure(problem, retry) {
  const button = el('button', { class: 'button', type: 'button', id: 'retry', on: { click: retry } }, 'Try again');
  const view = el('section', { class: 'hero failure', 'aria-labelledby': 'title' },
    el('div', { class: 'words' },
      el('p', { class: 'badge' }, icon('warning')),
      el('h1', { id: 'title', tabindex: '-1' }, problem.title),
      el('p', { class: 'lead' }, WORDS[problem.slug] ?? problem.detail ?? 'This is on our side, and somebody has been told.'),
      el('p', {}, button),
      problem.requestId && el('p', { class: 'faint' }, 'When you ask for help, name ', el('code', {}, problem.requestId), '.')));
  if (problem.retryAfter) wait(view, button, problem.retryAfter, retry);
  return view;
}

function wait(view, button, seconds, retry) {
  // Everybody was told the same number: a part of a second keeps them from coming back at once.
  const until = Date.now() + seconds * 1000 + Math.random() * 1000;
  button.disabled = true;
  const tick = () => {
    const left = until - Date.now();
    // Another view may have taken this one's place.
    if (view.hidden || (ticks && !view.isConnected)) return clearInterval(ticks);
    button.textContent = `Trying again in ${countdown(left)}`;
    if (left > 0) return undefined;
    clearInterval(ticks);
    return retry();
  };
  let ticks;
  tick();
  ticks = setInterval(tick, 500);
}
