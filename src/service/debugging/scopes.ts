import { shownNumber } from '../../debugger/index.js';
import { siteIn } from '../../engine/index.js';
import { formatType, typesOf, type Graph } from '../../graph/index.js';
import { formatEdit } from '../../language/index.js';
import type { Item, ScopeName, TargetFrame, ViewAnswerOf } from '../../protocol/index.js';
import { reduce, statistics, toFloat32, type Tensor } from '../../tensor/index.js';
import { tokenText, wordText } from './answers.js';
import type { Debuggee } from './debuggee.js';
import { offsetOf, resolveValue } from './engine-values.js';
import { itemOf, type HeldValue } from './held-values.js';
import { boundaryValues, sitesHere } from './layer-values.js';

type Scopes = ViewAnswerOf<'scopes'>['scopes'];
type FrameKind = TargetFrame['kind'];

const scope = (name: ScopeName, shown: string, expensive = false): Scopes[number] => ({
  ...{ scope: name, name: shown, expensive },
});

const isInLayer = (frame: FrameKind): frame is 'op' | 'module' | 'layer' => frame !== 'step' && frame !== 'generation';

/** The groups of values of a frame; those that take another run of the layer, or much room, are `expensive`. */
export const scopesOf = ({ session }: Debuggee, frame: FrameKind): Scopes => {
  const inLayer = isInLayer(frame) && session.instance !== undefined;
  const patterns = sitesHere(session).some((s) => s.name.endsWith('pattern'));
  const caches = (session.instance?.segment.cache.length ?? 0) > 0;
  return [
    ...(inLayer ? [scope('sites', 'Sites'), scope('inputs', 'Inputs'), scope('outputs', 'Outputs')] : []),
    ...(inLayer && patterns ? [scope('attention', 'Attention')] : []),
    scope('words', 'Next words'),
    ...(inLayer ? [scope('residual', 'Residual and lens')] : []),
    scope('tokens', 'Tokens'),
    scope('edits', 'Edits'),
    ...(inLayer ? [scope('statistics', 'Statistics', true)] : []),
    ...(inLayer && caches ? [scope('cache', 'KV cache', true)] : []),
    ...(inLayer ? [scope('weights', 'Weights', true)] : []),
  ];
};

const plain = (name: string, value: string): Item => ({ name, value });
const percent = (p: number): string => `${(100 * p).toFixed(2)} %`;

interface LayerSite {
  readonly name: string;
  readonly held: HeldValue;
}

/** All sites of the layer at once: one run of it. */
const siteValues = async (debuggee: Debuggee): Promise<readonly LayerSite[]> => {
  const { session } = debuggee;
  const { instance } = session;
  if (!instance) return [];
  const types = typesOf(instance.segment.graph);
  const sites = sitesHere(session);
  const values = await session.look(sites.map((s) => s.name));
  return sites.flatMap((s) => {
    const tensor = values.get(s.name);
    const name = siteIn(instance, s.name);
    const axes = types.get(s.value)?.axes ?? [];
    return tensor ? [{ name, held: { tensor, axes, offset: offsetOf(debuggee), place: name, expression: name } }] : [];
  });
};

const sites = async (debuggee: Debuggee): Promise<Item[]> =>
  (await siteValues(debuggee)).map(({ name, held }) => itemOf(name, name, held));

type Session = Debuggee['session'];

/** A weight by its type; its numbers are read when it is opened. */
const weightItem = ({ variant }: Session, { name, type }: Pick<Graph['params'][number], 'name' | 'type'>): Item => ({
  ...plain(name, `${type.dtype}${formatType(type)}${variant.weights.has(name) ? '  edited' : ''}`),
  ...{ ref: `weight:${name}`, part: { at: [] }, length: Number(type.shape[0]), place: `weight ${name}` },
});

/** Weights with more numbers are not summed up beside other values: that would take longer than a step. */
const mostSummed = 2 ** 20;

const largeWeight = ({ instance }: Session, ref: string) =>
  instance?.segment.graph.params.find(
    ({ name, type }) =>
      ref === `weight:${name}` && type.shape.reduce<number>((n, extent) => n * Number(extent), 1) > mostSummed,
  );

const boundary =
  (side: 'inputs' | 'outputs') =>
  async (debuggee: Debuggee, frame: FrameKind): Promise<Item[]> => {
    if (!isInLayer(frame)) return [];
    const items: Item[] = [];
    for (const { name, ref } of boundaryValues(debuggee.session, frame, side)) {
      const { session } = debuggee;
      const large = largeWeight(session, ref);
      items.push(large ? weightItem(session, large) : itemOf(name, ref, await resolveValue(debuggee, ref)));
    }
    return items;
  };

