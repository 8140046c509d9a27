import { createEffect, createSignal, on, type Accessor } from 'solid-js';
import type { App } from '../../app.js';
import { makeLatest } from '../../link/latest.js';
import type { Request } from '../../state/request.js';

/** What a cell of the decoder takes from each source token: the head in focus, or the mean of its layer's heads. */
export interface CrossRow {
  readonly after: string;
  readonly position: number;
  readonly head: number | undefined;
  readonly shares: Float32Array;
}

interface Asked {
  readonly request: Request;
  readonly after: string;
  readonly position: number;
  readonly head: number | undefined;
}

/** The cross-attention of the cell in focus, of an encoder-decoder. */
export const useCrossRow = (app: App): Accessor<CrossRow | undefined> => {
  const run = `cross-${Math.random().toString(36).slice(2, 10)}`;
  const [row, setRow] = createSignal<CrossRow>();
  const reads = makeLatest(
    async ({ request, after, position, head }: Asked, signal: AbortSignal) => {
      const client = app.session.client();
      const heads = app.results.compare()?.model.heads ?? 1;
      if (!client) return;
      const chosen = Array.from({ length: heads }, (_, h) => h).filter((h) => head === undefined || h === head);
      const edits = request.edits.map((text) => ({ text }));
      const of = { show: 'mean', kind: 'cross', heads: chosen.map((h) => ({ block: after, head: h })) } as const;
      await client.request('attention', { ...request.input, edits, run, ...of, heads: [...of.heads] }, { signal });
      const at = { run, site: 'mean', where: { query: position } };
      const view = await client.view({ at, as: { kind: 'slice' } }, { signal });
      if (!signal.aborted) setRow({ after, position, head, shares: new Float32Array(view.data.buffer) });
    },
    () => setRow(undefined), // the embedding, or a layer that is skipped
    { supersede: 'stop', quietMs: 80 },
  );
  createEffect(
    on([app.results.shown, app.focus], ([request, at]) => {
      const isDecoder = at?.after.startsWith('decoder.blocks.') ?? false;
      if (!request || !at || !isDecoder) setRow(undefined);
      else reads.ask({ request, after: at.after, position: at.position, head: at.head });
    }),
  );
  return row;
};
