// A browser without a screen: it keeps cookies, follows nobody by itself, and sends what a browser says of a request.

import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { request as plainRequest } from 'node:http';

/** Names that only the tests have: they are all here. */
const lookup = (name, options, done) => (options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4));

export class Agent {
  /** `certificate` is what it trusts. */
  constructor(certificate) {
    this.cookies = new Map();
    this.bodies = [];
    this.tls = new TlsAgent({ ca: certificate, keepAlive: true, lookup, maxSockets: 64 });
  }

  /** Follows an address as if it were typed or clicked on; not its redirects. */
  visit(url, { site = 'none', ...options } = {}) {
    return this.send(url, { ...options, headers: { 'sec-fetch-site': site, 'sec-fetch-mode': 'navigate', accept: 'text/html', ...options.headers } });
  }

  /** Asks as a script of our own pages does. */
  fetch(url, { method = 'GET', json, headers = {} } = {}) {
    const ours = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', accept: 'application/json', ...(method === 'GET' ? {} : { 'x-csrf': '1' }) };
    const body = json === undefined ? undefined : JSON.stringify(json);
    return this.send(url, { method, body, headers: { ...ours, ...(body ? { 'content-type': 'application/json' } : {}), ...headers } });
  }

  async send(address, { method = 'GET', headers = {}, body } = {}) {
    const url = new URL(address);
    const sent = { ...headers, ...(this.cookieHeader(url) ? { cookie: this.cookieHeader(url) } : {}) };
    const send = url.protocol === 'https:' ? tlsRequest : plainRequest;
    const answer = await new Promise((resolve, reject) => {
      const request = send(url, { method, headers: sent, lookup, agent: url.protocol === 'https:' ? this.tls : undefined, servername: url.hostname });
      request.on('error', reject).on('response', resolve).end(body);
    });
    const chunks = [];
    for await (const chunk of answer) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    this.bodies.push(text);
    this.keep(url, answer.headers['set-cookie'] ?? []);
    return new Answer(url, answer, text);
  }

  /** Other browsers get what this one has, to the cookie. */
  copy() {
    const other = new Agent(this.tls.options.ca);
    other.cookies = new Map(this.cookies);
    return other;
  }

  cookie(name) {
    return [...this.cookies.values()].find((cookie) => cookie.name === name)?.value;
  }

  cookieHeader({ hostname }) {
    return [...this.cookies.values()].filter((cookie) => cookie.host === hostname).map(({ name, value }) => `${name}=${value}`).join('; ');
  }

  keep({ hostname }, headers) {
    for (const header of headers) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(header);
      const gone = /;\s*max-age=(0|-\d+)/i.test(header) || Date.parse(/;\s*expires=([^;]+)/i.exec(header)?.[1] ?? '') < Date.now();
      if (gone) this.cookies.delete(`${hostname} ${name}`);
      else this.cookies.set(`${hostname} ${name}`, { host: hostname, name, value });
    }
  }
}

class Answer {
  constructor(url, { statusCode, headers }, text) {
    Object.assign(this, { url, status: statusCode, headers, text });
  }

  get json() {
    return JSON.parse(this.text);
  }

  /** Where it sends the browser. */
  get location() {
    return this.headers.location && new URL(this.headers.location, this.url);
  }
}
