import type { Breakpoint, Looked, Watched } from '../../debugger/index.js';
import type { TargetStop, ViewAnswerOf, ViewAsk, ViewAskOf } from '../../protocol/index.js';
import { bytesIn, type HeldValue, type Paging } from './held-values.js';

/** What a target answers to each kind of look. */
export type Answers = { readonly [K in ViewAsk['ask']]: (ask: ViewAskOf<K>) => Promise<Looked<K>> };

/** Each look gets the answer of its own kind, which the compiler cannot follow. */
export const answerWith = <K extends ViewAsk['ask']>(answers: Answers, ask: ViewAskOf<K>): Promise<Looked<K>> =>
  (answers[ask.ask] as unknown as (a: ViewAskOf<K>) => Promise<Looked<K>>)(ask);

/** The part of a list that was asked for; without a count, all. */
export const paged = <T>(items: readonly T[], { start = 0, count = 0 }: Paging): T[] =>
  items.slice(start, count === 0 ? undefined : start + count);

/** A value's numbers as bytes, with what they are. @throws UsageError MEMORY_LIMIT */
export const bytesAnswer = (held: HeldValue, { offset, count }: ViewAskOf<'bytes'>): Looked<'bytes'> => ({
  ...bytesIn(held, offset, count),
  ...{ axes: [...held.axes], shape: [...held.tensor.shape] },
});

/** A likely word as an item shows it. */
export const wordText = ({ text, id, probability }: ViewAnswerOf<'words'>['words'][number]): string =>
  `${(100 * probability).toFixed(2)} %  ${JSON.stringify(text)}  ${id}`;

/** A token as an item shows it. */
export const tokenText = ({ text, id }: { readonly text: string; readonly id: number }): string =>
  `${JSON.stringify(text)}  ${id}`;

/** A stop at a breakpoint, or at a data breakpoint and what it saw. */
export const pointStop = (
  stop:
    | { readonly reason: 'breakpoint'; readonly breakpoint: Breakpoint }
    | { readonly reason: 'data'; readonly breakpoint: Breakpoint; readonly before: Watched; readonly after: Watched },
): TargetStop => ({
  ...{ reason: stop.reason, point: stop.breakpoint.id, label: stop.breakpoint.label },
  ...(stop.reason === 'data' ? { before: stop.before, after: stop.after } : {}),
});

/** Takes a step so often, unless something else than a step stops it. */
export const repeated = async <S extends { readonly reason: string }>(
  once: () => S | Promise<S>,
  times = 1,
): Promise<S> => {
  let stop = await once();
  for (let i = 1; i < times && stop.reason === 'step'; i++) stop = await once();
  return stop;
};
