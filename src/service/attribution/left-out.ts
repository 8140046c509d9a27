import type { Game } from '../../analyses/attribution/index.js';
import { UsageError } from '../../base/index.js';
import { scalarBatch, type Prompt } from '../../engine/index.js';
import { mapLeaves, resolveSelector, sitesOf, type Expression } from '../../language/index.js';
import type { Replacement } from '../../protocol/index.js';
import { liveWithout } from '../live/live-text.js';
import { maskOf } from '../masks.js';
import type { OpenModel } from '../open-model.js';
import { tokenId } from '../experiment.js';
import type { Unit } from './units.js';
import { encoder, entrances, scoredTogether, withZeros, type TextModel } from './text-model.js';

/** What is done to tokens that are left out, settled for a model. */
export type LeavingOut =
  | { readonly kind: 'zero' }
  | { readonly kind: 'remove' }
  /** A token in their place; `source`: on the side of the encoder. */
  | { readonly kind: 'token'; readonly id: number; readonly name: string };

const invalid = (message: string, hint: string): UsageError =>
  new UsageError(message, { code: 'OPTION_INVALID', hint });

/** The token with a role of this tokenizer. @throws UsageError OPTION_INVALID */
const roleOf = (model: OpenModel, role: 'mask' | 'pad'): number => {
  const { tokenizer, program } = model;
  const configured = program.config['pad_token_id'];
  const own = role === 'pad' && typeof configured === 'number' ? configured : undefined;
  const id = role === 'mask' ? tokenizer && maskOf(tokenizer)?.id : (tokenizer?.roles.get('pad') ?? own);
  if (id !== undefined) return id;
  throw invalid(`this model's tokenizer has no ${role} token`, 'Take --replace zero, remove, or a token of your own.');
};

/** @throws UsageError OPTION_INVALID, EDIT_INVALID for a token that is none */
export const leavingOut = (model: OpenModel, given: Replacement | undefined): LeavingOut => {
  const { tokenizer } = model;
  if (given === undefined) return tokenizer && maskOf(tokenizer) ? leavingOut(model, 'mask') : { kind: 'zero' };
  if (given === 'zero' || given === 'remove') return { kind: given };
  if (given === 'mask' || given === 'pad') return { kind: 'token', id: roleOf(model, given), name: given };
  return { kind: 'token', id: tokenId(model, given.token, 'OPTION_INVALID'), name: JSON.stringify(given.token) };
};

/** A text without some of its tokens, and what a number of it is then read of. */
interface Variation {
  readonly prompt: Prompt;
  readonly expression: Expression;
  readonly gone: readonly boolean[];
}

type Sequence = Pick<Prompt, 'ids' | 'tokens'>;

const replaced = ({ ids, tokens }: Sequence, gone: readonly boolean[], id: number): Sequence => ({
  ids: ids.map((own, i) => (gone[i] === true ? id : own)),
  tokens,
});

const removed = ({ ids, tokens }: Sequence, gone: readonly boolean[]): Sequence => ({
  ids: ids.filter((_, i) => gone[i] !== true),
  tokens: tokens.filter((_, i) => gone[i] !== true),
});

/** Both sides of a prompt, each with its own part of a list over all rows. */
const bySides = (
  { ids, tokens, source }: Prompt,
  gone: readonly boolean[],
  change: (sequence: Sequence, gone: readonly boolean[]) => Sequence,
): Prompt => {
  const before = source?.ids.length ?? 0;
  const own = change({ ids, tokens }, gone.slice(before));
  return source ? { ...own, source: change(source, gone.slice(0, before)) } : own;
};

/** A prompt with another token in place of some. @param gone [row] */
export const withToken = (prompt: Prompt, gone: readonly boolean[], id: number): Prompt =>
  bySides(prompt, gone, (sequence, own) => replaced(sequence, own, id));

/** The same positions in a text of which tokens are gone: the last one there at or before each. */
const shifted = (expression: Expression, { tokens, source }: Prompt, gone: readonly boolean[]): Expression => {
  const own = gone.slice(source?.ids.length ?? 0);
  const sequence = { name: 'the sequence', axes: ['position'], shape: [tokens.length], tokens };
  return mapLeaves(expression, (leaf) => {
    if (leaf.kind !== 'token' || leaf.position === undefined) return leaf;
    const at = resolveSelector({ position: leaf.position }, sequence).get('position')?.[0] ?? tokens.length - 1;
    const kept = own.slice(0, at + 1).filter((g) => !g).length;
    return { ...leaf, position: Math.max(0, kept - 1) };
  });
};

