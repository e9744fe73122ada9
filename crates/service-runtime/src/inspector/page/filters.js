// Which requests are shown.

import { el } from './dom.js';

const OUTCOMES = [['', 'All'], ['ok', 'OK'], ['degraded', 'Degraded'], ['failed', 'Failed'], ['slow', 'Slow']];

export class Filters {
  #outcome = '';
  #search = el('input', { type: 'search', id: 'search', placeholder: 'Search…', 'aria-label': 'Search in requests', 'aria-keyshortcuts': '/', autocomplete: 'off', spellcheck: 'false' });
  #route = el('select', { id: 'route', 'aria-label': 'Route' });
  #user = el('select', { id: 'user', 'aria-label': 'User' });
  #buttons = OUTCOMES.map(([outcome, label]) => el('button', { type: 'button', 'data-outcome': outcome, 'aria-pressed': String(!outcome), on: { click: () => this.#turn(outcome) } }, label, el('b', {})));

  /** `onChange()` when others are to be shown. */
  constructor(form, onChange) {
    this.onChange = onChange;
    form.append(this.#search, this.#route, this.#user, el('div', { class: 'outcomes', role: 'group', 'aria-label': 'Outcome' }, this.#buttons));
    form.addEventListener('input', onChange);
    form.addEventListener('submit', (event) => event.preventDefault());
  }

  get isActive() {
    return Boolean(this.#outcome || this.#search.value || this.#route.value || this.#user.value);
  }

  focus() {
    this.#search.focus();
    this.#search.select();
  }

  clear() {
    this.#search.value = this.#route.value = this.#user.value = '';
    this.#turn('');
  }

  onlyUser(user) {
    this.#user.value = user;
    this.onChange();
  }

  /** Those of `requests` that fit; the choices follow what there is. */
  of(requests) {
    choices(this.#route, 'All routes', requests.map(({ route }) => route));
    choices(this.#user, 'All users', requests.map(({ user }) => user));
    const text = this.#search.value.trim().toLowerCase();
    const others = requests.filter((request) =>
      (!this.#route.value || request.route === this.#route.value) && (!this.#user.value || request.user === this.#user.value) && (!text || haystack(request).includes(text)));
    OUTCOMES.forEach(([outcome], index) => {
      const number = others.filter((request) => fits(request, outcome)).length;
      this.#buttons[index].querySelector('b').textContent = number || '';
    });
    return others.filter((request) => fits(request, this.#outcome));
  }

  #turn(outcome) {
    this.#outcome = outcome;
    for (const button of this.#buttons) button.setAttribute('aria-pressed', String(button.dataset.outcome === outcome));
    this.onChange();
  }
}

const fits = (request, outcome) => !outcome || (outcome === 'slow' ? request.slow : request.outcome === outcome);

const haystack = ({ method, route, status, outcome, error, user, traceId, requestId, warnings, marks }) =>
  [method, route, status, outcome, error, user, traceId, requestId, ...warnings.flatMap(({ section, status: lost }) => [section, lost]), ...Object.keys(marks)].join(' ').toLowerCase();

/** Fills a choice with what there is, the most frequent first, and keeps what is chosen. */
function choices(select, all, values) {
  const counts = new Map();
  for (const value of values) if (value) counts.set(value, (counts.get(value) ?? 0) + 1);
  if (select.value && !counts.has(select.value)) counts.set(select.value, 0);
  const wanted = [...counts].sort(([a, some], [b, others]) => others - some || a.localeCompare(b)).map(([value]) => value);
  // An open choice would close if it were filled while nothing is new.
  if (select.dataset.filled === wanted.join('\n') && select.options.length) return;
  const chosen = select.value;
  select.replaceChildren(el('option', { value: '' }, all), ...wanted.map((value) => el('option', { value }, value)));
  select.value = chosen;
  select.dataset.filled = wanted.join('\n');
}
