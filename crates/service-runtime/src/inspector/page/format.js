// Numbers and words for people.

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** Microseconds: `30 µs`, `0.4 ms`, `38 ms`, `1.24 s`. */
export function took(micros) {
  if (micros == null) return '–';
  const ms = micros / 1000;
  if (ms < 0.095) return `${Math.round(micros)} µs`;
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  return `${(ms / 1000).toFixed(ms < 9995 ? 2 : 1)} s`;
}

/** The same without decimals that say nothing: `5 ms`, `1 s`. */
export const round = (micros) => took(micros).replace(/\.0+ /, ' ').replace(/(\.\d)0 /, '$1 ');

/** Bytes: `512 B`, `18.0 KB`. */
export function size(bytes) {
  if (bytes == null) return '';
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1000).toFixed(bytes < 1e5 ? 1 : 0)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** `17:04:31.204` of a moment, on the clock of whoever looks. */
export function time(moment) {
  const date = new Date(moment);
  return `${clock.format(date)}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** What statuses and marks are called where people read them. */
export const words = (text) => String(text).replaceAll('_', ' ');

export const percent = (share) => `${Math.round(share * 100)} %`;

export const plural = (number, one) => `${number} ${one}${number === 1 ? '' : 's'}`;
