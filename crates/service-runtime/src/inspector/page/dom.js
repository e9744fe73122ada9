// Elements without a framework. Text always becomes a text node: nothing that came from outside is ever parsed as HTML.

const SVG = 'http://www.w3.org/2000/svg';

/** `el('p', { class: 'note', on: { click }, vars: { left: '3%' } }, 'text', child, null)`. Variables are custom properties. */
export function el(tag, { on = {}, vars = {}, ...attributes } = {}, ...children) {
  return furnish(document.createElement(tag), on, vars, attributes, children);
}

/** The same for what is drawn. */
export function svg(tag, { on = {}, vars = {}, ...attributes } = {}, ...children) {
  return furnish(document.createElementNS(SVG, tag), on, vars, attributes, children);
}

function furnish(element, on, vars, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, '');
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  // Set one by one, which the page's policy allows; a style attribute it would not.
  for (const [name, value] of Object.entries(vars)) element.style.setProperty(`--${name}`, value);
  for (const [event, listener] of Object.entries(on)) element.addEventListener(event, listener);
  element.append(...children.flat().filter((child) => child != null && child !== false && child !== ''));
  return element;
}

/** A small labelled mark. */
export const chip = (text, kind = '', title = null) => el('span', { class: `chip ${kind}`, title }, text);

/** A line of the last values, from the first that is known; `null` is a gap. */
export function sparkline(all, { width = 96, height = 24 } = {}) {
  const values = all.slice(Math.max(all.findIndex((value) => value != null), 0));
  // A steady value is a line with room above it, not the edge of a box.
  const most = Math.max(...values.filter(Number.isFinite), 1e-9) * 1.3;
  const step = width / Math.max(values.length - 1, 1);
  const runs = [];
  values.forEach((value, index) => {
    if (value == null) return;
    const point = `${(index * step).toFixed(1)} ${(height - 2 - (value / most) * (height - 4)).toFixed(1)}`;
    if (index && values[index - 1] != null) runs.at(-1).push(point);
    else runs.push([point]);
  });
  const lines = runs.map((run) => svg('path', { d: `M${run.join('L')}` }));
  const areas = runs.map((run) => svg('path', { class: 'area', d: `M${run[0].split(' ')[0]} ${height}L${run.join('L')}L${run.at(-1).split(' ')[0]} ${height}Z` }));
  return svg('svg', { class: 'sparkline', viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' }, areas, lines);
}
