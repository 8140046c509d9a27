import { UsageError } from '../base/index.js';
import { processAddress, type AttachInput } from '../protocol/index.js';
import { LiveTarget, type LiveOptions } from '../service/index.js';

/** How a live process lets a debugger in. */
export interface Access {
  readonly token: string;
  /** How many ranks, where it is more than one. */
  readonly ranks?: AttachInput['ranks'] | undefined;
}

/**
 * The live processes that a page may attach to, with their tokens: those stay here, and are neither in the session's
 * journal nor in an address.
 */
export class Processes {
  readonly #access = new Map<string, Access>();

  remember(address: string, access: Access): void {
    this.#access.set(address, access);
  }

  knows(address: string): boolean {
    return this.#access.has(address);
  }

  /** @throws EngineError AGENT_UNREACHABLE, AGENT_LOST; UsageError AGENT_REFUSED, also where no token was given */
  async attach(address: string, options: LiveOptions): Promise<LiveTarget> {
    const [at, access] = [processAddress(address), this.#access.get(address)];
    if (at && access) return LiveTarget.open({ ...at, token: access.token, ranks: access.ranks ?? 1 }, options);
    throw new UsageError(`the token of ${address} is not known here`, {
      code: 'AGENT_REFUSED',
      hint: 'The process prints it when it listens. Give it, and attach.',
    });
  }
}
