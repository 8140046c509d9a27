import type { Client } from '../../../client/index.js';
import type { ComparedRun, CompareResult, LensResult } from '../../../protocol/index.js';
import { align } from '../../state/align.js';
import type { Request, Run } from '../../state/request.js';

/** How some words stand after each layer at one position, with the edits and without them, or in the run beside. */
export interface Residual {
  readonly position: number;
  readonly after: LensResult;
  /** Undefined where there are no edits, or they change the text. */
  readonly before: LensResult | undefined;
}

/** Words that are followed: more are no longer told apart. */
const most = 5;

/** The tracked word, then the likeliest of either run; of masks those at the one in focus, or at the first. */
export const followedWords = (
  { before, after }: CompareResult,
  tracked: number | undefined,
  position?: number,
): readonly number[] => {
  const words = (run: ComparedRun) =>
    run.masks ? (run.masks.find((mask) => mask.position === position) ?? run.masks[0])?.next : run.next;
  const [now, old] = [words(after) ?? [], words(before) ?? []];
  const likeliest = [0, 1, 2].flatMap((i) => [now[i]?.id, old[i]?.id]);
  return [...new Set([tracked, ...likeliest])].filter((id) => id !== undefined).slice(0, most);
};

export interface ResidualRequest {
  readonly request: Request;
  readonly result: CompareResult;
  readonly position: number;
  readonly words: readonly number[];
}

/** @throws what the host answers */
export const readResidual = async (
  client: Client,
  { request, result, position, words }: ResidualRequest,
  signal: AbortSignal,
): Promise<Residual> => {
  const ask = ({ input, edits }: Pick<Run, 'input' | 'edits'>, at: number): Promise<LensResult> =>
    client.request(
      'lens',
      {
        ...{ ...input, edits: edits.map((text) => ({ text })) },
        ...{ positions: [at], words: [...words], top: 3 },
      },
      { signal },
    );
  const after = await ask(request, position);
  const texts = ({ target, tokens }: ComparedRun): readonly string[] => (target ?? tokens).map((t) => t.text);
  const place = align(texts(result.after), texts(result.before))[position];
  const hasOther = request.other !== undefined || request.edits.length > 0;
  const other = request.other ?? { input: request.input, edits: [] };
  const before = hasOther && place !== undefined ? await ask(other, place) : undefined;
  return { position, after, before };
};

/** A word that is likeliest in some layers that follow each other. */
export interface Leader {
  readonly text: string;
  /** The first and the last of them, as `blocks.3`. */
  readonly from: string;
  readonly to: string;
}

/** Which word the model would say, from layer to layer: where the answer appears, and where it is lost. */
export const leadersOf = ({ rows }: Pick<LensResult, 'rows'>): readonly Leader[] => {
  const leaders: Leader[] = [];
  let last: number | undefined;
  for (const { after, cells } of rows) {
    const top = cells[0]?.top[0];
    if (!top) continue;
    const before = leaders.at(-1);
    if (before && last === top.id) leaders[leaders.length - 1] = { ...before, to: after };
    else leaders.push({ text: top.text, from: after, to: after });
    last = top.id;
  }
  return leaders;
};

/** A line of the chart: a probability a row; null where the other run has no such layer. */
export interface Curve {
  readonly word: number;
  readonly isBefore: boolean;
  readonly points: readonly (number | null)[];
}

/** The curves of all words, each over the rows of the run with the edits. */
export const curvesOf = ({ after, before }: Residual): readonly Curve[] => {
  const names = after.rows.map((row) => row.after);
  const of = (lens: LensResult, isBefore: boolean): Curve[] =>
    lens.words.map((_, word) => ({
      ...{ word, isBefore },
      points: names.map((name) => {
        const row = lens.rows.find((r) => r.after === name);
        return row?.cells[0]?.words[word]?.probability ?? null;
      }),
    }));
  return [...(before ? of(before, true) : []), ...of(after, false)];
};

/** The points as an SVG path; it breaks where there is none. */
export const pathOf = (
  points: readonly (number | null)[],
  at: (i: number, value: number) => readonly [number, number],
): string => {
  let isOn = false;
  return points
    .map((value, i) => {
      if (value === null) {
        isOn = false;
        return '';
      }
      const [x, y] = at(i, value);
      const step = `${isOn ? 'L' : 'M'}${x.toFixed(1)} ${y.toFixed(1)}`;
      isOn = true;
      return step;
    })
    .join('');
};
