// Who is signed in, until when, and whether that is still so. Asking does not keep a session alive; using the page does.

import { Problem, post, read } from './api.js';

const EVERY_MS = 60_000;
// A clock that is ahead of the server's must not make us ask without pause.
const AT_MOST_EVERY_MS = 5_000;

const tabs = new BroadcastChannel('triptych-session');

let current = null;
let timer;
let tell = () => {};

/** Calls `listener(session, before)` whenever another answer came; `before` is null the first time. */
export function watch(listener) {
  tell = listener;
  tabs.addEventListener('message', check);
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && check());
  // The back button may bring back a page as it was when it was left.
  addEventListener('pageshow', (event) => event.persisted && check());
}

/** Asks now. When nobody can tell (503, no network) what was known stays true. */
export async function check({ orThrow = false } = {}) {
  clearTimeout(timer);
  try {
    become(await read('/auth/session'));
  } catch (problem) {
    if (orThrow || !(problem instanceof Problem)) throw problem;
  } finally {
    if (current?.authenticated) timer = setTimeout(check, untilNext());
  }
  return current;
}

/** Ends the session everywhere in this browser; answers where the provider ends its own. */
export async function signOut() {
  const { redirectTo } = await post('/auth/logout');
  const target = new URL(redirectTo ?? '/', location.href);
  tabs.postMessage('signed out');
  return ['https:', 'http:'].includes(target.protocol) ? target.href : '/';
}

function become(session) {
  const before = current;
  current = session;
  if (session.authenticated && !before?.authenticated) tabs.postMessage('signed in');
  tell(session, before);
}

/** Twice before its end a session is looked at, so that the page can say in time that it ends; and once just after. */
function untilNext() {
  const left = Date.parse(current.expiresAt) - Date.now();
  const next = left > 2 * AT_MOST_EVERY_MS ? left / 2 : left + 500;
  return Math.max(AT_MOST_EVERY_MS, Math.min(EVERY_MS, next));
}
