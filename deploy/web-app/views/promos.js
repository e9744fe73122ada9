// What is cheaper for a while.

import { el, fill } from '../dom.js';
import { day } from '../format.js';
import { warnings } from './notes.js';

export function promos(retry, choose) {
  const element = el('section', { class: 'card', 'aria-labelledby': 'promos-title' });

  function show(page) {
    const notes = warnings(page, ['promos'], retry);
    fill(element,
      el('div', { class: 'head' }, el('h2', { id: 'promos-title' }, 'For you')),
      notes,
      page.promos.length > 0 && el('ul', { class: 'plain promos' }, page.promos.map(item)),
      page.promos.length === 0 && notes.length === 0 && el('p', { class: 'faint' }, 'Nothing is reduced at the moment.'));
  }

  function item({ id, title, productId, discountPercent, endsAt }) {
    return el('li', {},
      el('button', { type: 'button', class: 'promo', id: `promo-${id}`, on: { click: () => choose(productId) } },
        el('strong', { class: 'percent' }, `−${discountPercent}%`),
        el('span', { class: 'title', dir: 'auto' }, title),
        el('span', { class: 'faint' }, `until ${day(endsAt)}`)));
  }

  return { element, show };
}
