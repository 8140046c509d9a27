import { createEffect, on, type Accessor } from 'solid-js';
import type { SessionFocus, TargetFrame } from '../../protocol/index.js';
import type { Debugging } from './debugging.js';
import type { Results } from './results.js';

/** Where the board has what a frame is of: its layer, and from the first token made on, the newest token. */
export const placeOfFrame = (
  { kind, begins }: Pick<TargetFrame, 'kind' | 'begins'>,
  {
    place,
    rows,
    columns,
    tokens,
  }: {
    readonly place: string | undefined;
    readonly rows: readonly string[];
    readonly columns: number;
    readonly tokens: number;
  },
): { readonly after?: string; readonly position?: number } => {
  const inLayer = kind === 'op' || kind === 'module' || kind === 'layer';
  const after = inLayer && place !== undefined && rows.includes(place) ? { after: place } : {};
  // Step 0 runs all of the prompt: where one looked before is as good as any other token.
  return begins.step === 0 ? after : { ...after, position: Math.min(columns, tokens) - 1 };
};

interface Given {
  readonly debugging: Debugging;
  readonly results: Results;
  readonly focus: Accessor<SessionFocus | undefined>;
  readonly look: (focus: Partial<SessionFocus>) => void;
}

/** Turns everybody's focus to the frame that is looked at, each time that the run stands anew. */
export const followRun = ({ debugging, results, look, focus }: Given): void => {
  const { view, frame } = debugging;
  createEffect(
    on([() => view().run, () => view().state?.revision, frame], ([, , at]) => {
      const { state, stop, outdated } = view();
      const board = results.board();
      // Where it begins nothing has run: that is no place to look at.
      if (!at || !state || !board || outdated || stop?.reason === 'entry') return;
      const given = { place: state.place, rows: board.rows, columns: board.tokens.length, tokens: state.tokens.length };
      const place = placeOfFrame(at, given);
      const now = focus();
      const isThere = (place.after ?? now?.after) === now?.after && (place.position ?? now?.position) === now?.position;
      if (!isThere) look({ ...place, head: undefined });
    }),
  );
};
