import { formatEdit } from '../../../language/index.js';
import { layerOf } from '../../look/names.js';

/** What the menus of edits are made from. */
export interface Place {
  /** The part in focus, `blocks.3`, and the position and head there. */
  readonly after: string;
  readonly position: number;
  readonly head: number | undefined;
  /** Layers of the stack in focus. */
  readonly layers: number;
  /** The word that is followed, and the likeliest other. */
  readonly word: Token | undefined;
  readonly other: Token | undefined;
  /** Whether words can be written as texts. */
  readonly hasTokenizer: boolean;
  readonly weights: readonly string[];
  /** Fields of the config that are one number. */
  readonly config: Readonly<Record<string, number>>;
}
interface Token {
  readonly id: number;
  readonly text: string;
}

export const subjects = ['head', 'layer', 'token', 'neuron', 'weight', 'model'] as const;
export type Subject = (typeof subjects)[number];

/** How an offer is called, with what stands in its name. */
export type OfferName =
  | 'dropHead'
  | 'scaleHead'
  | 'headMean'
  | 'skip'
  | 'repeat'
  | 'swap'
  | 'scaleAttention'
  | 'scaleMlp'
  | 'zeroMlp'
  | 'scaleStream'
  | 'steer'
  | 'force'
  | 'patch'
  | 'neuronOff'
  | 'neuronScale'
  | 'scaleWeight'
  | 'epsilon'
  | 'rope'
  | 'activation'
  | 'temperature';

/** An edit that can be added as it is, or, as a draft, is written on by hand. */
export interface Offer {
  readonly name: OfferName;
  readonly arguments: readonly string[];
  readonly edit: string;
  readonly isDraft?: true;
}

const offer = (name: OfferName, edit: string, ...args: readonly string[]): Offer => ({ name, edit, arguments: args });
const draft = (name: OfferName, edit: string): Offer => ({ name, edit, arguments: [], isDraft: true });

/** The number of the weights that are offered. */
const mostWeights = 14;

const headOffers = ({ after, head }: Place): readonly Offer[] => {
  const layer = layerOf(after);
  if (layer === undefined || head === undefined) return [];
  return [
    offer('dropHead', `drop head ${layer}.${head}`),
    offer('scaleHead', `scale ${after}.attn.z[head=${head}] by 0.5`),
    offer('headMean', `set ${after}.attn.z[head=${head}] = mean`),
  ];
};

/** `decoder.4` for `decoder.3`; undefined behind the last. */
const nextLayer = (layer: string, layers: number): string | undefined => {
  const [, stack = '', number = ''] = /^(\w+\.)?(\d+)$/.exec(layer) ?? [];
  return Number(number) + 1 < layers ? `${stack}${Number(number) + 1}` : undefined;
};

const layerOffers = ({ after, layers }: Place): readonly Offer[] => {
  const layer = layerOf(after);
  if (layer === undefined) return [];
  const next = nextLayer(layer, layers);
  return [
    offer('skip', `skip layer ${layer}`),
    offer('repeat', `repeat layer ${layer}`),
    ...(next === undefined ? [] : [offer('swap', `swap layers ${layer} ${next}`, next)]),
    offer('scaleAttention', `scale ${after}.attn_out by 0.5`),
    offer('scaleMlp', `scale ${after}.mlp_out by 0.5`),
    offer('zeroMlp', `set ${after}.mlp_out = zero`),
  ];
};

const tokenOffers = ({ after, position, word, other, hasTokenizer }: Place): readonly Offer[] => {
  const site = layerOf(after) === undefined ? after : `${after}.resid_post`;
  const at = `${site}[position=${position}]`;
  const written = (token: Token): string => (hasTokenizer ? JSON.stringify(token.text) : String(token.id));
  return [
    offer('scaleStream', `scale ${at} by 0.5`),
    ...(word && other
      ? [offer('steer', `add 4 * direction(${written(word)} - ${written(other)}) at ${at}`, word.text, other.text)]
      : []),
    ...(word ? [offer('force', `force token ${written(word)} at step 0`, word.text)] : []),
    ...(hasTokenizer ? [draft('patch', `set ${at} = from prompt ""`)] : []),
  ];
};

const neuronOffers = ({ after, position }: Place): readonly Offer[] => {
  if (layerOf(after) === undefined) return [];
  const at = `${after}.mlp.post[position=${position}, neuron=0]`;
  return [draft('neuronOff', `set ${at} = zero`), draft('neuronScale', `scale ${at} by 2`)];
};

const weightOffers = ({ after, weights }: Place): readonly Offer[] => {
  const layer = layerOf(after);
  const number = layer?.replace(/^\w+\./, '');
  const stack = /^(\w+)\./.exec(layer ?? '')?.[1];
  const near = weights.filter((name) => number === undefined || name.split('.').includes(number));
  const own = near.filter((name) => stack === undefined || name.includes(stack));
  return (own.length > 0 ? own : near)
    .slice(0, mostWeights)
    .map((name) => offer('scaleWeight', formatEdit({ edit: 'weight', name, op: '*=', value: 1 }), name));
};

const modelOffers = ({ config }: Place): readonly Offer[] => {
  const fields = (pattern: RegExp, name: OfferName): readonly Offer[] =>
    Object.entries(config)
      .filter(([field]) => pattern.test(field))
      .map(([field, value]) => offer(name, `config ${field} = ${JSON.stringify(value)}`, field));
  return [
    ...fields(/_eps$|_epsilon$|^epsilon$/, 'epsilon'),
    ...fields(/^rope_theta$|^rotary_emb_base$|^rope_local_base_freq$/, 'rope'),
    offer('temperature', 'temperature 0.8'),
    draft('activation', 'replace activation with gelu'),
  ];
};

const all: Readonly<Record<Subject, (place: Place) => readonly Offer[]>> = {
  ...{ head: headOffers, layer: layerOffers, token: tokenOffers },
  ...{ neuron: neuronOffers, weight: weightOffers, model: modelOffers },
};

/** What can be done with what is in focus, by what it is done to; nothing where that is not in focus. */
export const offersOf = (subject: Subject, place: Place): readonly Offer[] => all[subject](place);
