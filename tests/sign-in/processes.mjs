// Programs that run, and end with this process: when it is done, when it fails, when it is interrupted, even when it is killed.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';

const GRACE_MS = 5_000;
const PATIENCE_MS = 30_000;
const LAST_LINES = 25;
// Linux ends the program when its parent ends; elsewhere a killed test leaves its programs running.
const TIED = existsSync('/usr/bin/setpriv') ? ['/usr/bin/setpriv', '--pdeathsig', 'KILL'] : [];

const running = new Set();
process.on('exit', () => running.forEach((program) => program.child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));

export class Program {
  /** Starts `command` with these variables more. */
  constructor(name, command, env = {}) {
    const [program, ...args] = [...TIED, ...command];
    // The settings of whoever runs the tests are not for the programs.
    const clean = Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('BFF__') && key !== 'RUST_LOG'));
    this.name = name;
    this.log = '';
    this.child = spawn(program, args, { env: { ...clean, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.on('error', (error) => (this.log += error.message));
    for (const output of [this.child.stdout, this.child.stderr]) output.on('data', (data) => (this.log += data));
    running.add(this);
    this.child.on('exit', () => running.delete(this));
  }

  get hasEnded() {
    return this.child.exitCode !== null || this.child.signalCode !== null || this.child.pid === undefined;
  }

  /** Asks again and again until `ready()` has something. */
  async until(what, ready) {
    try {
      return await until(`${this.name} ${what}`, () => {
        if (this.hasEnded) throw new Error(`${this.name} ended before it ${what}`);
        return ready(this);
      });
    } catch (error) {
      throw new Error(`${error.message}; the end of its log:\n${this.log.split('\n').slice(-LAST_LINES).join('\n')}`);
    }
  }

  async stop() {
    if (this.hasEnded) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    const late = setTimeout(() => this.child.kill('SIGKILL'), GRACE_MS);
    await ended;
    clearTimeout(late);
  }
}

/** Asks again and again until `found()` has something; what it throws ends the asking. */
export async function until(what, found, patience = PATIENCE_MS) {
  const latest = Date.now() + patience;
  while (Date.now() < latest) {
    const result = await found();
    if (result) return result;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${what}: not within ${patience / 1000} s`);
}

/** The first of `number` ports in a row that nobody has. */
export async function freePorts(number) {
  for (let attempt = 0; attempt < 50; attempt++) {
    const first = 20_000 + Math.floor(Math.random() * 12_000);
    const free = await Promise.all(Array.from({ length: number }, (_, index) => isFree(first + index)));
    if (free.every(Boolean)) return first;
  }
  throw new Error(`there are no ${number} free ports in a row`);
}

function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer().once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
