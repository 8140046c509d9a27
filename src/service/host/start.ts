import { spawn, type ChildProcess } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { connect, type Client, type ClientOptions, type Transport, type TransportEvents } from '../../client/index.js';
import { entryOptions, processEntry } from './entries.js';
import type { WorkerLimits } from './messages.js';

export interface HostOptions extends ClientOptions {
  /** Bytes of weights that stay open (half of the machine's memory), and of values held for views (a quarter). */
  readonly limits?: Partial<WorkerLimits>;
}

/** How long a host may take to end when it is asked to. */
const endsWithinMs = 5000;
const stderrKept = 4096;

/** A host's process as a transport: frames on descriptor 3. */
class ProcessTransport implements Transport {
  readonly #wire: Duplex;
  readonly #gone: Promise<string>;
  #stderr = '';

  constructor(readonly child: ChildProcess) {
    this.#wire = child.stdio[3] as Duplex;
    this.#wire.on('error', () => undefined); // the process's end tells why
    child.stderr?.on('data', (text: Buffer) => (this.#stderr = (this.#stderr + text.toString()).slice(-stderrKept)));
    this.#gone = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('close', (status, signal) => resolve(signal ?? `exit status ${status ?? 'unknown'}`));
    });
  }

  send(pieces: readonly Uint8Array[]): void {
    for (const piece of pieces) if (this.#wire.writable) this.#wire.write(piece);
  }

  listen(events: TransportEvents): void {
    this.#wire.on('data', (bytes: Uint8Array) => events.data(bytes));
    void this.#gone.then((reason) => events.end({ reason, stderr: this.#stderr.trim() }));
  }

  async close(): Promise<void> {
    this.#wire.end();
    const kill = setTimeout(() => this.child.kill('SIGKILL'), endsWithinMs);
    await this.#gone;
    clearTimeout(kill);
    this.#wire.destroy();
  }
}

const startProcess = (limits: Partial<WorkerLimits>): ProcessTransport => {
  const args = [...entryOptions(), processEntry(), JSON.stringify(limits)];
  return new ProcessTransport(spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] }));
};

/**
 * Starts a host: a process in which models run, apart from the one that serves or draws. It ends with `dispose`, and
 * also when this process does, however that comes about.
 * @throws EngineError HOST_DIED
 */
export const startHost = ({ limits = {}, ...options }: HostOptions = {}): Promise<Client> =>
  connect(async () => startProcess(limits), options);
