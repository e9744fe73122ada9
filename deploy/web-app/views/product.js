// How a product looks in a list.

import { el, icon } from '../dom.js';

const ICONS = ['kitchen', 'home', 'office', 'garden', 'outdoors', 'toys', 'audio', 'books'];

/** A coloured tile with a sign for the product's category; a parcel when there is no product. */
export function tile(product) {
  const category = product?.category.split(' ')[0] ?? '';
  const known = ICONS.includes(category);
  return el('span', { class: 'tile', 'data-category': known ? category : 'other' }, icon(known ? category : 'parcel'));
}

export function rating(value) {
  return value == null ? null : el('span', { class: 'rating', role: 'img', 'aria-label': `${value} of 5 stars` }, `★ ${value.toFixed(1)}`);
}
