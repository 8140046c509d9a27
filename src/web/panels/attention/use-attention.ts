import { createEffect, createSignal, on } from 'solid-js';
import { useApp } from '../../app.js';
import { makeLatest } from '../../link/latest.js';
import type { Request } from '../../state/request.js';
import { captureLayer, readAttention, type AttentionRun, type LayerAttention } from './data.js';

/** Names of this page's runs in the host: pages share it. */
const pageId = (): string => `page-${Math.random().toString(36).slice(2, 10)}`;

/** The attention of the run that is shown, while this panel is open. */
export const useAttention = () => {
  const app = useApp();
  const id = pageId();
  const [layers, setLayers] = createSignal<readonly LayerAttention[]>([]);
  const [of, setOf] = createSignal<Request>();
  const [mistake, setMistake] = createSignal<string>();
  const [layerHeld, setLayerHeld] = createSignal<string>();
  const failed = (error: unknown): void => void setMistake(error instanceof Error ? error.message : String(error));
  const runOf = (request: Request, name: string): Omit<AttentionRun, 'signal'> | undefined => {
    const client = app.session.client();
    return client && { client, request, run: `${id}-${name}` };
  };
  const reads = makeLatest(
    async (request: Request, signal: AbortSignal) => {
      const run = runOf(request, 'patterns');
      if (!run) return;
      setMistake(undefined);
      await readAttention({ ...run, signal }, setLayers);
      setOf(request);
    },
    failed,
    { supersede: 'stop', quietMs: 120 },
  );
  const scores = makeLatest(
    async ({ request, layer }: { readonly request: Request; readonly layer: LayerAttention }, signal: AbortSignal) => {
      const run = runOf(request, 'layer');
      const scores = layer.site.replace(/pattern$/, 'scores');
      if (!run) return;
      await captureLayer({ ...run, signal }, layer.isHeld ? scores : `${layer.site},${scores}`);
      setLayerHeld(layer.site);
    },
    () => undefined, // the formula then shows the pattern alone
    { supersede: 'stop' },
  );
  createEffect(on(app.results.shown, (request) => request && reads.ask(request)));
  return { layers, of, mistake, runOf, layerHeld, askLayer: scores.ask };
};
