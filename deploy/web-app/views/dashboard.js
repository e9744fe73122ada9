// The page after signing in: one answer of the backend, drawn section by section.

import { el } from '../dom.js';
import { account } from './account.js';
import { notifications } from './notifications.js';
import { orders, underWay } from './orders.js';
import { promos } from './promos.js';
import { shop } from './shop.js';

/** `retry` asks for the page again; `show(page)` draws an answer and leaves alone what the user is typing. */
export function dashboard(retry) {
  const greeting = el('h1', { id: 'title', tabindex: '-1' });
  const role = el('span', { class: 'role' });
  const summary = el('span');

  const list = orders(retry, (current) => {
    summary.textContent = underWay(current);
  });
  const order = shop(list.put);
  const beside = [account(retry), notifications(retry), promos(retry, order.choose)];

  const element = el('div', { class: 'dashboard' },
    el('div', { class: 'greeting' }, greeting, el('p', { class: 'lead' }, role, ' ', summary)),
    el('div', { class: 'columns' },
      el('div', { class: 'wide' }, [order, list].map((section) => section.element)),
      el('div', { class: 'side' }, beside.map((section) => section.element))));

  function show(page) {
    greeting.replaceChildren(`${daytime()}, `, el('span', { dir: 'auto' }, page.user.name));
    role.textContent = page.user.role;
    for (const section of [list, ...beside]) section.show(page);
  }

  return { element, show, moved: list.moved };
}

function daytime() {
  const hour = new Date().getHours();
  if (hour < 5 || hour >= 18) return 'Good evening';
  return hour < 12 ? 'Good morning' : 'Good afternoon';
}
