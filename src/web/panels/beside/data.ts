import type { Client, View } from '../../../client/index.js';
import type { ViewResult } from '../../../protocol/index.js';
import type { Request, Run } from '../../state/request.js';

/** A matrix of one run, of the other, and B less A; undefined where the two have other shapes, with the reason. */
export interface Three {
  readonly a: Picture;
  readonly b: Picture;
  readonly difference: Picture | undefined;
  readonly refused: unknown;
}

/** Numbers as rows of pixels, each the one farthest from 0 of those under it. */
export interface Picture {
  readonly rows: number;
  readonly columns: number;
  readonly data: Float32Array;
  /** Of the whole matrix. */
  readonly shape: readonly number[];
}

const most = 256;

const levelOf = (shape: readonly number[]): number => Math.max(0, Math.ceil(Math.log2(Math.max(...shape, 1) / most)));

const imageAs = (level: number) => ({ kind: 'maxPyramid', level, size: 4096, by: 'absmax' }) as const;

const pictureOf = ({ view, data, shape }: ViewResult & Pick<View, 'data'>): Picture => {
  const [rows = 1, columns = 1] = view.kind === 'maxPyramid' ? view.result : [];
  return { rows, columns, data: new Float32Array(data.buffer), shape };
};

/** Why there is no picture. */
interface Refused {
  readonly refused: unknown;
}
const reasonOf = (refused: unknown): Refused => ({ refused });

export interface HeadPlace {
  readonly block: string;
  /** `attn` or `cross_attn`. */
  readonly module: string;
  readonly head: number;
}

/** One head of both runs. @throws what the host answers where a run has no such head */
export const readHeads = async (
  { client, run, signal }: { readonly client: Client; readonly run: string; readonly signal: AbortSignal },
  request: Request & { readonly other: Run },
  { block, module, head }: HeadPlace,
): Promise<Three> => {
  const site = `${block}.${module}.pattern`;
  const capture = ({ input, edits }: Run, name: string) =>
    client.request(
      'capture',
      { ...input, edits: edits.map((text) => ({ text })), sites: `${site}[head=${head}]`, run: name },
      { signal },
    );
  const runs = { a: `${run}-a`, b: `${run}-b` };
  const [a, b] = [await capture(request, runs.a), await capture(request.other, runs.b)];
  const look = (name: string, shape: readonly number[], minus?: string) =>
    client.view(
      {
        at: { run: name, site },
        ...(minus === undefined ? {} : { minus: { run: minus, site } }),
        as: imageAs(levelOf(shape)),
      },
      { signal },
    );
  const [shapeA, shapeB] = [a.sites[0]?.shape ?? [], b.sites[0]?.shape ?? []];
  const difference = await look(runs.b, shapeB, runs.a).then(pictureOf, reasonOf);
  return {
    a: pictureOf(await look(runs.a, shapeA)),
    b: pictureOf(await look(runs.b, shapeB)),
    difference: 'refused' in difference ? undefined : difference,
    refused: 'refused' in difference ? difference.refused : undefined,
  };
};

const weightEdits = ({ edits }: Run): { text: string }[] =>
  edits.filter((text) => /^(?:replace )?weight /.test(text)).map((text) => ({ text }));

/** One weight of both models, with their edits. @throws what the host answers where a model has none of that name */
export const readWeights = async (
  client: Client,
  request: Request & { readonly other: Run },
  { name, shape, signal }: { readonly name: string; readonly shape: readonly number[]; readonly signal: AbortSignal },
): Promise<Three> => {
  const given = (run: Run) => ({ model: run.input.model, binding: 'apart' as const, edits: weightEdits(run), name });
  const as = imageAs(levelOf(shape));
  const a = pictureOf(await client.weight({ ...given(request), as }, { signal }));
  const b = pictureOf(await client.weight({ ...given(request.other), as }, { signal }));
  const minus = { model: request.input.model, edits: weightEdits(request) };
  const difference = await client.weight({ ...given(request.other), minus, as }, { signal }).then(pictureOf, reasonOf);
  return {
    ...{ a, b },
    difference: 'refused' in difference ? undefined : difference,
    refused: 'refused' in difference ? difference.refused : undefined,
  };
};
