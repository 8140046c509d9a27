/** A token, by the number of its prompt and its position. */
export interface TokenPlace {
  readonly prompt: number;
  readonly position: number;
}

/** A token at which a neuron is active. */
export interface ActiveToken extends TokenPlace {
  readonly activation: number;
}

/** What a neuron was over all tokens that it was computed at. */
export interface NeuronStatistics {
  readonly mean: number;
  readonly std: number;
  readonly max: number;
  readonly min: number;
  /** Tokens that it was computed at: of a mixture those that were given to its expert. */
  readonly tokens: number;
  /** Where it was largest. */
  readonly peak: TokenPlace;
}

/** What became of the neurons of a layer. Lists are of neurons, by number. */
export interface LayerReport {
  readonly neurons: number;
  /** √ of the mean square of all activations. */
  readonly rms: number;
  /** Never further from 0 than a hundredth of `rms`. */
  readonly dead: readonly number[];
  /** The same at every token: std below a twentieth of the mean's size. */
  readonly constant: readonly number[];
  /** Somewhere more than thirty times `rms` from 0. */
  readonly outliers: readonly number[];
}

const deadBelow = 0.01;
const constantBelow = 0.05;
const outlierAbove = 30;

/** Collects what the neurons of one layer are over many tokens, in one pass. Welford 1962. */
export class NeuronTally {
  readonly #count: Float64Array;
  readonly #mean: Float64Array;
  readonly #square: Float64Array;
  readonly #max: Float64Array;
  readonly #min: Float64Array;
  readonly #prompt: Int32Array;
  readonly #position: Int32Array;
  readonly #tops = new Map<number, ActiveToken[]>();

  /** @param watched neurons of which the tokens are kept at which they are largest */
  constructor(
    readonly neurons: number,
    watched: Iterable<number> = [],
    readonly most = 10,
  ) {
    const zeros = (): Float64Array => new Float64Array(neurons);
    [this.#count, this.#mean, this.#square] = [zeros(), zeros(), zeros()];
    [this.#max, this.#min] = [zeros().fill(-Infinity), zeros().fill(Infinity)];
    [this.#prompt, this.#position] = [new Int32Array(neurons), new Int32Array(neurons)];
    for (const neuron of watched) this.#tops.set(neuron, []);
  }

  /** One neuron at one token. */
  add(neuron: number, activation: number, at: TokenPlace): void {
    const count = (this.#count[neuron] ?? 0) + 1;
    const mean = this.#mean[neuron] ?? 0;
    const off = activation - mean;
    this.#count[neuron] = count;
    this.#mean[neuron] = mean + off / count;
    this.#square[neuron] = (this.#square[neuron] ?? 0) + off * (activation - mean - off / count);
    if (activation < (this.#min[neuron] ?? Infinity)) this.#min[neuron] = activation;
    if (activation > (this.#max[neuron] ?? -Infinity)) {
      this.#max[neuron] = activation;
      this.#prompt[neuron] = at.prompt;
      this.#position[neuron] = at.position;
    }
    const tops = this.#tops.get(neuron);
    if (!tops) return;
    tops.push({ ...at, activation });
    if (tops.length > 4 * this.most) this.#tops.set(neuron, this.#best(tops));
  }

  of(neuron: number): NeuronStatistics {
    const tokens = this.#count[neuron] ?? 0;
    return {
      ...{ tokens, mean: this.#mean[neuron] ?? 0, std: Math.sqrt((this.#square[neuron] ?? 0) / Math.max(1, tokens)) },
      ...{ max: this.#max[neuron] ?? 0, min: this.#min[neuron] ?? 0 },
      peak: { prompt: this.#prompt[neuron] ?? 0, position: this.#position[neuron] ?? 0 },
    };
  }

  /** Where a watched neuron is largest, the largest first. */
  tops(neuron: number): readonly ActiveToken[] {
    return this.#best(this.#tops.get(neuron) ?? []);
  }

  report(): LayerReport {
    const all = Array.from({ length: this.neurons }, (_, i) => this.of(i));
    const squares = all.reduce((sum, s) => sum + s.tokens * (s.mean ** 2 + s.std ** 2), 0);
    const rms = Math.sqrt(
      squares /
        Math.max(
          1,
          all.reduce((sum, s) => sum + s.tokens, 0),
        ),
    );
    const farthest = (s: NeuronStatistics): number => (s.tokens === 0 ? 0 : Math.max(Math.abs(s.max), Math.abs(s.min)));
    const where = (holds: (s: NeuronStatistics) => boolean): number[] => all.flatMap((s, i) => (holds(s) ? [i] : []));
    const isDead = (s: NeuronStatistics): boolean => farthest(s) <= deadBelow * rms;
    return {
      ...{ neurons: this.neurons, rms, dead: where(isDead) },
      constant: where((s) => !isDead(s) && s.tokens > 1 && s.std < constantBelow * Math.abs(s.mean)),
      outliers: where((s) => farthest(s) > outlierAbove * rms),
    };
  }

  #best(tops: readonly ActiveToken[]): ActiveToken[] {
    return [...tops].sort((a, b) => b.activation - a.activation).slice(0, this.most);
  }
}
