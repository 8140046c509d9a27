import { UsageError } from '../../base/index.js';
import { typesOf, type ValueId } from '../../graph/index.js';
import type { Debuggee } from './debuggee.js';
import type { HeldValue } from './held-values.js';

/** Where index 0 of `position` is: behind the prefill, a step computes one position. */
export const offsetOf = ({ session }: Debuggee): number => (session.position.step === 0 ? 0 : session.ids.length - 1);

const missing = (ref: string): UsageError =>
  new UsageError(`there is no value ${ref} here`, {
    code: 'SITE_NOT_CAPTURED',
    hint: 'Ask for the scopes again: values are those of the layer that the run is in.',
  });

const weight = async ({ model, session }: Debuggee, name: string): Promise<HeldValue> => {
  const param = model.program.segments.flatMap((s) => s.graph.params).find((p) => p.name === name);
  if (!param)
    throw new UsageError(`no weight is called ${name}`, {
      code: 'WEIGHT_UNKNOWN',
      hint: '`list --weights` names all.',
    });
  const tensor = session.variant.weights.get(name) ?? (await model.weights.read(name));
  return { tensor, axes: param.type.axes, offset: 0, place: `weight ${name}` };
};

/** Keys or values that the layer reads of earlier tokens. */
const cached = ({ session }: Debuggee, ref: string): HeldValue => {
  const name = ref.slice(ref.indexOf('/') + 1);
  const tensor = session.cached().get(name);
  if (!tensor) throw missing(ref);
  return { tensor, axes: ['batch', 'position', 'kvHead', 'headDim'], offset: 0 };
};

const operation = async (debuggee: Debuggee, ref: string): Promise<HeldValue> => {
  const id = ref.slice('op:'.length) as ValueId;
  const { instance } = debuggee.session;
  const type = instance && typesOf(instance.segment.graph).get(id);
  const tensor = type && (await debuggee.session.look([], [id])).get(id);
  if (!tensor) throw missing(ref);
  return { tensor, axes: type.axes, offset: offsetOf(debuggee) };
};

const expression = async (debuggee: Debuggee, text: string): Promise<HeldValue> => {
  const value = await debuggee.evaluate(text);
  if (typeof value === 'object') return { tensor: value, axes: value.axes, offset: offsetOf(debuggee) };
  const data = Float64Array.of(Number(value));
  return { tensor: { dtype: 'float64', shape: [1], data }, axes: [''], offset: 0 };
};

/**
 * What a reference stands for where the run is: a site, `weight:NAME`, `cache:LAYER/NAME`, `op:ID`, `=EXPRESSION`.
 * @throws UsageError SITE_UNKNOWN, SITE_NOT_CAPTURED, WEIGHT_UNKNOWN, EXPRESSION_*
 */
export const resolveValue = async (debuggee: Debuggee, ref: string): Promise<HeldValue> => {
  if (ref.startsWith('weight:')) return weight(debuggee, ref.slice('weight:'.length));
  if (ref.startsWith('cache:')) return cached(debuggee, ref);
  if (ref.startsWith('op:')) return operation(debuggee, ref);
  if (ref.startsWith('=')) return expression(debuggee, ref.slice(1));
  const name = debuggee.checkSite(ref);
  return { ...(await debuggee.value(name)), offset: offsetOf(debuggee), place: name, expression: name };
};
