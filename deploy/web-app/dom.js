// Elements without a framework. Text always becomes a text node: nothing that came from outside is ever parsed as HTML.

const SVG = 'http://www.w3.org/2000/svg';

/** `el('p', { class: 'note', on: { click } }, 'text', child, null)`: attributes that are null or false are left out. */
export function el(tag, { on = {}, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, '');
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener);
  element.append(...children.flat().filter((child) => child != null && child !== false));
  return element;
}

/** A symbol of icons.svg, for the eye only. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `/icons.svg#${name}`);
  svg.append(use);
  return svg;
}

/** Replaces what is in a parent, and gives the focus back to the element that has the same id afterwards. */
export function fill(parent, ...children) {
  const focused = parent.contains(document.activeElement) ? document.activeElement.id : '';
  parent.replaceChildren(...children.flat().filter((child) => child != null && child !== false));
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
}

/** Says something to those who listen to the page. */
export function speak(text) {
  document.getElementById('spoken').textContent = text;
}
