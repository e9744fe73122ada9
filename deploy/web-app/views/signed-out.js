// Nobody is signed in: never was, or not any more.

import { el } from '../dom.js';

const SIGN_IN = '/web/auth/login?returnTo=/';

export function signInLink(text = 'Sign in', attributes = {}) {
  return el('a', { class: 'button', href: SIGN_IN, ...attributes }, text);
}

/** `ended` says that somebody was signed in on this page until now. */
export function signedOut({ ended }) {
  const title = ended ? 'You are signed out' : 'Everything you ordered, on one page.';
  const text = ended
    ? 'Your session has ended, here or on another device. Nothing of it is left in this browser.'
    : 'Your orders as they move, your account, and a shop that is never more than one request away.';
  return el('section', { class: 'hero', 'aria-labelledby': 'title' },
    el('div', { class: 'words' },
      el('h1', { id: 'title', tabindex: '-1' }, title),
      el('p', { class: 'lead' }, text),
      el('p', {}, signInLink(ended ? 'Sign in again' : 'Sign in', { id: 'sign-in' })),
      !navigator.cookieEnabled && el('p', { class: 'note bad' }, 'Your browser refuses cookies. Signing in needs one: allow it for this site.')),
    el('img', { class: 'art', src: '/triptych.svg', alt: '', width: '480', height: '400' }));
}
