// Look for a product, choose how many, order.

import { read, write } from '../api.js';
import { el, fill, icon, speak } from '../dom.js';
import { money, plural } from '../format.js';
import { failed, toast } from './notes.js';
import { rating, tile } from './product.js';

const TYPING_MS = 250;
const SHOWN = 6;

/** Calls `onPlaced(order)` with every order that was placed. */
export function shop(onPlaced) {
  const results = el('div', { class: 'results' });
  const input = el('input', { id: 'search', type: 'search', placeholder: 'A lamp, a kettle, a chess set …', autocomplete: 'off', maxlength: '200', on: { input: typed } });
  const element = el('section', { class: 'card', 'aria-labelledby': 'shop-title' },
    el('div', { class: 'head' }, el('h2', { id: 'shop-title' }, 'Order something')),
    el('form', { class: 'search', role: 'search', on: { submit: submitted } },
      el('label', { class: 'unseen', for: 'search' }, 'Search for a product'), icon('search'), input),
    results);
  let typing;
  let asking = new AbortController();

  function typed() {
    clearTimeout(typing);
    typing = setTimeout(search, TYPING_MS);
  }

  function submitted(event) {
    event.preventDefault();
    clearTimeout(typing);
    search();
  }

  function search() {
    const q = input.value.trim();
    if (!q) {
      asking.abort();
      return fill(results);
    }
    return look(() => read('/products', { query: { q }, signal: asking.signal }), ({ products }) => listed(products));
  }

  /** Shows one product, as a promotion leads to it. */
  function choose(productId) {
    input.value = '';
    element.scrollIntoView({ block: 'nearest' });
    return look(() => read(`/products/${encodeURIComponent(productId)}`, { signal: asking.signal }), ({ product, promo }) => {
      fill(results, el('ul', { class: 'plain' }, offer(product, promo)));
      results.querySelector('input')?.focus();
    });
  }

  /** Only the latest question is answered. */
  async function look(ask, show) {
    asking.abort();
    const mine = (asking = new AbortController());
    results.setAttribute('aria-busy', 'true');
    try {
      const answer = await ask();
      if (!mine.signal.aborted) show(answer);
    } catch (problem) {
      if (!mine.signal.aborted) fill(results, el('p', { class: 'note bad', role: 'alert' }, icon('warning'), el('span', {}, `${problem.text}.`)));
    }
    if (!mine.signal.aborted) results.removeAttribute('aria-busy');
  }

  function listed(products) {
    const more = products.length > SHOWN && el('p', { class: 'faint' }, `The first ${SHOWN} of many: another word narrows it down.`);
    if (products.length === 0) fill(results, el('p', { class: 'faint' }, 'Nothing in the shop is called that.'));
    else fill(results, el('ul', { class: 'plain' }, products.slice(0, SHOWN).map((product) => offer(product))), more);
    speak(products.length ? `${plural(products.length, 'product')} found` : 'No products found');
  }

  function offer(product, promo) {
    const quantity = el('input', { type: 'number', id: `quantity-${product.id}`, name: 'quantity', min: '1', max: '100', value: '1', required: true, inputmode: 'numeric' });
    const button = el('button', { class: 'button small', type: 'submit', disabled: product.stock === 0 }, product.stock ? 'Order' : 'Sold out');
    const problem = el('p', { class: 'problem', role: 'alert' });
    const send = (event) => {
      event.preventDefault();
      place(product, Number(quantity.value), button, problem);
    };
    return el('li', { class: 'offer', 'data-product': product.id },
      tile(product),
      el('div', { class: 'about' },
        el('p', { class: 'name', dir: 'auto' }, product.name),
        el('p', { class: 'faint' }, product.category, ' · ', stock(product.stock), ' ', rating(product.rating)),
        promo && el('p', { class: 'reduced' }, `−${promo.discountPercent}% · `, el('span', { dir: 'auto' }, promo.title))),
      el('p', { class: 'price' }, money(product.price)),
      el('form', { on: { submit: send } },
        el('label', { class: 'unseen', for: quantity.id }, `How many of ${product.name}`), quantity, button),
      problem);
  }

  async function place(product, quantity, button, problem) {
    if (button.getAttribute('aria-disabled')) return;
    // Not `disabled`: that would take the focus away.
    button.setAttribute('aria-disabled', 'true');
    problem.textContent = '';
    try {
      const order = await write('/orders', { productId: product.id, quantity });
      toast(`Ordered: ${quantity} × ${product.name}`);
      onPlaced(order);
    } catch (error) {
      problem.textContent = failed('This was not ordered.', error);
    } finally {
      button.removeAttribute('aria-disabled');
    }
  }

  return { element, choose };
}

function stock(number) {
  if (number === 0) return 'sold out';
  return number < 10 ? `only ${number} left` : 'in stock';
}
