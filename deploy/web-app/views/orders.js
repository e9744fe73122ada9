// The latest orders, and where each of them is.

import { read, write } from '../api.js';
import { el, fill, speak } from '../dom.js';
import { day, moment, money, plural } from '../format.js';
import { failed, toast, warnings } from './notes.js';
import { tile } from './product.js';

const UNDER_WAY = ['placed', 'paid', 'shipped'];
// The backend decides; this only keeps the page from offering what will be refused.
const CANCELLABLE = ['placed', 'paid'];
const FIRST = 10;
const CHANGED_MS = 2_500;

const FILTERS = [
  ['All', () => true],
  ['On the way', ({ status }) => UNDER_WAY.includes(status)],
  ['Delivered', ({ status }) => status === 'delivered'],
  ['Cancelled', ({ status }) => status === 'cancelled'],
];

/** Calls `onChange(orders)` whenever the list became another one. */
export function orders(retry, onChange) {
  const element = el('section', { class: 'card', 'aria-labelledby': 'orders-title' });
  let page;
  let list = [];
  let filter = 0;
  let all = false;
  // What has just changed: it stays marked when others change and the list is drawn anew.
  const changed = new Set();

  function show(shown) {
    page = shown;
    list = page.orders;
    draw();
  }

  function draw() {
    const chosen = list.filter(FILTERS[filter][1]);
    const notes = warnings(page, ['orders', 'orders.product'], retry);
    const visible = all ? chosen : chosen.slice(0, FIRST);
    fill(element,
      el('div', { class: 'head' }, el('h2', { id: 'orders-title', tabindex: '-1' }, 'Orders')),
      notes,
      list.length > 0 && el('div', { class: 'filters', role: 'group', 'aria-label': 'Which orders' }, FILTERS.map(tab)),
      el('ul', { class: 'plain orders' }, visible.map(row)),
      chosen.length === 0 && !lost() && el('p', { class: 'faint empty' }, list.length ? 'None of your latest orders.' : 'You have not ordered anything yet.'),
      chosen.length > visible.length && el('button', { class: 'quiet more', type: 'button', id: 'more-orders', on: { click: showAll } }, `Show all ${chosen.length}`));
    onChange(list);
  }

  function lost() {
    return page.warnings.some(({ section }) => section === 'orders');
  }

  function tab([name, fits], index) {
    const choose = () => {
      filter = index;
      all = false;
      draw();
    };
    return el('button', { type: 'button', id: `filter-${index}`, 'aria-pressed': String(index === filter), on: { click: choose } },
      name, ' ', el('span', { class: 'faint' }, String(list.filter(fits).length)));
  }

  function showAll() {
    all = true;
    draw();
    element.querySelector(`li:nth-child(${FIRST + 1})`)?.focus();
  }

  function row(order) {
    const { id, status, quantity, total, placedAt, productId, product } = order;
    const name = product?.name ?? `Product ${productId}`;
    return el('li', { class: changed.has(id) ? 'order changed' : 'order', id: `order-${id}`, 'data-status': status, tabindex: '-1' },
      tile(product),
      el('div', { class: 'about' },
        el('p', { class: product ? 'name' : 'name faint', dir: 'auto' }, name),
        el('p', { class: 'faint' }, `${quantity} × · `, el('time', { datetime: placedAt, title: moment(placedAt) }, day(placedAt)), ` · ${id}`)),
      el('div', { class: 'state' },
        el('span', { class: 'chip', 'data-status': status }, status),
        UNDER_WAY.includes(status) && el('span', { class: 'steps', 'aria-hidden': 'true' }, [1, 2, 3, 4].map(() => el('i')))),
      el('p', { class: 'price' }, money(total)),
      CANCELLABLE.includes(status) && el('button', {
        class: 'quiet cancel', type: 'button', id: `cancel-${id}`, 'aria-label': `Cancel ${name}, order ${id}`,
        on: { click: () => ask(order, name) },
      }, 'Cancel'));
  }

  function ask(order, name) {
    const dialog = el('dialog', { 'aria-labelledby': 'cancel-title' },
      el('h2', { id: 'cancel-title' }, 'Cancel this order?'),
      el('p', {}, `${order.quantity} × `, el('span', { dir: 'auto' }, name), `, ${money(order.total)}`),
      el('form', { method: 'dialog' },
        el('button', { class: 'quiet', value: '' }, 'Keep it'),
        el('button', { class: 'button danger', value: 'cancel', id: 'confirm-cancel' }, 'Cancel the order')));
    dialog.addEventListener('close', () => {
      dialog.remove();
      if (dialog.returnValue === 'cancel') cancel(order);
    });
    document.body.append(dialog);
    dialog.showModal();
  }

  async function cancel(order) {
    try {
      const cancelled = await write(`/orders/${encodeURIComponent(order.id)}/cancel`);
      put(cancelled);
      toast(`Order ${order.id} is cancelled.`);
    } catch (problem) {
      toast(failed(`Order ${order.id} was not cancelled.`, problem), { bad: true });
      if (problem.status === 409) refresh(order.id);
    }
  }

  /** An event said that an order has come further; what it says may be older than what we know. */
  function moved({ orderId, status, at }) {
    const known = list.find(({ id }) => id === orderId);
    if (!known) return refresh(orderId);
    const newer = Date.parse(at) >= Date.parse(known.updatedAt) && status !== known.status;
    return newer ? put({ ...known, status, updatedAt: at }) : undefined;
  }

  async function refresh(orderId) {
    try {
      put(await read(`/orders/${encodeURIComponent(orderId)}`));
    } catch {
      // The list shows what it showed; the next page brings it.
    }
  }

  /** Puts an order in its place, new ones on top, and shows that it changed. */
  function put(order) {
    const at = list.findIndex(({ id }) => id === order.id);
    if (at >= 0 && Date.parse(order.updatedAt) < Date.parse(list[at].updatedAt)) return;
    const isNews = at < 0 || list[at].status !== order.status;
    list = at < 0 ? [order, ...list] : list.with(at, order);
    if (isNews) point(order);
    draw();
  }

  function point({ id, status, product }) {
    changed.add(id);
    setTimeout(() => {
      changed.delete(id);
      document.getElementById(`order-${id}`)?.classList.remove('changed');
    }, CHANGED_MS);
    speak(`${product?.name ?? 'Order'} ${id}: ${status}`);
  }

  return { element, show, moved, put };
}

/** 3 orders on the way. */
export function underWay(list) {
  const number = list.filter(({ status }) => UNDER_WAY.includes(status)).length;
  return number ? `${plural(number, 'order')} on the way` : 'Nothing is on the way';
}
