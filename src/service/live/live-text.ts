import type { Slope, Vectors } from '../../analyses/attribution/index.js';
import type { PlacedSite, Prompt } from '../../engine/index.js';
import type { Expression } from '../../language/index.js';
import type { Tensor } from '../../tensor/index.js';
import { patchAt, type AgentPatch } from '../debugging/live/live-edits.js';
import type { LiveRunner } from './live-runner.js';

/** A site that a text's tokens enter by, and the rows of the text that do. */
export interface Entrance {
  readonly place: PlacedSite;
  readonly from: number;
  readonly count: number;
}

interface PointsRequest {
  readonly prompt: Prompt;
  readonly entrances: readonly Entrance[];
  readonly expressions: readonly Expression[];
  readonly points: readonly Vectors[];
}

const withPoints = (runs: LiveRunner, { entrances, points }: PointsRequest): readonly AgentPatch[] =>
  points.flatMap(({ data, width }, row) =>
    entrances.map(({ place, from, count }): AgentPatch => {
      const numbers = Float32Array.from(data.subarray(from * width, (from + count) * width));
      return { ...patchAt(runs.changeable(place.name), {}, { act: 'data', numbers, offset: 0 }), row };
    }),
  );

/** Numbers of a text whose tokens have these embeddings. */
export const liveValues = async (runs: LiveRunner, request: PointsRequest): Promise<readonly number[]> => {
  const { prompt, expressions, points } = request;
  const changes = withPoints(runs, request);
  return (await runs.pass({ prompts: points.map(() => prompt), changes, of: expressions })).scalars;
};

/** The same, with their slopes. @param joined puts together what came back of the text's entrances */
export const liveSlopes = async (
  runs: LiveRunner,
  request: PointsRequest,
  joined: (gradients: ReadonlyMap<string, Tensor>, row: number) => Vectors,
): Promise<readonly Slope[]> => {
  const { prompt, entrances, expressions, points } = request;
  const { scalars, gradients } = await runs.pass({
    ...{ prompts: points.map(() => prompt), changes: withPoints(runs, request), of: expressions },
    gradients: entrances.map(({ place }) => place.name),
  });
  return scalars.map((value, row) => ({ value, gradient: joined(gradients, row) }));
};

/** Numbers of several texts, tokens of which have no embedding. @param gone [text][row] */
export const liveWithout = async (
  runs: LiveRunner,
  {
    entrances,
    texts,
    gone,
  }: {
    readonly entrances: readonly Entrance[];
    readonly texts: readonly { readonly prompt: Prompt; readonly expression: Expression }[];
    readonly gone?: readonly (readonly boolean[])[] | undefined;
  },
): Promise<readonly number[]> => {
  const changes = (gone ?? []).flatMap((rows, row) =>
    entrances.flatMap(({ place, from, count }): AgentPatch[] => {
      const position = rows.slice(from, from + count).flatMap((is, i) => (is ? [i] : []));
      if (position.length === 0) return [];
      return [{ ...patchAt(runs.changeable(place.name), { where: { position } }, { act: 'zero' }), row }];
    }),
  );
  const { scalars } = await runs.pass({
    ...{ prompts: texts.map((t) => t.prompt), of: texts.map((t) => t.expression), changes },
  });
  return scalars;
};
