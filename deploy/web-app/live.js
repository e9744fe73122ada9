// The stream of order events. The browser reconnects by itself after a lost connection; an answer that is no stream
// (nobody signed in, too much to do) ends its attempts, and then it is our turn.

const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;
// A tab that nobody looks at gives its connection back: without HTTP/2 a browser has six for all tabs of a site.
const HIDDEN_MS = 60_000;

/**
 * Listens until `close()`.
 * - `onStatus({orderId, status, at})`: an order moved on; may repeat itself.
 * - `onState('live' | 'reconnecting')`
 * - `onGap()`: connected anew without a memory: events may have been missed.
 * - `onRefused()`: the stream was refused; the session may be why.
 * - `onEnded()`: the session ended.
 */
export function listen({ onStatus, onState, onGap, onRefused, onEnded }) {
  let source = null;
  let failures = 0;
  let timer;
  let forgetful = false;

  function connect() {
    clearTimeout(timer);
    source = new EventSource('/web/events');
    source.addEventListener('open', opened);
    source.addEventListener('order-status', (event) => onStatus(JSON.parse(event.data)));
    source.addEventListener('session-ended', () => {
      close();
      onEnded();
    });
    source.addEventListener('error', lost);
  }

  function opened() {
    failures = 0;
    onState('live');
    if (forgetful) onGap();
    forgetful = false;
  }

  function lost() {
    onState('reconnecting');
    if (source?.readyState !== EventSource.CLOSED) return;
    disconnect();
    onRefused();
    const wait = Math.min(LONGEST_MS, FIRST_MS * 2 ** failures++);
    // Not all tabs of all people at the same moment.
    timer = setTimeout(connect, wait * (0.5 + Math.random()));
  }

  function disconnect() {
    clearTimeout(timer);
    source?.close();
    source = null;
    forgetful = true;
  }

  function seen() {
    clearTimeout(timer);
    if (document.visibilityState === 'hidden') timer = setTimeout(disconnect, HIDDEN_MS);
    else if (!source) connect();
  }

  function close() {
    document.removeEventListener('visibilitychange', seen);
    disconnect();
  }

  document.addEventListener('visibilitychange', seen);
  connect();
  return { close };
}
