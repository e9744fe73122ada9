// Where the provider keeps what it must not forget when it is built anew with other keys.

export class Store {
  #entries = new Map();

  /** The provider makes one adapter for each kind of thing. */
  adapter = (kind) => new Adapter(kind, this.#entries);

  /** Everything of a kind. */
  all(kind) {
    return [...this.#entries].filter(([key]) => key.startsWith(`${kind}:`)).map(([, { payload }]) => payload);
  }
}

class Adapter {
  constructor(kind, entries) {
    this.kind = kind;
    this.entries = entries;
  }

  async upsert(id, payload, expiresIn) {
    this.entries.set(`${this.kind}:${id}`, { payload, ends: expiresIn ? Date.now() + expiresIn * 1000 : Infinity });
  }

  async find(id) {
    const entry = this.entries.get(`${this.kind}:${id}`);
    return entry && entry.ends > Date.now() ? entry.payload : undefined;
  }

  async findByUid(uid) {
    return this.#first((payload) => payload.uid === uid);
  }

  async findByUserCode(userCode) {
    return this.#first((payload) => payload.userCode === userCode);
  }

  async consume(id) {
    const payload = await this.find(id);
    if (payload) payload.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    this.entries.delete(`${this.kind}:${id}`);
  }

  async revokeByGrantId(grantId) {
    for (const [key, { payload }] of this.entries) if (payload.grantId === grantId) this.entries.delete(key);
  }

  #first(fits) {
    for (const [key, { payload }] of this.entries) if (key.startsWith(`${this.kind}:`) && fits(payload)) return payload;
    return undefined;
  }
}
