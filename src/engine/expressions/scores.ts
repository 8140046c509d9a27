import { UsageError } from '../../base/index.js';
import { invalidExpression, resolveSelector, type TokenNode } from '../../language/index.js';
import { largest, weight } from '../sampling/top-tokens.js';
import type { Budget } from './budget.js';
import { namedTokens, oneToken, severalTokens } from './tokens.js';
import type { ExpressionToken, ExpressionValues } from './values.js';

/** A row of scores with what softmax needs of it; NaN counts as impossible, as in sampling. */
export interface Row {
  readonly logits: Float32Array;
  readonly most: number;
  readonly total: number;
}

const notKept = (what: string, hint: string): UsageError => new UsageError(what, { code: 'SITE_NOT_CAPTURED', hint });

/** A row whose parts are computed when they are read: a logit alone needs none of them. */
class ScoreRow implements Row {
  #most: number | undefined;
  #total: number | undefined;
  constructor(readonly logits: Float32Array) {}

  get most(): number {
    return (this.#most ??= largest(this.logits));
  }

  get total(): number {
    return (this.#total ??= totalOf(this.logits, this.most));
  }
}

const totalOf = (logits: Float32Array, most: number): number => {
  let total = 0;
  for (const logit of logits) total += weight(logit, most);
  return total;
};

export const logitOf = ({ logits }: Row, id: number): number => {
  const logit = logits[id];
  if (logit !== undefined) return logit;
  throw new UsageError(`no token has id ${id}: the model scores ${logits.length}`, {
    code: 'ID_OUT_OF_RANGE',
    hint: `Ids are 0 to ${logits.length - 1}.`,
  });
};

const known = (logit: number): number => (Number.isNaN(logit) ? -Infinity : logit);
export const probability = (row: Row, id: number): number => weight(logitOf(row, id), row.most) / row.total;

/** In the logarithm, so that the unlikely does not become impossible. */
const logProbability = (row: Row, id: number): number => {
  const logit = known(logitOf(row, id));
  return (logit === row.most ? 0 : logit - row.most) - Math.log(row.total);
};

/** 1 and one more for each token that is likelier. */
const rankOf = (row: Row, id: number): number => {
  const own = known(logitOf(row, id));
  let rank = 1;
  for (const logit of row.logits) if (logit > own) rank++;
  return rank;
};

/** A token after a position. */
export interface Scored {
  readonly position: number;
  readonly id: number;
}

/** The scores that one evaluation reads; what softmax needs of a row is computed once. */
export class Scores {
  readonly #rows = new Map<string, Row>();
  constructor(
    readonly values: ExpressionValues,
    readonly budget: Budget,
  ) {}

  /** A function of a token at a position. */
  of(node: TokenNode): number {
    const position = this.positionOf(node);
    if (node.by === 'logprob') return this.#logprob(node, position);
    const id = oneToken(node.token, node, this.values);
    const alone = node.by === 'logit' ? this.values.logit?.(position, id) : undefined;
    if (alone !== undefined) return alone;
    const row = this.row(position, node.by.startsWith('lens_'));
    if (node.by === 'logit') return logitOf(row, id);
    if (node.by === 'prob' || node.by === 'lens_prob') return probability(row, id);
    this.budget.read(row.logits.length);
    return rankOf(row, id);
  }

  /** Of the next token, in nats. */
  entropy(): number {
    const { logits, most, total } = this.row(this.last, false);
    this.budget.read(logits.length);
    let entropy = 0;
    for (const logit of logits) {
      const p = weight(logit, most) / total;
      if (p > 0) entropy -= p * Math.log(p);
    }
    return entropy;
  }

  /** Mean −logprob of the tokens after the first. */
  loss(): number {
    const parts = this.given.map((token) => -this.#logProbability(token));
    return parts.reduce((a, b) => a + b, 0) / parts.length;
  }

  /** The tokens after the first, each after the position that scores it. */
  get given(): readonly Scored[] {
    const [, ...scored] = this.values.tokens;
    return scored.map(({ id }, position) => ({ position, id }));
  }

  /** The tokens whose log probabilities `logprob` adds up, where the scores of this run have them. */
  inSequence(node: TokenNode): readonly Scored[] | undefined {
    const tokens = namedTokens(node.token, node, this.values);
    const position = this.positionOf(node);
    if (tokens.length > 1 && !this.#follow(tokens, position)) return undefined;
    return tokens.map(({ id }, i) => ({ position: position + i, id }));
  }

  #logprob(node: TokenNode, position: number): number {
    const scored = this.inSequence(node);
    if (scored) return scored.reduce((sum, token) => sum + this.#logProbability(token), 0);
    const tokens = namedTokens(node.token, node, this.values);
    const ids = tokens.map((t) => t.id);
    const known = this.values.sequenceLogprob?.(ids, position);
    if (known !== undefined) return known;
    throw severalTokens(node.token, node, tokens);
  }

  #logProbability({ position, id }: Scored): number {
    return logProbability(this.row(position, false), id);
  }

  /** Whether all tokens but the last follow the position in this very sequence: then their scores are there. */
  #follow(tokens: readonly ExpressionToken[], position: number): boolean {
    return tokens.slice(0, -1).every((t, i) => this.values.tokens[position + 1 + i]?.id === t.id);
  }

  /** The last position. */
  get last(): number {
    const { length } = this.values.tokens;
    if (length > 0) return length - 1;
    throw invalidExpression('there is no token yet', 'Give a prompt.');
  }

  /** After which position a function asks. */
  positionOf({ position }: TokenNode): number {
    const { last } = this;
    if (position === undefined) return last;
    const { tokens } = this.values;
    const sequence = { name: 'the sequence', axes: ['position'], shape: [tokens.length], tokens };
    return resolveSelector({ position }, sequence).get('position')?.[0] ?? last;
  }

  /** The scores of what comes after a position. */
  row(position: number, lens: boolean): Row {
    const key = `${lens ? 'lens' : 'logits'} ${position}`;
    const there = this.#rows.get(key);
    if (there) return there;
    const logits = lens ? this.values.lensLogits?.(position) : this.values.logits(position);
    if (!logits)
      throw lens
        ? notKept(
            `what the model would say at position ${position} if it ended here is not known`,
            'Stop in a block: the lens reads its residual stream.',
          )
        : notKept(`the scores at position ${position} were not kept`, 'Run again with the scores of all positions.');
    this.budget.read(logits.length);
    const row = new ScoreRow(logits);
    this.#rows.set(key, row);
    return row;
  }
}
