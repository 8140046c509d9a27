import { bug } from '../../base/index.js';
import { carried, paramInput, type Program } from '../../graph/index.js';
import { concat, range, type Tensor } from '../../tensor/index.js';
import { asFloat32 } from './as-float32.js';
import type { Compilations, Form } from './compiled.js';
import type { Variant } from './request.js';

/** A product of one row would take another kernel, with other last bits. */
const least = 2;

/**
 * What the head says of rows of the stream, as if the model ended there: final norm and unembedding, or the whole head
 * of a masked-word model. Edits of weights count, edits of the head's own sites do not.
 * @param rows [1, row, model]
 * @returns [1, row, vocab]
 * @throws EngineError ENGINE_FAILED
 */
export const scoreRows = async (
  model: { readonly program: Program; readonly compilations: Compilations },
  variant: Pick<Variant, 'weights'>,
  rows: Tensor,
): Promise<Tensor<'float32'>> => (await scoreRowsAt(model, variant, { rows, sites: [] })).logits;

/**
 * The same, and what sites of the head are on the way, by their names in it.
 * @param rows [1, row, model]
 */
export const scoreRowsAt = async (
  { program, compilations }: { readonly program: Program; readonly compilations: Compilations },
  variant: Pick<Variant, 'weights'>,
  { rows, sites }: { readonly rows: Tensor; readonly sites: readonly string[] },
): Promise<{ readonly logits: Tensor<'float32'>; readonly sites: ReadonlyMap<string, Tensor> }> => {
  const head = program.segments.find((s) => s.kind === 'head');
  if (!head) throw bug(`${program.family} has no head`);
  const given = head.graph.params.map((p) => p.name).filter((name) => variant.weights.has(name));
  const form: Form = { edits: [], weights: new Set(given), taps: sites };
  const { executable } = await compilations.get(head, form);
  const count = rows.shape[1] ?? 0;
  const fed = new Map([[carried, count < least ? concat([rows, rows], 1) : rows]]);
  for (const name of given) {
    const weight = variant.weights.get(name);
    if (weight) fed.set(paramInput(name), weight);
  }
  const results = await executable.run(fed, ['logits', ...sites]);
  const logits = results.get('logits');
  if (!logits) throw bug('the head gave no logits');
  const own = [...results].filter(([name]) => name !== 'logits');
  return {
    logits: asFloat32(range(logits, 1, [0, count])),
    sites: new Map(own.map(([name, value]) => [name, range(value, 1, [0, count])])),
  };
};
