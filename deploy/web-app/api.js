// The one place that talks to the backend. Who calls gets the answer's JSON, or a Problem.

const BASE = '/web';
// A little more than the backend's own deadlines and a slow network: it ends what nobody else ended.
const READ_MS = 10_000;
const WRITE_MS = 20_000;

/** Why there is no good answer. `status` is 0 when there was none at all. */
export class Problem extends Error {
  constructor({ slug, title, detail, status = 0, errors = [], requestId, retryAfter = null }) {
    super(title);
    Object.assign(this, { slug, title, detail, status, errors, requestId, retryAfter });
  }

  /** Whether a write may have taken effect all the same. */
  get outcomeUnknown() {
    return this.status === 0 || this.status >= 500 || this.slug === 'idempotency-in-progress';
  }

  /** Everything that the backend said for people, in one text. */
  get text() {
    return [this.title, this.detail, ...this.errors.map((error) => error.detail)].filter(Boolean).join('. ');
  }
}

let signedOut = () => {};

/** Calls `listener` whenever an answer says that nobody is signed in. */
export function whenSignedOut(listener) {
  signedOut = listener;
}

export function read(path, { query, signal } = {}) {
  const search = query ? `?${new URLSearchParams(query)}` : '';
  return send('GET', path + search, { signal, limit: READ_MS });
}

/** Posts what may happen twice without harm. */
export function post(path) {
  return send('POST', path, { limit: WRITE_MS });
}

// What was sent and has no certain outcome yet, with its key: sent again it has the same key, and happens once.
const attempts = new Map();

/** Posts; again after a failure, or by a double click, it still takes effect once. */
export async function write(path, body) {
  const attempt = `${path} ${JSON.stringify(body)}`;
  const key = attempts.get(attempt) ?? crypto.randomUUID();
  attempts.set(attempt, key);
  try {
    const answer = await send('POST', path, { body, key, limit: WRITE_MS });
    attempts.delete(attempt);
    return answer;
  } catch (problem) {
    if (!problem.outcomeUnknown) attempts.delete(attempt);
    throw problem;
  }
}

async function send(method, path, { body, key, signal, limit }) {
  const headers = { Accept: 'application/json' };
  // A page of another site cannot set this header: the backend takes it as the sign that a write is ours.
  if (method !== 'GET') headers['X-CSRF'] = '1';
  if (key) headers['Idempotency-Key'] = key;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const deadline = AbortSignal.timeout(limit);
  try {
    const answer = await fetch(BASE + path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: 'same-origin',
      redirect: 'error',
      signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    });
    return await understand(answer);
  } catch (error) {
    if (error instanceof Problem || signal?.aborted) throw error;
    throw unanswered(deadline.aborted);
  }
}

async function understand(answer) {
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const problem = await asProblem(answer);
  if (problem.status === 401) signedOut();
  throw problem;
}

async function asProblem(answer) {
  const isProblem = answer.headers.get('Content-Type')?.startsWith('application/problem+json');
  const said = isProblem ? await answer.json() : { title: 'The answer makes no sense' };
  const slug = String(said.type ?? '').split(':').at(-1);
  return new Problem({ ...said, slug, status: answer.status, retryAfter: seconds(answer.headers.get('Retry-After')) });
}

function unanswered(late) {
  if (late) return new Problem({ slug: 'timeout', title: 'The answer took too long' });
  if (!navigator.onLine) return new Problem({ slug: 'offline', title: 'You are offline' });
  return new Problem({ slug: 'unreachable', title: 'The shop cannot be reached' });
}

/** `Retry-After` is a number of seconds or a date (RFC 9110 §10.2.3). */
function seconds(header) {
  if (!header) return null;
  const wait = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(wait) ? Math.max(0, wait) : null;
}