const variation = (
  { prompt }: TextModel,
  { expression, leaving, gone }: { expression: Expression; leaving: LeavingOut; gone: readonly boolean[] },
): Variation => {
  switch (leaving.kind) {
    case 'zero':
      return { prompt, expression, gone };
    case 'token':
      return { prompt: withToken(prompt, gone, leaving.id), expression, gone };
    case 'remove':
      return { prompt: bySides(prompt, gone, removed), expression: shifted(expression, prompt, gone), gone };
  }
};

/** @throws UsageError OPTION_INVALID where positions would no longer be what they were */
const checkRemoval = ({ variant, live }: TextModel, expression: Expression): void => {
  const edited = (live?.always.length ?? 0) > 0 || [...variant.edits.values()].some((list) => list.length > 0);
  if (!edited && sitesOf(expression).length === 0) return;
  throw invalid(
    'where tokens are removed positions change, and an edit or the expression reads a site at its positions',
    'Take --replace zero, mask or pad.',
  );
};

const checkLeft = ({ prompt }: Variation): void => {
  if (prompt.ids.length > 0 && prompt.source?.ids.length !== 0) return;
  throw invalid('with all tokens removed nothing would be left to read', 'Take --replace zero, or another token.');
};

/** Variations of equal length, as they can run together. */
const byLength = (all: readonly Variation[]): readonly (readonly number[])[] => {
  const groups = new Map<string, number[]>();
  all.forEach(({ prompt }, i) => {
    const key = `${prompt.ids.length} ${prompt.source?.ids.length ?? 0}`;
    groups.set(key, [...(groups.get(key) ?? []), i]);
  });
  return [...groups.values()];
};

export interface LeftOutOptions {
  readonly expression: Expression;
  /** Each is there, or left out as a whole. */
  readonly units: readonly Unit[];
  readonly leaving: LeavingOut;
}

/** A number of a text as a function of which of its units are there. What was asked once is not computed again. */
export const leftOutGame = (text: TextModel, { expression, units, leaving }: LeftOutOptions): Game => {
  if (leaving.kind === 'remove') checkRemoval(text, expression);
  const rows = text.prompt.ids.length + (text.prompt.source?.ids.length ?? 0);
  const known = new Map<string, number>();
  const compute = async (keys: readonly string[]): Promise<void> => {
    const all = keys.map((key) => {
      const gone = new Array<boolean>(rows).fill(false);
      units.forEach((unit, i) => unit.rows.forEach((row) => (gone[row] = key[i] === '0')));
      return variation(text, { expression, leaving, gone });
    });
    all.forEach(checkLeft);
    for (const group of byLength(all)) {
      const size = scoredTogether(text);
      for (let at = 0; at < group.length; at += size) {
        const chunk = group.slice(at, at + size).flatMap((i) => all[i] ?? []);
        const values = await scored(text, chunk, leaving);
        group.slice(at, at + size).forEach((i, k) => known.set(keys[i] ?? '', values[k] ?? NaN));
      }
    }
  };
  return {
    features: units.length,
    values: async (coalitions) => {
      const keys = coalitions.map((present) => present.map(Number).join(''));
      const fresh = [...new Set(keys)].filter((key) => !known.has(key));
      await compute(fresh);
      return keys.map((key) => known.get(key) ?? NaN);
    },
  };
};

const scored = async (
  text: TextModel,
  chunk: readonly Variation[],
  leaving: LeavingOut,
): Promise<readonly number[]> => {
  const { model, variant, onSegment, onTexts, live } = text;
  if (live) {
    await onSegment();
    const gone = leaving.kind === 'zero' ? chunk.map((v) => v.gone) : undefined;
    const found = await liveWithout(live, { entrances: entrances(text), texts: chunk, gone });
    onTexts(chunk.length);
    return found;
  }
  const zeroed =
    leaving.kind === 'zero'
      ? withZeros(
          text,
          chunk.map((v) => v.gone),
        )
      : variant;
  const values = await scalarBatch(model, { variant: zeroed, items: chunk, encode: encoder(text), onSegment });
  onTexts(chunk.length);
  return values;
};
