// Asks the service once a second for what is new, and keeps the last of it.

const EVERY_MS = 1000;
const LATER_MS = 3000;
/** So many samples of each upstream are kept for its line: three minutes. */
const SAMPLES = 180;

export class Feed {
  /** The newest first. */
  requests = [];
  upstreams = null;
  /** By upstream: the last values of what is drawn as a line. */
  history = new Map();
  service = null;
  paused = false;
  #newest = 0;
  #instance = 0;
  #timer;

  /** `onChange()` when there is something new, `onState(state)` with `live`, `paused` or `lost`. */
  constructor({ onChange, onState }) {
    Object.assign(this, { onChange, onState });
    // Who does not look at the page needs nothing new.
    document.addEventListener('visibilitychange', () => this.#again(0));
    addEventListener('online', () => this.#again(0));
  }

  start() {
    this.#again(0);
  }

  pause(paused) {
    this.paused = paused;
    this.onState(paused ? 'paused' : 'live');
    this.#again(0);
  }

  #again(wait) {
    clearTimeout(this.#timer);
    if (!this.paused && !document.hidden) this.#timer = setTimeout(() => this.#ask(), wait);
  }

  async #ask() {
    try {
      const [list, upstreams] = await Promise.all([read(`requests?since=${this.#newest}`), read('upstreams', { optional: true })]);
      if (this.paused) return;
      const known = this.#instance;
      this.#take(list);
      if (upstreams) this.#note(upstreams);
      this.onState('live');
      this.onChange();
      // It was started anew: what it has done since is asked for from its beginning.
      this.#again(known && known !== this.#instance ? 0 : EVERY_MS);
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
      this.onState('lost');
      this.#again(LATER_MS);
    }
  }

  #take({ service, version, instance, keeps, newest, requests }) {
    this.service = { name: service, version, keeps };
    if (instance === this.#instance) {
      this.#newest = newest;
      this.requests = [...requests, ...this.requests].slice(0, keeps);
    } else {
      // The answer was asked of another process, by a number that means nothing here.
      const fresh = this.#instance === 0;
      this.#instance = instance;
      this.#newest = fresh ? newest : 0;
      this.requests = fresh ? requests : [];
    }
  }

  #note(state) {
    this.upstreams = state;
    for (const [name, { concurrency, operations }] of Object.entries(state.upstreams)) {
      const all = Object.values(operations);
      const p95 = Math.max(...all.map(({ latency }) => latency.p95Us ?? -1));
      const attempts = all.reduce((sum, operation) => sum + operation.attempts, 0);
      const samples = this.history.get(name) ?? this.history.set(name, []).get(name);
      samples.push({ at: performance.now(), p95: p95 < 0 ? null : p95, inFlight: concurrency.inFlight, attempts });
      if (samples.length > SAMPLES) samples.shift();
    }
  }
}

/** The service does not answer. */
export class Lost extends Error {}

/** Reads what is below the page; `null` for what is not there, where that may be. */
export async function read(path, { optional = false } = {}) {
  let answer;
  try {
    answer = await fetch(`/inspector/${path}`, { headers: { accept: 'application/json' } });
    // The session is over: the same address asks for the token now.
    if (answer.status === 401) location.reload();
    if (answer.ok) return await answer.json();
  } catch {
    throw new Lost();
  }
  if (answer.status === 404 && optional) return null;
  throw new Lost();
}
