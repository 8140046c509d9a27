import type { PictureForm, PicturePart } from '../../../protocol/index.js';

/** Where a part is drawn: `lane` 0 is the stream's, others stand beside it; `row` counts from the bottom. */
export interface PlacedPart {
  readonly part: PicturePart;
  readonly lane: number;
  readonly row: number;
}

export interface FormLayout {
  readonly parts: readonly PlacedPart[];
  readonly rows: number;
  readonly lanes: number;
}

/** Does the stream get from its beginning to the end without this part? */
const isBypassed = ({ parts, output }: PictureForm, without: string): boolean => {
  const reached = new Set(['stream']);
  for (const { id, inputs } of parts) if (id !== without && inputs.some((one) => reached.has(one))) reached.add(id);
  return reached.has(output);
};

/** Parts that the stream always passes through stand in its lane, the others beside it, each above what it reads. */
export const formLayout = (form: PictureForm): FormLayout => {
  const rowOf = new Map<string, number>([['stream', 0]]);
  const taken = new Map<number, number>();
  const parts = form.parts.map((part): PlacedPart => {
    const row = 1 + Math.max(0, ...part.inputs.map((one) => rowOf.get(one) ?? 0));
    rowOf.set(part.id, row);
    if (!isBypassed(form, part.id)) return { part, row, lane: 0 };
    const lane = 1 + (taken.get(row) ?? 0);
    taken.set(row, lane);
    return { part, row, lane };
  });
  return {
    parts,
    rows: 1 + Math.max(0, ...parts.map((p) => p.row)),
    lanes: 1 + Math.max(0, ...parts.map((p) => p.lane)),
  };
};
