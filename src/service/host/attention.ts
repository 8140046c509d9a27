import {
  HeadMean,
  headsOf,
  hide,
  meanOf,
  Rollout,
  valueNorms,
  weighted,
  type Heads,
} from '../../analyses/attention/index.js';
import { bug } from '../../base/index.js';
import { placedSites, prepareExperiment, type Prompt } from '../../engine/index.js';
import type { AttentionInput, AttentionLayer, AttentionResult } from '../../protocol/index.js';
import { float32, maxTile, pixelsAt, type Tensor } from '../../tensor/index.js';
import { formatBytes } from '../bytes.js';
import { checkpoints } from '../cancel.js';
import { captureEach } from '../capture-sites.js';
import { onEachPrompt, type Opened } from '../edited-model.js';
import { contextFor } from '../experiment.js';
import type { OperationContext } from '../operation.js';
import { targetTokenizer } from '../prompts.js';
import { checkMemory, chosenLayers, invalid, layersOf, levelFor, type Layer } from './attention-plan.js';
import { dropRun, tensorBytes, valueKey, type HeldValue } from './held.js';
import type { HostState } from './host-state.js';

/** What stands for a masked score: the least number of float32. */
const masked = -3e38;

/** Each head as the level of its pyramid. [head, query, key] */
const shrunk = ({ heads, queries, keys, data }: Heads, level: number): Tensor => {
  const size = [pixelsAt(queries, level), pixelsAt(keys, level)] as const;
  if (level === 0) return float32([heads, queries, keys], data.slice());
  const out = new Float32Array(heads * size[0] * size[1]);
  for (let h = 0; h < heads; h++) {
    const matrix = float32([queries, keys], data.subarray(h * queries * keys, (h + 1) * queries * keys));
    const tile = maxTile(matrix, { level, tile: [0, 0], size: Math.max(...size), by: 'max' });
    out.set(tile.data, h * size[0] * size[1]);
  }
  return float32([heads, ...size], out);
};

/** The least and the greatest of the numbers that are not masked. */
const endsOf = (data: Float32Array): readonly [number, number] => {
  let [least, greatest] = [Infinity, -Infinity];
  for (const x of data) {
    if (!(x > masked)) continue;
    if (x < least) least = x;
    if (x > greatest) greatest = x;
  }
  return least <= greatest ? [least, greatest] : [0, 0];
};

/** Puts together what is asked for from layers that come one by one. */
interface Gathering {
  add(layer: Layer, heads: Heads): Promise<void> | void;
  /** What is left to hold when all have come. */
  end(): void;
}

/** Holds a value under a site, and lists it. */
type Hold = (site: string, block: string, heads: Heads) => void;

const each = (hold: Hold): Gathering => ({
  add: ({ site, block }, heads) => hold(site, block, heads),
  end: () => undefined,
});

const one = (data: Float32Array, { queries, keys }: Pick<Heads, 'queries' | 'keys'>): Heads => ({
  heads: 1,
  queries,
  keys,
  data,
});

const meanOfChosen = (hold: Hold, input: AttentionInput): Gathering => {
  const mean = new HeadMean();
  let size = { queries: 0, keys: 0 };
  return {
    add: ({ block }, heads) => {
      size = heads;
      for (const chosen of input.heads.filter((h) => h.block === block)) {
        if (chosen.head >= heads.heads)
          throw invalid(`${block} has no head ${chosen.head}`, `Its heads go from 0 to ${heads.heads - 1}.`);
        mean.add(heads, chosen.head);
      }
    },
    end: () => hold('mean', '', one(mean.mean, size)),
  };
};

const rolledOut = (hold: Hold, input: AttentionInput, context: OperationContext): Gathering => {
  let rollout: Rollout | undefined;
  return {
    add: (_, heads) => (rollout ??= new Rollout(heads.keys, checkpoints(context))).add(meanOf(heads)),
    end: () => {
      if (!rollout) return;
      const size = { queries: rollout.tokens, keys: rollout.tokens };
      hold('rollout', '', hidden(one(rollout.through, size), input));
    },
  };
};

/** Tokens that the tokenizer puts in, such as a beginning or an end. */
const specialsIn = async ({ model, prompt }: Opened, side: 'source' | 'own'): Promise<readonly number[]> => {
  const isSource = side === 'source' && prompt.source !== undefined;
  const tokenizer = prompt.source === undefined || isSource ? model.tokenizer : await targetTokenizer(model);
  const ids = isSource ? prompt.source.ids : prompt.ids;
  return ids.flatMap((id, i) => (tokenizer?.specials.has(id) ? [i] : []));
};

/** The request with the tokens to hide as positions. */
const withHidden = async (opened: Opened, input: AttentionInput): Promise<AttentionInput> => {
  if (!input.hide?.specials) return input;
  const { kind, hide: given } = input;
  const [rows, columns] = [kind === 'encoder' ? 'source' : 'own', kind === 'self' ? 'own' : 'source'] as const;
  const [queries, keys] = [await specialsIn(opened, rows), await specialsIn(opened, columns)];
  return {
    ...input,
    hide: { ...given, queries: [...given.queries, ...queries], keys: [...given.keys, ...keys] },
  };
};

