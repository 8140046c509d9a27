import { UsageError } from '../../../base/index.js';
import { shownNumber } from '../../../debugger/index.js';
import { placedSites, type ExpressionValue } from '../../../engine/index.js';
import { gradientName } from '../../../language/index.js';
import type { Item, ViewAnswerOf, ViewAskOf } from '../../../protocol/index.js';
import { toFloat32 } from '../../../tensor/index.js';
import { normOf } from '../../gradient-faults.js';
import { scoredTokens } from '../../scored.js';
import { textOf } from '../../prompts.js';
import { bytesAnswer, paged, type Answers } from '../answers.js';
import type { Debuggee } from '../debuggee.js';
import { resolveValue } from '../engine-values.js';
import { evaluatedItem } from '../evaluating.js';
import { childItems, itemOf, type HeldValue } from '../held-values.js';
import { ownName } from '../local-sites.js';
import { pictureOf } from '../picture.js';
import { scopeItems } from '../scopes.js';
import type { WalkMoment } from './walk-moment.js';

const elsewhere = (what: string): UsageError =>
  new UsageError(`${what} is of the run, and this is a way back`, {
    code: 'COMMAND_INVALID',
    hint: 'Leave it first: `backward off`. The run then stands where it stood.',
  });

const heldOf = (value: ExpressionValue): HeldValue => {
  if (typeof value === 'object') return { tensor: value, axes: value.axes, offset: 0 };
  return { tensor: { dtype: 'float64', shape: [1], data: Float64Array.of(Number(value)) }, axes: [''], offset: 0 };
};

/** `grad(SITE)`, or, as of a live process, `grad:SITE`; a value of the pass, a weight, `=EXPRESSION`. */
const resolve = async (debuggee: Debuggee, moment: WalkMoment, ref: string): Promise<HeldValue> => {
  if (ref.startsWith('weight:')) return resolveValue(debuggee, ref);
  if (ref.startsWith('=')) return heldOf(await moment.evaluate(ref.slice(1)));
  if (ref.startsWith('grad:')) return moment.value(gradientName(ref.slice('grad:'.length)));
  if (ref.startsWith('cache:') || ref.startsWith('op:')) throw elsewhere(ref);
  return moment.value(ref);
};

const isInLayer = (frame: ViewAskOf<'scopes'>['frame']): boolean => frame !== 'step' && frame !== 'generation';

/** The gradients of the part that it is in; outside of it, those of the stream as far as the way has come. */
const gradientItems = async (moment: WalkMoment, frame: ViewAskOf<'scopes'>['frame']): Promise<Item[]> => {
  const { walk } = moment;
  const { stations, here, at } = walk.tape;
  const outer = walk.gradients.outer;
  const shown = stations.flatMap(({ site, place }, i) => {
    const isShown = isInLayer(frame) ? place === here?.place : i <= at && outer.has(site ?? '');
    return site !== undefined && isShown ? [site] : [];
  });
  const items: Item[] = [];
  for (const site of shown) {
    const name = gradientName(site);
    const held = await moment.value(name);
    const item = itemOf(name, name, held);
    items.push({ ...item, value: `norm ${shownNumber(normOf(toFloat(held)))}  ${item.value}` });
  }
  return items;
};

const toFloat = ({ tensor }: HeldValue) => ({
  dtype: 'float32' as const,
  shape: tensor.shape,
  data: toFloat32(tensor),
});

const siteItems = async (moment: WalkMoment): Promise<Item[]> => {
  const { stations, here } = moment.walk.tape;
  const items: Item[] = [];
  for (const { site, place } of stations.toReversed())
    if (site !== undefined && place === here?.place) items.push(itemOf(site, site, await moment.value(site)));
  return items;
};

const scopes = (frame: ViewAskOf<'scopes'>['frame']): ViewAnswerOf<'scopes'>['scopes'] => [
  { scope: 'gradients', name: 'Gradients', expensive: false },
  ...(isInLayer(frame) ? [{ scope: 'sites' as const, name: 'Sites', expensive: true }] : []),
  { scope: 'tokens', name: 'Tokens', expensive: false },
  { scope: 'edits', name: 'Edits', expensive: false },
];

const items = (debuggee: Debuggee, moment: WalkMoment, { scope, frame }: ViewAskOf<'scope'>) => {
  if (scope === 'gradients') return gradientItems(moment, frame);
  if (scope === 'sites') return siteItems(moment);
  if (scope === 'tokens' || scope === 'edits' || scope === 'weights') return scopeItems(debuggee, scope, 'generation');
  return [];
};

/** Places of a way back that a line of the listing stands for. */
const places = ({ walk }: WalkMoment, line: number): ViewAnswerOf<'places'>['places'] =>
  walk.tape.stations.flatMap((s) =>
    s.line === line ? [{ label: gradientName(s.site ?? s.place), position: { ...s.position, backward: true } }] : [],
  );

const words = async (debuggee: Debuggee, moment: WalkMoment, count: number): Promise<ViewAnswerOf<'words'>> => {
  const logits = await moment.scores('last');
  return { words: logits ? scoredTokens(logits.data, count, (id) => textOf(debuggee.model, id)) : [] };
};

/** What a way back answers in place of the run that it is of: gradients, and the values of its pass. */
export const walkAnswers = (debuggee: Debuggee, moment: WalkMoment, run: Answers): Answers => {
  const value = (ref: string) => resolve(debuggee, moment, ref);
  const sites = () => placedSites(moment.walk.gradients.request.variant.order);
  return {
    ...run,
    scopes: async (a) => ({ scopes: scopes(a.frame) }),
    scope: async (a) => ({ items: paged(await items(debuggee, moment, a), a) }),
    children: async (a) => ({ items: childItems(a.ref, await value(a.ref), a) }),
    evaluate: async (a) => {
      const names = sites().flatMap(({ name }) => [name, gradientName(name)]);
      return evaluatedItem(ownName(a.expression.trim(), moment.local), names, {
        value: (site) => moment.value(site),
        evaluate: (text) => moment.evaluate(text),
      });
    },
    bytes: async (a) => bytesAnswer(await value(a.ref), a),
    picture: async (a) => pictureOf(await value(a.ref), a),
    words: (a) => words(debuggee, moment, a.count),
    sites: async () => ({
      sites: sites().map(({ name, type, instance }) => ({
        ...{ name, axes: [...type.axes], here: instance.name === moment.walk.tape.here?.place },
      })),
    }),
    places: async (a) => (a.source === 'listing' ? { places: places(moment, a.line) } : run.places(a)),
    ahead: async () => ({ places: [] }),
    compare: async () => {
      throw elsewhere('a comparison');
    },
    lens: async () => {
      throw elsewhere('the lens');
    },
  };
};
