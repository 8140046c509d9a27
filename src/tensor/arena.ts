/** Something held, and what it takes. */
interface Held<Value> {
  readonly value: Value;
  readonly bytes: number;
  /** Never dropped to make room. */
  readonly pinned: boolean;
}

/**
 * Values counted in bytes, with a limit: what was not used for longest goes when room is needed. Not the owner of
 * memory that others still refer to: views must be copies.
 */
export class Arena<Value> {
  readonly #held = new Map<string, Held<Value>>();
  #bytes = 0;

  constructor(readonly limitBytes: number) {}

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#held.size;
  }

  keys(): readonly string[] {
    return [...this.#held.keys()];
  }

  /** Could so many bytes be held, beside what is pinned and is not about to be replaced? */
  fits(bytes: number, replaced: readonly string[] = []): boolean {
    const gone = new Set(replaced);
    const pinned = [...this.#held].filter(([key, held]) => held.pinned && !gone.has(key));
    return bytes + pinned.reduce((sum, [, held]) => sum + held.bytes, 0) <= this.limitBytes;
  }

  /**
   * Holds a value, in place of an earlier one of that key; others are dropped for it, those first that were not used
   * for longest. @returns whether there was room
   */
  put(key: string, value: Value, { bytes, pinned = false }: { bytes: number; pinned?: boolean }): boolean {
    if (!this.fits(bytes, [key])) return false;
    this.delete(key);
    for (const [other, held] of this.#held) {
      if (this.#bytes + bytes <= this.limitBytes) break;
      if (!held.pinned) this.delete(other);
    }
    this.#held.set(key, { value, bytes, pinned });
    this.#bytes += bytes;
    return true;
  }

  /** The value, which counts as used now. */
  get(key: string): Value | undefined {
    const held = this.#held.get(key);
    if (!held) return undefined;
    this.#held.delete(key);
    this.#held.set(key, held);
    return held.value;
  }

  /** @returns the bytes that it took */
  delete(key: string): number {
    const bytes = this.#held.get(key)?.bytes ?? 0;
    this.#held.delete(key);
    this.#bytes -= bytes;
    return bytes;
  }

  clear(): void {
    this.#held.clear();
    this.#bytes = 0;
  }
}
