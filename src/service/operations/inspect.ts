import { bug, UsageError } from '../../base/index.js';
import {
  canonicalName,
  extentsFor,
  forward,
  placedSites,
  prepareExperiment,
  sequenceAt,
  sequenceOf,
  siteBytes,
  unknownSite,
  type PlacedSite,
  type Prompt,
  type Variant,
} from '../../engine/index.js';
import { checkWritable, writeSafetensorsFile } from '../../formats/index.node.js';
import type { Edit } from '../../language/index.js';
import { matches, parseGlobs, resolveSelector, type Glob, type Where } from '../../language/index.js';
import type { InspectInput, InspectResult, SiteView } from '../../protocol/index.js';
import { statistics, take, type Tensor } from '../../tensor/index.js';
import { formatBytes } from '../bytes.js';
import { checkpoints } from '../cancel.js';
import { onEachPrompt } from '../edited-model.js';
import { contextFor } from '../experiment.js';
import { freeMemoryBytes } from '../machine.node.js';
import type { OpenModel } from '../open-model.js';
import type { Operation, OperationContext } from '../operation.js';
import { promptView } from '../prompts.js';

/** A site to read, and which part of it. */
interface Wanted {
  readonly place: PlacedSite;
  readonly where: Where;
}

/** Names that a glob chooses. A wildcard leaves out what is made on request. */
const chosenBy = (glob: Glob, places: readonly PlacedSite[], model: OpenModel): readonly string[] => {
  const { aliases } = model.program.facts;
  if (!glob.text.includes('*')) return [canonicalName(model.program, glob.text)];
  const free = places.filter((p) => !p.site.onRequest).map((p) => p.name);
  const byAlias = new Set([...aliases].filter(([alias]) => matches(glob, alias)).map(([, name]) => name));
  return free.filter((name) => matches(glob, name) || byAlias.has(name));
};

/**
 * The sites that globs choose, in the order of the run.
 * @throws UsageError SITE_UNKNOWN with the nearest names, SELECTOR_SYNTAX
 */
const sitesFor = (model: OpenModel, variant: Pick<Variant, 'order'>, globs: string): readonly Wanted[] => {
  const places = placedSites(variant.order);
  const wanted = new Map<string, Where>();
  for (const glob of parseGlobs(globs)) {
    const names = chosenBy(glob, places, model).filter((name) => places.some((p) => p.name === name));
    if (names.length === 0)
      throw unknownSite(glob.text, [...places.map((p) => p.name), ...model.program.facts.aliases.keys()]);
    for (const name of names) wanted.set(name, glob.where);
  }
  return places.flatMap((place) => {
    const where = wanted.get(place.name);
    return where ? [{ place, where }] : [];
  });
};

/** The part of a value that a selector chooses. */
const partOf = (tensor: Tensor, { place, where }: Wanted, prompt: Prompt): Tensor => {
  const { axes } = place.type;
  const { tokens, source } = sequenceAt(sequenceOf(prompt), place.instance.segment.stack);
  const texts = { tokens, ...(source ? { sourceTokens: source } : {}) };
  const chosen = resolveSelector(where, { name: place.name, axes, shape: tensor.shape, ...texts });
  return axes.reduce((t, axis, a) => {
    const indices = chosen.get(axis);
    return indices ? take(t, a, indices) : t;
  }, tensor);
};

/** Bytes that the sites will take; stops before any is computed where that is too much. */
const predict = (places: readonly PlacedSite[], prompt: Prompt, input: Pick<InspectInput, 'maxBytes'>): number => {
  const extents = extentsFor(1, prompt.ids.length, prompt.source?.ids.length);
  const bytes = places.reduce(
    (sum, p) => sum + (siteBytes(p.instance.segment.graph, [p.site.name], extents).get(p.site.name) ?? 0),
    0,
  );
  const limit = input.maxBytes ?? Math.floor(freeMemoryBytes() / 2);
  if (bytes <= limit) return bytes;
  throw new UsageError(
    `the ${places.length} sites would take ${formatBytes(bytes)}, more than the limit of ${formatBytes(limit)}`,
    {
      code: 'MEMORY_LIMIT',
      hint: 'Choose fewer sites, a shorter prompt, or another limit with --max-bytes.',
      details: { bytes, limit, sites: places.length },
    },
  );
};

const finite = (x: number): number | null => (Number.isFinite(x) ? x : null);

const view = (place: PlacedSite, tensor: Tensor | undefined): SiteView => {
  if (!tensor) throw bug(`${place.name} was not captured`);
  const { min, max, mean, std, nan, inf } = statistics(tensor);
  return {
    name: place.name,
    axes: [...place.type.axes],
    shape: [...tensor.shape],
    dtype: 'float32',
    ...{ min: finite(min), max: finite(max), mean: finite(mean), std: finite(std) },
    nan,
    inf,
  };
};

export interface Captured {
  readonly result: InspectResult;
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** Runs a prompt and keeps what the sites of the request were, with their statistics. */
export const capture = async (
  model: OpenModel,
  { input, edits, prompt }: { input: Pick<InspectInput, 'sites' | 'maxBytes'>; edits: readonly Edit[]; prompt: Prompt },
  context: OperationContext,
): Promise<Captured> => {
  const { variant, notes } = await prepareExperiment(contextFor(model, prompt, 0), edits);
  for (const text of notes) context.note(text);
  const wanted = sitesFor(model, variant, input.sites);
  const places = wanted.map((w) => w.place);
  const bytes = predict(places, prompt, input);
  context.note(`${places.length} sites, ${formatBytes(bytes)}`);
  const { sites } = await forward(model, {
    variant,
    ids: [prompt.ids],
    ...(prompt.source ? { source: [prompt.source.ids] } : {}),
    capture: new Set(places.map((p) => p.name)),
    logits: 'none',
    onSegment: checkpoints(context),
  });
  const tensors = new Map(
    wanted.map((w) => {
      const tensor = sites.get(w.place.name);
      if (!tensor) throw bug(`${w.place.name} was not captured`);
      return [w.place.name, partOf(tensor, w, prompt)] as const;
    }),
  );
  const views = places.map((place) => view(place, tensors.get(place.name)));
  const told = [...model.notes, ...notes];
  return { result: { ...promptView(prompt), sites: views, ...(told.length > 0 ? { notes: told } : {}) }, tensors };
};

/** Values of sites, with their statistics; `--out` writes them. */
export const inspect: Operation<InspectInput, InspectResult | InspectResult[]> = {
  name: 'inspect',
  help: 'Reads values inside the model on a prompt: the sites that match, with statistics, and, with --out, their numbers as safetensors.',
  async run(input, context) {
    const { out } = input;
    if (out !== undefined) await checkWritable(out);
    if (out !== undefined && input.prompts !== undefined)
      throw new UsageError('--out holds the values of one prompt', {
        code: 'OPTION_INVALID',
        hint: 'Give one prompt.',
      });
    return onEachPrompt(input, context, async ({ model, edits, prompt }) => {
      const { result, tensors } = await capture(model, { input, edits, prompt }, context);
      if (out !== undefined) {
        await writeSafetensorsFile(out, [...tensors]);
        context.note(`wrote ${out}`);
      }
      return result;
    });
  },
};
