import { float32Bytes } from '../graph/index.js';
import { paramsOf } from './check-weights.js';
import type { OpenModel } from './open-model.js';
import type { ModelSource } from './operation.js';

interface Pooled {
  readonly stamp: string;
  readonly model: OpenModel;
  /** What its weights take when all are packed. */
  readonly bytes: number;
  users: number;
  uses: number;
}

/** Models that stay open until room is needed: those go first that were not used for longest, and none in use. */
export class ModelPool implements ModelSource {
  readonly #open = new Map<string, Pooled>();
  /** Opening and closing, one after the other: a model is never opened twice. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(readonly limitBytes: number) {}

  get bytes(): number {
    return [...this.#open.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get size(): number {
    return this.#open.size;
  }

  lease(key: string, stamp: string, open: () => Promise<OpenModel>): Promise<OpenModel> {
    return this.#inTurn(async () => {
      const pooled = await this.#pooled(key, stamp, open);
      pooled.users++;
      const isNew = pooled.uses++ === 0;
      await this.#makeRoom();
      let isBack = false;
      const dispose = async (): Promise<void> => {
        if (isBack) return;
        isBack = true;
        pooled.users--;
        await this.#inTurn(() => this.#makeRoom(pooled));
      };
      return { ...pooled.model, loadSeconds: isNew ? pooled.model.loadSeconds : 0, dispose };
    });
  }

  /** Closes the models of these keys; one in use closes when it is given back. */
  close(isMeant: (key: string) => boolean = () => true): Promise<void> {
    return this.#inTurn(async () => {
      for (const [key, pooled] of [...this.#open]) if (isMeant(key)) await this.#forget(key, pooled);
    });
  }

  async #pooled(key: string, stamp: string, open: () => Promise<OpenModel>): Promise<Pooled> {
    const known = this.#open.get(key);
    if (known && known.stamp !== stamp) await this.#forget(key, known);
    const isKept = known?.stamp === stamp;
    this.#open.delete(key);
    const pooled = isKept ? known : pool(stamp, await open());
    this.#open.set(key, pooled); // last in the map: most recently used
    return pooled;
  }

  async #forget(key: string, pooled: Pooled): Promise<void> {
    this.#open.delete(key);
    if (pooled.users === 0) await pooled.model.dispose();
  }

  /** Closes what is too much, and one that was given back after it was forgotten. */
  async #makeRoom(back?: Pooled): Promise<void> {
    const isForgotten = back?.users === 0 && ![...this.#open.values()].includes(back);
    if (isForgotten) await back.model.dispose();
    for (const [key, pooled] of [...this.#open]) {
      if (this.bytes <= this.limitBytes) return;
      if (pooled.users === 0) await this.#forget(key, pooled);
    }
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}

const pool = (stamp: string, model: OpenModel): Pooled => {
  const bytes = float32Bytes(paramsOf(model.program));
  return { stamp, model, bytes, users: 0, uses: 0 };
};