/** What the newest query of each head looks at. */
const headLines = ({ name, held }: LayerSite, tokens: readonly { readonly text: string }[]): Item[] => {
  const [, heads = 0, queries = 0, keys = 0] = held.tensor.shape;
  const data = toFloat32(held.tensor);
  return Array.from({ length: heads }, (_, head) => {
    const row = data.subarray((head * queries + queries - 1) * keys, (head * queries + queries) * keys);
    const top = [...row.keys()].sort((a, b) => (row[b] ?? 0) - (row[a] ?? 0)).slice(0, 3);
    const shown = top.map((key) => `${(row[key] ?? 0).toFixed(2)} ${key} ${JSON.stringify(tokens[key]?.text ?? '')}`);
    const expression = `${name}[head=${head}, query=-1]`;
    return { ...plain(`${name}, head ${head}`, shown.join('  ')), expression };
  });
};

const attention = async (debuggee: Debuggee): Promise<Item[]> => {
  const { prompt } = debuggee.request;
  const found = (await siteValues(debuggee)).filter(({ name }) => name.endsWith('pattern'));
  const isSource = (name: string): boolean => name.includes('cross_attn') || name.startsWith('encoder.');
  const source = prompt.source?.tokens ?? [];
  return found.flatMap((site) => headLines(site, isSource(site.name) ? source : debuggee.tokens));
};

const words = async (debuggee: Debuggee): Promise<Item[]> =>
  (await debuggee.words(10)).map((word, i) => ({
    ...plain(String(i + 1), wordText(word)),
    expression: `lens_prob(${word.id})`,
  }));

const normOf = (tensor: Tensor): number => reduce(tensor, [...tensor.shape.keys()], 'norm').data[0] ?? NaN;

const lastRow = ({ tensor }: HeldValue): Tensor => {
  const width = tensor.shape.at(-1) ?? 1;
  return { dtype: 'float32', shape: [width], data: toFloat32(tensor).slice(-width) };
};

/** The stream at the newest token: how long it is, what was added, and what the model would say from it. */
const residual = async (debuggee: Debuggee): Promise<Item[]> => {
  const stream = (await siteValues(debuggee)).filter(({ name }) =>
    /\.(resid_\w+|attn_out|mlp_out|\w*cross_attn_out)$/.test(name),
  );
  const norms = stream.map(({ name, held }) => ({
    ...itemOf(name, name, held),
    value: `norm ${shownNumber(normOf(lastRow(held)))} at the newest token`,
  }));
  const said = await debuggee.words(5);
  return [
    ...norms,
    ...said.map((w, i) => plain(`lens ${i + 1}`, `${percent(w.probability)}  ${JSON.stringify(w.text)}`)),
  ];
};

const share = (data: Float32Array, test: (x: number) => boolean): string =>
  percent(data.reduce((n, x) => n + (test(x) ? 1 : 0), 0) / Math.max(1, data.length));

const statisticsOf = async (debuggee: Debuggee): Promise<Item[]> =>
  (await siteValues(debuggee)).map(({ name, held }) => {
    const { min, max, nan, inf } = statistics(held.tensor);
    const data = toFloat32(held.tensor);
    const zero = share(data, (x) => x === 0);
    const positive = share(data, (x) => x > 0);
    const norm = shownNumber(normOf(held.tensor));
    const absmax = shownNumber(Math.max(Math.abs(min), Math.abs(max)));
    return plain(name, `norm ${norm}  absmax ${absmax}  zero ${zero}  positive ${positive}  nan ${nan}  inf ${inf}`);
  });

const cache = async (debuggee: Debuggee): Promise<Item[]> => {
  const { session } = debuggee;
  const items: Item[] = [];
  for (const { past } of session.instance?.segment.cache ?? []) {
    const ref = `cache:${session.instance?.name ?? ''}/${past}`;
    items.push(itemOf(past, ref, await resolveValue(debuggee, ref)));
  }
  return items;
};

/** Those of the layer; outside of layers, all that the run reads. */
const weights = ({ session }: Debuggee, frame: FrameKind): Item[] => {
  const here = session.instance ? [session.instance] : [];
  const params = (isInLayer(frame) ? here : session.variant.order).flatMap(({ segment }) => segment.graph.params);
  const byName = new Map(params.map((param) => [param.name, param]));
  return [...byName.values()].map((param) => weightItem(session, param));
};

/** What each scope shows. A list without a length of its own is short, or is asked for in parts. */
const contents: Readonly<Record<ScopeName, (debuggee: Debuggee, frame: FrameKind) => Promise<Item[]> | Item[]>> = {
  sites,
  inputs: boundary('inputs'),
  outputs: boundary('outputs'),
  attention,
  words,
  residual,
  statistics: statisticsOf,
  cache,
  weights,
  // what a live process has
  gradients: () => [],
  training: () => [],
  processes: () => [],
  tokens: ({ tokens }) => tokens.map((token, i) => plain(String(i), tokenText(token))),
  edits: ({ edits }) => edits.map((edit, i) => plain(String(i + 1), formatEdit(edit))),
};

/** What is in a scope of a frame. */
export const scopeItems = async (debuggee: Debuggee, name: ScopeName, frame: FrameKind): Promise<Item[]> =>
  contents[name](debuggee, frame);