const hidden = (heads: Heads, { hide: what, value }: AttentionInput): Heads =>
  what
    ? hide(
        heads,
        { ...what, renormalise: what.renormalise && value !== 'scores' },
        value === 'scores' ? masked * 1.1 : 0,
      )
    : heads;

/** A layer's numbers, once all of its sites have come. `found`: what came of it. */
const numbersOf = (layer: Layer, found: ReadonlyMap<string, Tensor>, input: AttentionInput): Heads => {
  const [v, last] = [layer.places[0], layer.places.at(-1)].map((p) => found.get(p?.name ?? ''));
  if (!last) throw bug(`${layer.site} was not captured`);
  const heads = headsOf(last);
  if (input.show === 'rollout') return heads;
  const shown = hidden(heads, input);
  return input.value === 'weighted' && v ? weighted(shown, valueNorms(v)) : shown;
};

const gatheringOf = (hold: Hold, input: AttentionInput, context: OperationContext): Gathering => {
  switch (input.show) {
    case 'each':
      return each(hold);
    case 'mean':
      return meanOfChosen(hold, input);
    case 'rollout':
      return rolledOut(hold, input, context);
  }
};

interface Held {
  readonly layers: AttentionLayer[];
  bytes: number;
}

const makeHold =
  (
    state: HostState,
    { input, prompt, revision }: { input: AttentionInput; prompt: Prompt; revision: number },
    held: Held,
  ): Hold =>
  (site, block, heads) => {
    const level = input.show === 'each' ? levelFor(heads.queries, heads.keys, input.size) : 0;
    const tensor = shrunk(heads, level);
    const [least, greatest] = endsOf(heads.data);
    const axes = ['head', 'query', input.kind === 'cross' ? 'source' : 'key'];
    const value: HeldValue = {
      tensor,
      axes,
      revision,
      tokens: prompt.tokens,
      ...(prompt.source ? { sourceTokens: prompt.source.tokens } : {}),
    };
    const bytes = tensorBytes(tensor);
    state.arena.put(valueKey({ run: input.run, step: 0, site }), value, { bytes });
    held.layers.push({
      site,
      block,
      heads: heads.heads,
      queries: heads.queries,
      keys: heads.keys,
      level,
      least,
      greatest,
    });
    held.bytes += bytes;
  };

const gather = async (
  { model, prompt, edits }: Opened,
  {
    state,
    input,
    context,
    revision,
  }: { state: HostState; input: AttentionInput; context: OperationContext; revision: number },
): Promise<AttentionResult> => {
  const { variant } = await prepareExperiment(contextFor(model, prompt, 0), edits);
  const all = layersOf(placedSites(variant.order), input.value);
  const layers = chosenLayers(all, input);
  const limit = Math.min(input.maxBytes ?? Infinity, state.arena.limitBytes);
  context.note(
    `the attention of ${layers.length} layers takes up to ${formatBytes(checkMemory(layers, input, { prompt, limit }))}`,
  );
  const held: Held = { layers: [], bytes: 0 };
  const gathering = gatheringOf(makeHold(state, { input, prompt, revision }, held), input, context);
  const found = new Map<string, Tensor>();
  let done = 0;
  const wanted = layers.flatMap((l) => l.places).map((place) => ({ place, where: {} }));
  await captureEach({ model, prompt, variant, wanted, context }, async ({ name, tensor }) => {
    found.set(name, tensor);
    const layer = layers.find((l) => l.places.at(-1)?.name === name);
    if (!layer) return;
    await gathering.add(layer, numbersOf(layer, found, input));
    for (const place of layer.places) found.delete(place.name);
    context.progress?.({ done: ++done, total: layers.length, what: 'layers of attention' });
  });
  gathering.end();
  return {
    run: input.run,
    revision,
    kinds: [...new Set(all.map((l) => l.kind))],
    hidden: { queries: input.hide?.queries ?? [], keys: input.hide?.keys ?? [] },
    ...held,
  };
};

/**
 * Attention, layer by layer: of each only what is asked for is held, never all patterns of a long text at once.
 * @throws UsageError MEMORY_LIMIT, OPTION_INVALID
 */
export const attentionInto = async (
  state: HostState,
  input: AttentionInput,
  context: OperationContext,
): Promise<AttentionResult> => {
  const revision = (state.revisions.get(input.run) ?? 0) + 1;
  dropRun(state.arena, input.run);
  state.revisions.set(input.run, revision);
  const result = await onEachPrompt(input, context, async (opened) =>
    gather(opened, { state, input: await withHidden(opened, input), context, revision }),
  );
  if (Array.isArray(result)) throw bug('attention is of one prompt');
  return result;
};
