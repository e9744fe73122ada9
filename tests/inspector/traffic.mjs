// What a service does on a bad day: pages are asked for, while what they are made of is slow, broken or wrong.

import { signedIn } from '../sign-in/harness.mjs';

const PEOPLE = ['u_42', 'u_7', 'u_1'];
const PAGES = ['/dashboard', '/dashboard', '/dashboard', '/orders', '/products?q=lamp', '/products/p_7', '/products/p_9', '/notifications/none/read'];

export class Traffic {
  #people;

  constructor(people) {
    this.#people = people;
  }

  /** Signs some people in. */
  static async begin(system) {
    const people = [];
    for (const user of PEOPLE) people.push(await signedIn(system, user));
    return new Traffic(people.map((agent) => (path) => agent.fetch(`${system.appUrl}${path}`)));
  }

  /** Asks for a page `times` times, by several at once, and answers the statuses. */
  async ask(path, times = 1) {
    const statuses = [];
    for (let done = 0; done < times; done += this.#people.length) {
      const answers = await Promise.all(this.#people.slice(0, times - done).map((person) => person(path)));
      statuses.push(...answers.map(({ status }) => status));
    }
    return statuses;
  }

  /** Everybody looks around, `rounds` times. */
  async look(rounds) {
    for (let round = 0; round < rounds; round++) {
      await Promise.all(this.#people.map((person, index) => person(PAGES[(round * 3 + index) % PAGES.length])));
    }
  }
}

/** The trouble of the day: each is something that the inspector draws. */
export async function strike({ shop }) {
  await shop.strike('orders', [{ path: '/orders', mode: 'latency', latencyMs: 260, rate: 0.2 }]);
  await shop.strike('billing', [{ path: '*', mode: 'error', status: 503, rate: 0.3 }]);
  await shop.strike('notifications', [{ path: '/notifications', mode: 'wrong_shape', rate: 0.3 }]);
  await shop.strike('catalog', [{ path: '/promos', mode: 'error', status: 503 }]);
}

export async function heal({ shop }) {
  for (const service of ['orders', 'billing', 'notifications', 'catalog', 'users']) await shop.heal(service);
}
