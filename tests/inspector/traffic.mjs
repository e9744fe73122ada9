// What a service does on a bad day: pages are asked for, while what they are made of is slow, broken or wrong.

import { signedIn } from '../sign-in/harness.mjs';

const PEOPLE = ['u_42', 'u_7', 'u_1'];
const PAGES = ['/dashboard', '/products/p_7', '/dashboard', '/orders', '/dashboard', '/products?q=lamp', '/dashboard', '/products/p_9', '/dashboard', '/products/none'];
/** How long each service takes when it is well. */
const USUAL_MS = { users: 14, orders: 42, catalog: 24, notifications: 18, billing: 31, usage: 22 };
/** What is wrong with some of them on a bad day. */
const TROUBLE = {
  orders: [{ path: '/orders', mode: 'latency', latencyMs: 240, rate: 0.08 }],
  billing: [{ path: '*', mode: 'error', status: 500, rate: 0.3 }],
  notifications: [{ path: '/notifications', mode: 'wrong_shape', rate: 0.3 }],
  catalog: [{ path: '/promos', mode: 'error', status: 500 }],
};

export class Traffic {
  #people;
  #forget;

  constructor(people, forget) {
    this.#people = people;
    this.#forget = forget;
  }

  /** Signs some people in. `forget()` empties the cache of the service. */
  static async begin(system, forget) {
    const people = [];
    for (const user of PEOPLE) people.push(await signedIn(system, user));
    return new Traffic(people.map((agent) => (path) => agent.fetch(`${system.appUrl}${path}`)), forget);
  }

  /** Asks for a page so many times, by several at once, each time as if it were the first. */
  async ask(path, times = 1) {
    for (let done = 0; done < times; done += this.#people.length) {
      await this.#forget();
      await Promise.all(this.#people.slice(0, times - done).map((person) => person(path)));
    }
  }

  /** Everybody looks around; what they see may have been seen before, but not for ever. */
  async look(rounds) {
    for (let round = 0; round < rounds; round++) {
      if (round % 3 === 0) await this.#forget();
      await Promise.all(this.#people.map((person, index) => person(PAGES[(round + index * 3) % PAGES.length])));
    }
  }
}

/** Every service takes its time. */
export const calm = ({ shop }) => rules(shop, () => []);

/** Each of these is something that the inspector draws. */
export const strike = ({ shop }) => rules(shop, (service) => TROUBLE[service] ?? []);

async function rules(shop, trouble) {
  for (const [service, latencyMs] of Object.entries(USUAL_MS)) await shop.strike(service, [...trouble(service), { path: '*', mode: 'latency', latencyMs }]);
}
