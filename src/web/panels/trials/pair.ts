import { alignTokens } from '../../../base/index.js';
import type { Client } from '../../../client/index.js';
import { UsageError } from '../../../base/index.js';
import type { ExperimentState, HostParams, TokenView } from '../../../protocol/index.js';
import type { Run } from '../../state/request.js';
import type { TrialSettings } from '../../state/trials.js';
import { readIds, writeIds } from '../prompt/ids.js';

/** The text of a prompt that is changed: of a conversation its last message, of ids these. */
export const cleanText = ({ prompt, ids, chat }: ExperimentState): string =>
  ids ? writeIds(ids) : chat ? (chat.at(-1)?.content ?? '') : prompt;

/** The corrupted text: the one that was written, else the prompt of a run beside, else the clean one to begin with. */
export const corruptText = (state: ExperimentState, { corrupt }: TrialSettings): string =>
  corrupt ?? (state.ids || state.chat ? undefined : state.beside?.prompt) ?? cleanText(state);

type Corrupt = Pick<HostParams<'patch'>, 'corrupt' | 'corruptIds'>;

/** The corrupted prompt as operations take it; the same way of giving it as the clean one's. @throws UsageError */
export const corruptOf = async (
  client: Client,
  { input }: Run,
  { text, vocab, signal }: { readonly text: string; readonly vocab: number | undefined; readonly signal: AbortSignal },
): Promise<Corrupt> => {
  if (input.messages) {
    const messages = [...input.messages.slice(0, -1), { ...input.messages.at(-1), content: text }];
    const asked = { model: input.model, messages: messages as { role: string; content: string }[] };
    const [read] = await client.request('tokenize', asked, { signal });
    return { corruptIds: read?.tokens.map((token) => token.id) ?? [] };
  }
  if (!input.ids) return { corrupt: text };
  const read = readIds(text, vocab);
  if ('ids' in read) return { corruptIds: [...read.ids] };
  throw new UsageError(`${'wrong' in read ? read.wrong : read.beyond} is no token id of this model`, {
    code: 'OPTION_INVALID',
    hint: 'The corrupted prompt is given as the clean one is: as token ids.',
  });
};

/** The tokens of a corrupted prompt, as the model reads them. */
export const tokensOfCorrupt = async (
  client: Client,
  model: string,
  { corrupt, corruptIds }: Corrupt,
): Promise<readonly TokenView[]> => {
  if (corruptIds) return corruptIds.map((id) => ({ id, text: String(id) }));
  const [read] = await client.request('tokenize', { model, texts: [corrupt ?? ''] });
  return read?.tokens ?? [];
};

/** Tokens of two prompts that stand for each other; alone where nothing does. */
export interface AlignedToken {
  readonly clean: TokenView | undefined;
  readonly corrupt: TokenView | undefined;
}

/** Both prompts as one row, as patching pairs them: place by place, or what both begin and end with alike. */
export const alignedTokens = (clean: readonly TokenView[], corrupt: readonly TokenView[]): readonly AlignedToken[] => {
  const places = alignTokens(
    clean.map((t) => t.id),
    corrupt.map((t) => t.id),
  );
  const row: AlignedToken[] = [];
  let next = 0;
  for (const [i, token] of clean.entries()) {
    const at = places[i];
    for (; at !== undefined && next < at; next++) row.push({ clean: undefined, corrupt: corrupt[next] });
    row.push({ clean: token, corrupt: at === undefined ? undefined : corrupt[at] });
    if (at !== undefined) next = at + 1;
  }
  for (; next < corrupt.length; next++) row.push({ clean: undefined, corrupt: corrupt[next] });
  return row;
};

/** For each position of the corrupted prompt the clean one's, which the board shows. */
export const cleanPositions = (
  clean: readonly TokenView[],
  corrupt: readonly TokenView[],
): readonly (number | undefined)[] =>
  alignTokens(
    corrupt.map((t) => t.id),
    clean.map((t) => t.id),
  );

interface Scored {
  readonly id: number;
  readonly text: string;
}

/**
 * A word as it was written: of a classifier its label's number; else the token among the likeliest that is it but for a
 * space before it, or as it was written.
 */
export const wordOf = (written: string, likeliest: readonly Scored[], isLabels: boolean): string | number => {
  const same = likeliest.find((token) => token.text === written);
  const near = same ?? likeliest.find((token) => token.text.trim() === written.trim());
  if (isLabels) return near?.id ?? (/^\d+$/.test(written) ? Number(written) : written);
  return near?.text ?? written;
};

/** What is measured, as operations take it. */
export const measuredOf = (
  { metric = '', answer = '', wrong = '' }: TrialSettings,
  likeliest: readonly Scored[],
  isLabels: boolean,
): Pick<HostParams<'patch'>, 'metric' | 'answer' | 'wrong'> => {
  if (metric.trim() !== '') return { metric };
  return {
    ...(answer === '' ? {} : { answer: wordOf(answer, likeliest, isLabels) }),
    ...(wrong === '' ? {} : { wrong: wordOf(wrong, likeliest, isLabels) }),
  };
};
