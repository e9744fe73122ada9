// Which of the page's states is shown: loading, signed out, the dashboard, or that it could not be had.

import { Problem, read, whenSignedOut } from './api.js';
import { el, fill, speak } from './dom.js';
import { countdown } from './format.js';
import { listen } from './live.js';
import * as session from './session.js';
import { dashboard } from './views/dashboard.js';
import { failure } from './views/failure.js';
import { showBanner, toast } from './views/notes.js';
import { signInLink, signedOut } from './views/signed-out.js';

const main = document.getElementById('main');
const skeleton = document.getElementById('skeleton');
const who = document.getElementById('who');
const live = document.getElementById('live');

let view = null;
let stream = null;
let ending;

function turnTo(element, title) {
  const first = main.contains(skeleton);
  main.replaceChildren(element);
  main.toggleAttribute('aria-busy', element === skeleton);
  document.title = `${title} · Triptych`;
  // A view that takes another's place is read from its title; a fresh page is read from its start.
  if (!first) main.querySelector('h1')?.focus();
}

async function start() {
  turnTo(skeleton, 'Loading');
  try {
    await session.check({ orThrow: true });
  } catch (problem) {
    fail(problem);
  }
}

/** Another answer to who is signed in. */
function changed(now, before) {
  clearInterval(ending);
  if (now.endsSoon) warn(now);
  else showBanner();
  const was = before?.authenticated;
  // Still nobody is no news.
  if (!now.authenticated && was !== false) leave(was === true);
  else if (now.authenticated && now.user.id !== before?.user?.id) enter(now.user);
}

function enter(user) {
  view = null;
  fill(who, el('span', { class: 'name', dir: 'auto' }, user.name ?? user.id), el('button', { class: 'quiet', type: 'button', id: 'sign-out', on: { click: signOut } }, 'Sign out'));
  who.hidden = false;
  listenAnew();
  load();
}

function leave(ended) {
  stream?.close();
  stream = null;
  view = null;
  live.hidden = true;
  who.hidden = true;
  who.replaceChildren();
  document.querySelector('dialog')?.close();
  turnTo(signedOut({ ended }), ended ? 'Signed out' : 'Welcome');
  if (ended) speak('You are signed out');
}

/** Gets the page and draws it: over the old one, if there is one, which stays when this fails. */
async function load() {
  if (!view) turnTo(skeleton, 'Loading');
  try {
    const page = await read('/dashboard');
    if (who.hidden) return;
    view ??= dashboard(load);
    view.show(page);
    if (!main.contains(view.element)) turnTo(view.element, 'Your page');
  } catch (problem) {
    // Signed out: that view is there already.
    if (problem.status === 401 && who.hidden) return;
    if (view) toast(`The page could not be renewed: ${problem.text}.`, { bad: true });
    else fail(problem);
  }
}

function fail(problem) {
  if (!(problem instanceof Problem)) throw problem;
  const again = () => (who.hidden ? start() : load());
  turnTo(failure(problem, again), problem.title);
  if (problem.slug === 'offline') addEventListener('online', again, { once: true });
}

function listenAnew() {
  stream?.close();
  stream = listen({
    onStatus: (event) => view?.moved(event),
    onState: mark,
    onGap: load,
    onRefused: session.check,
    onEnded: lookAgain,
  });
}

/** A session is over; another tab may have begun the next one. */
async function lookAgain() {
  const now = await session.check();
  if (now?.authenticated) listenAnew();
}

function mark(state) {
  live.hidden = false;
  live.dataset.state = state;
  live.textContent = state === 'live' ? 'Live' : 'Reconnecting';
}

/** The session is about to end: using the page keeps it, unless it has lasted as long as any may. */
function warn({ expiresAt }) {
  const left = el('span', { role: 'timer', 'aria-live': 'off' });
  const tick = () => {
    left.textContent = countdown(Date.parse(expiresAt) - Date.now());
  };
  tick();
  ending = setInterval(tick, 1000);
  const button = el('button', { class: 'button small', type: 'button', id: 'stay', on: { click: () => stay(button) } }, 'Stay signed in');
  showBanner(el('p', {}, 'Your session ends in ', left, '.'), button);
}

async function stay(button) {
  button.setAttribute('aria-disabled', 'true');
  await load();
  const now = await session.check();
  if (now?.endsSoon) showBanner(el('p', {}, 'Your session has lasted as long as it may.'), signInLink('Sign in again'));
}

async function signOut() {
  try {
    location.assign(await session.signOut());
  } catch (problem) {
    if (problem.status !== 401) toast(`You are still signed in: ${problem.text}.`, { bad: true });
  }
}

whenSignedOut(lookAgain);
session.watch(changed);
start();
