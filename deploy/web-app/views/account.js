// Plan, balance and usage.

import { el, fill } from '../dom.js';
import { bytes, count, day, money } from '../format.js';
import { warnings } from './notes.js';

export function account(retry) {
  const element = el('section', { class: 'card', 'aria-labelledby': 'account-title' });

  function show(page) {
    const summary = page.accountSummary;
    fill(element,
      el('div', { class: 'head' },
        el('h2', { id: 'account-title' }, 'Account'),
        summary && el('span', { class: 'chip', 'data-account': summary.status }, summary.status.replaceAll('_', ' '))),
      warnings(page, ['accountSummary'], retry),
      summary && balance(summary),
      warnings(page, ['accountSummary.usage'], retry),
      summary?.usage && usage(summary.usage));
  }

  return { element, show };
}

function balance({ plan, balance, nextInvoiceAt, paymentMethod }) {
  const facts = [
    ['Plan', plan],
    ['Next invoice', nextInvoiceAt && day(nextInvoiceAt)],
    ['Paid by', paymentMethod && `${paymentMethod.brand.replaceAll('_', ' ')} ·· ${paymentMethod.last4}`],
  ].filter(([, value]) => value);
  return [
    el('p', { class: 'balance' }, el('span', { class: 'faint' }, 'Balance'), el('strong', {}, money(balance))),
    el('dl', { class: 'facts' }, facts.map(([name, value]) => el('div', {}, el('dt', {}, name), el('dd', {}, value)))),
  ];
}

function usage({ from, to, ordersPlaced, apiCalls, apiCallLimit, storageBytes, storageLimitBytes }) {
  return el('div', { class: 'usage' },
    el('h3', {}, `Usage, ${day(from)} to ${day(to)}`),
    bar('usage-calls', 'API calls', apiCalls, apiCallLimit, count),
    bar('usage-storage', 'Storage', storageBytes, storageLimitBytes, bytes),
    el('p', { class: 'faint' }, `${count(ordersPlaced)} orders placed`));
}

function bar(id, name, used, limit, write) {
  return el('div', { class: 'usage-bar' },
    el('label', { for: id }, name),
    el('span', { class: 'faint' }, `${write(used)} of ${write(limit)}`),
    el('meter', { id, min: 0, max: limit || 1, high: limit * 0.85, optimum: 0, value: used }));
}
