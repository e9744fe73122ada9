// The page as a whole could not be had.

import { el, icon } from '../dom.js';
import { countdown } from '../format.js';

const WORDS = {
  offline: 'As soon as your device has a connection again, this page comes back by itself.',
  unreachable: 'The connection may be lost, or the shop may be restarting.',
  timeout: 'The connection may be slow, or the shop may have too much to do.',
};

/** What it is called, and what is said about it: the backend's words are for whoever it concerns. */
function words(problem) {
  if (problem.status >= 500) return ['The shop cannot answer right now', `${problem.title}. This is on our side: a moment later it usually works.`];
  return [problem.title, WORDS[problem.slug] ?? problem.detail ?? 'Try again, or reload the page.'];
}

/** Offers to try again; when the backend said how long to wait, the page waits that long and tries by itself. */
export function failure(problem, retry) {
  const [title, text] = words(problem);
  const button = el('button', { class: 'button', type: 'button', id: 'retry', on: { click: retry } }, 'Try again');
  const view = el('section', { class: 'hero failure', 'aria-labelledby': 'title' },
    el('div', { class: 'words' },
      el('p', { class: 'badge' }, icon('warning')),
      el('h1', { id: 'title', tabindex: '-1' }, title),
      el('p', { class: 'lead' }, text),
      el('p', {}, button),
      problem.requestId && el('p', { class: 'faint' }, 'When you ask for help, name ', el('code', {}, problem.requestId), '.')));
  if (problem.retryAfter) wait(view, button, problem.retryAfter, retry);
  return view;
}

function wait(view, button, seconds, retry) {
  // Everybody was told the same number: a part of a second keeps them from coming back at once.
  const until = Date.now() + seconds * 1000 + Math.random() * 1000;
  const tick = () => {
    const left = until - Date.now();
    button.textContent = `Trying again in ${countdown(left)}`;
    if (left > 0) return;
    clearInterval(ticks);
    // Another view may have taken this one's place.
    if (view.isConnected) retry();
  };
  const ticks = setInterval(tick, 500);
  button.disabled = true;
  tick();
}
