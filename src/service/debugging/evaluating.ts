import { shownNumber } from '../../debugger/index.js';
import { placedSites, type ExpressionValue } from '../../engine/index.js';
import { completeExpression } from '../../language/index.js';
import type { Evaluated, ViewAnswerOf } from '../../protocol/index.js';
import { toFloat32 } from '../../tensor/index.js';
import type { Debuggee } from './debuggee.js';
import { resolveValue } from './engine-values.js';
import { itemOf, type HeldValue } from './held-values.js';
import { ownName } from './local-sites.js';

/** Numbers of a tensor that an answer shows. */
const shownFirst = 12;

const firstOf = ({ tensor, axes }: HeldValue): Pick<Evaluated, 'axes' | 'shape' | 'first'> => ({
  axes: [...axes],
  shape: [...tensor.shape],
  first: Array.from(toFloat32(tensor).slice(0, shownFirst), shownNumber),
});

/** What gives values to an answer. */
interface Source {
  value(site: string): Promise<HeldValue>;
  evaluate(text: string): Promise<ExpressionValue>;
}

/** What an expression, or a site by its name, gives; a tensor can be opened. @throws UsageError EXPRESSION_*, SITE_* */
export const evaluatedItem = async (text: string, sites: readonly string[], from: Source): Promise<Evaluated> => {
  if (sites.includes(text)) {
    const held = await from.value(text);
    return { ...itemOf(text, text, held), ...firstOf(held) };
  }
  const value = await from.evaluate(text);
  if (typeof value === 'object') {
    const held = { tensor: value, axes: value.axes, offset: 0 };
    return { ...itemOf(text, `=${text}`, held), ...firstOf(held) };
  }
  return { name: text, value: typeof value === 'number' ? shownNumber(value) : String(value), type: typeof value };
};

/** The same where a run of our engine stands. */
export const evaluateIn = (debuggee: Debuggee, expression: string): Promise<Evaluated> => {
  const sites = placedSites(debuggee.session.variant.order).map((p) => p.name);
  return evaluatedItem(ownName(expression.trim(), debuggee.local), sites, {
    value: (site) => resolveValue(debuggee, site),
    evaluate: (text) => debuggee.evaluate(text),
  });
};

/** What can be written at a column, from 1. */
export const completeIn = ({ session }: Debuggee, text: string, column: number): ViewAnswerOf<'complete'> => {
  const placed = placedSites(session.variant.order);
  const prefix = `${session.instance?.name ?? ''}.`;
  const here = placed.flatMap(({ name, type }) =>
    name.startsWith(prefix) ? [{ name: name.slice(prefix.length), axes: type.axes }] : [],
  );
  const sites = [...here, ...placed.map(({ name, type }) => ({ name, axes: type.axes }))];
  return { completions: [...completeExpression(text, column, { sites })] };
};
