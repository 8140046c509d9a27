import { storedAs } from '../../formats/index.js';
import { isRecording } from '../../formats/index.node.js';
import type { Program } from '../../graph/index.js';
import { listingOf, formatListing } from '../../graph/index.js';
import { placedSites, runOrder } from '../../engine/index.js';
import type { ListInput, ListResult, SiteEntry, WeightEntry } from '../../protocol/index.js';
import { openModel, type OpenModel } from '../open-model.js';
import type { Operation } from '../operation.js';
import { pictureView, readsOf } from '../model-view.js';
import { listRecording } from '../recording/list-recording.js';

const siteEntries = (program: Program): SiteEntry[] => {
  const others = new Map<string, string[]>();
  for (const [alias, name] of program.facts.aliases) others.set(name, [...(others.get(name) ?? []), alias]);
  return placedSites(runOrder(program, [])).map(({ name, type, site }) => {
    const aliases = others.get(name);
    return {
      name,
      axes: [...type.axes],
      shape: type.shape.map((dim, a) => (typeof dim === 'number' ? dim : (type.axes[a] ?? dim))),
      onRequest: site.onRequest,
      ...(aliases ? { aliases } : {}),
    };
  });
};

const weightEntries = (model: OpenModel): WeightEntry[] =>
  model.weights.names().map((name) => {
    const info = model.weights.info(name);
    return { name, shape: [...info.shape], dtype: storedAs(info) };
  });

/** What a model has: sites, weights, its listing. */
export const list: Operation<ListInput, ListResult> = {
  name: 'list',
  help: 'Lists what a model has: the sites that can be read and changed, its weights, or its computation as numbered source text; of a recording, the run and the values that were saved.',
  async run(input, context) {
    if (await isRecording(input.model)) return listRecording(input, context);
    const model = await openModel(input.model, { device: 'cpu', engine: 'reference' });
    try {
      for (const text of model.notes) context.note(text);
      const show = new Set(input.show);
      return {
        model: await model.summary(),
        ...(show.has('sites') ? { sites: siteEntries(model.program) } : {}),
        ...(show.has('weights') ? { weights: weightEntries(model) } : {}),
        ...(show.has('picture') ? { picture: pictureView(model.program) } : {}),
        ...(show.has('reads') ? { reads: await readsOf(model) } : {}),
        ...(show.has('listing') ? { listing: formatListing(listingOf(model.program)).split('\n') } : {}),
        ...(model.notes.length > 0 ? { notes: [...model.notes] } : {}),
      };
    } finally {
      await model.dispose();
    }
  },
};
