import type { AttackResult, HostParams, PlacedToken, ScoredToken, TokenView } from '../../../protocol/index.js';
import type { TrialSettings } from '../../state/trials.js';
import { wordOf } from '../trials/pair.js';

export const attackKinds = ['hotflip', 'input-reduction'] as const;

/** What is asked besides the run. */
export const askedOf = (
  { attack = 'hotflip', toward = '' }: TrialSettings,
  { likeliest, isLabels }: { readonly likeliest: readonly TokenView[]; readonly isLabels: boolean },
): Pick<HostParams<'attack'>, 'attack' | 'toward'> => ({
  attack,
  ...(attack === 'hotflip' && toward !== '' ? { toward: wordOf(toward, likeliest, isLabels) } : {}),
});

/** A swap, or a removal, which puts nothing in the token's place. */
export interface AttackStep {
  readonly position: number;
  readonly from: TokenView;
  readonly to?: TokenView;
  readonly prediction: ScoredToken;
}

/** What was done to the text, in its order. */
export const stepsOf = ({ flips, removed }: Pick<AttackResult, 'flips' | 'removed'>): readonly AttackStep[] => [
  ...flips,
  ...removed.map(({ token, ...rest }) => ({ ...rest, from: token })),
];

/** A token of the attacked text, and what stands there now: undefined where it was taken away. */
export interface AttackedToken {
  readonly position: number;
  readonly from: TokenView;
  readonly to: TokenView | undefined;
}

/** The text that was attacked, token by token. */
export const attackedTokens = ({
  tokens,
  kept,
  final,
}: Pick<AttackResult, 'tokens' | 'kept' | 'final'>): readonly AttackedToken[] =>
  tokens.map((from, position) => {
    const at = kept.indexOf(position);
    return { position, from, to: at < 0 ? undefined : final[at] };
  });

/**
 * Texts that may be read as the changed tokens: what was changed put in the places of the old text, and the tokens' own
 * texts. Which of them is, the tokenizer tells.
 */
export const changedTexts = (
  text: string,
  placed: readonly PlacedToken[],
  tokens: readonly AttackedToken[],
): readonly string[] => {
  if (placed.length !== tokens.length) return [];
  const pieces = placed.map(({ start, end }, i) => {
    const [old, token] = [text.slice(placed[i - 1]?.end ?? 0, end), tokens[i]];
    if (!token?.to) return { own: '', spaced: '' };
    if (token.to.id === token.from.id) return { own: text.slice(start, end), spaced: old };
    const space = /^\s*/.exec(old)?.[0] ?? '';
    return { own: token.to.text, spaced: space + token.to.text.trimStart() };
  });
  return [pieces.map((p) => p.spaced).join(''), pieces.map((p) => p.own).join('')].map((t) => t.trimStart());
};
