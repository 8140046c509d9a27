type Fields = Readonly<Record<string, unknown>>;
interface Numbered {
  readonly id: number;
  readonly name: string;
  readonly source?: { readonly path?: string };
  readonly variablesReference: number;
}

/** Words for what is of one machine, in a committed transcript. */
const places = { model: 'MODEL', listing: 'LISTING' } as const;

/**
 * The numbers that an adapter gives out, and what they stand for: a frame by its place in the stack, a value by the
 * names that lead to it, a goto target by its place among those offered. So a recorded request can be read, and sent
 * to an adapter that numbers otherwise.
 */
export class Names {
  readonly #wordOf = new Map<string, string>();
  readonly #numberOf = new Map<string, number>();
  #listing: string | undefined;

  /** @param model path of the model that is debugged */
  constructor(readonly model: string) {}

  /** Takes in what an answer gives numbers to. */
  learn(command: string, given: Fields, body: Fields): void {
    const listOf = (name: string): readonly Numbered[] => (body[name] ?? []) as readonly Numbered[];
    if (command === 'stackTrace') this.#learnFrames(listOf('stackFrames'));
    if (command === 'gotoTargets') listOf('targets').forEach(({ id }, i) => this.#put('targetId', id, `target ${i}`));
    if (command === 'scopes') this.#learnValues(listOf('scopes'), '');
    if (command === 'variables') {
      const parent = this.#wordOf.get(`variablesReference ${String(given['variablesReference'])}`) ?? '';
      this.#learnValues(listOf('variables'), `${parent}/`);
    }
    if (command === 'evaluate')
      this.#put('variablesReference', Number(body['variablesReference']), `= ${String(given['expression'])}`);
  }

  /** Arguments as a transcript has them. */
  written(given: Fields): Fields {
    const named = Object.entries(given).map(([field, value]) => [
      field,
      typeof value === 'number' ? (this.#wordOf.get(`${field} ${value}`) ?? value) : value,
    ]);
    return this.#replaced(Object.fromEntries(named) as Fields, [
      [this.#listing, places.listing],
      [this.model, places.model],
    ]);
  }

  /** Arguments as an adapter takes them. @throws Error where the adapter has not named what is asked for */
  read(written: Fields): Fields {
    const given = Object.entries(written).map(([field, value]) => [
      field,
      ['frameId', 'targetId', 'variablesReference'].includes(field) ? this.#number(field, String(value)) : value,
    ]);
    return this.#replaced(Object.fromEntries(given) as Fields, [
      [places.listing, this.#listing ?? places.listing],
      [places.model, this.model],
    ]);
  }

  #learnFrames(frames: readonly Numbered[]): void {
    frames.forEach(({ id }, i) => this.#put('frameId', id, `frame ${i}`));
    this.#listing ??= frames.find((f) => f.source?.path !== undefined)?.source?.path;
  }

  #learnValues(values: readonly Numbered[], before: string): void {
    for (const { name, variablesReference } of values)
      if (variablesReference > 0) this.#put('variablesReference', variablesReference, before + name);
  }

  #put(field: string, number: number, word: string): void {
    this.#wordOf.set(`${field} ${number}`, word);
    this.#numberOf.set(`${field} ${word}`, number);
  }

  #number(field: string, word: string): number {
    const number = this.#numberOf.get(`${field} ${word}`);
    if (number === undefined) throw new Error(`the adapter has given no ${field} for ${word}`);
    return number;
  }

  #replaced(given: Fields, pairs: readonly (readonly [string | undefined, string])[]): Fields {
    const inside = (text: string): string => JSON.stringify(text).slice(1, -1);
    const text = pairs.reduce(
      (sum, [from, to]) => (from === undefined ? sum : sum.replaceAll(inside(from), inside(to))),
      JSON.stringify(given),
    );
    return JSON.parse(text) as Fields;
  }
}
