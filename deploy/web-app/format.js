// How numbers and times are written. The texts of the page are English, so everything is.

const LOCALE = 'en-GB';
const UNITS = [['day', 86_400], ['hour', 3_600], ['minute', 60], ['second', 1]];

/** `{amount: "42.00", currency: "EUR"}`: the amount stays a string, so no digit is lost. */
export function money({ amount, currency }) {
  const digits = amount.split('.')[1]?.length ?? 0;
  return new Intl.NumberFormat(LOCALE, { style: 'currency', currency, minimumFractionDigits: digits }).format(amount);
}

export function count(number) {
  return new Intl.NumberFormat(LOCALE).format(number);
}

export function bytes(number) {
  const power = Math.min(4, Math.floor(Math.log2(Math.max(number, 1)) / 10));
  return `${new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 1 }).format(number / 1024 ** power)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`;
}

/** 31 Oct, with the year if it is another one. */
export function day(time) {
  const date = new Date(time);
  const year = date.getFullYear() === new Date().getFullYear() ? undefined : 'numeric';
  return new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short', year }).format(date);
}

export function moment(time) {
  return new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(time));
}

/** 5 minutes ago. */
export function age(seconds) {
  const [unit, length] = UNITS.find(([, length]) => seconds >= length) ?? UNITS.at(-1);
  return new Intl.RelativeTimeFormat(LOCALE, { numeric: 'always' }).format(-Math.floor(seconds / length), unit);
}

/** 1:05, or 0:00 when nothing is left. */
export function countdown(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** `plural(1, 'order')` is "1 order". */
export function plural(number, word) {
  return `${count(number)} ${word}${number === 1 ? '' : 's'}`;
}
