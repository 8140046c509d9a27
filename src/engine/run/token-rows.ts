import { bug } from '../../base/index.js';
import { paramInput, type Program } from '../../graph/index.js';
import { concat, range, type Tensor } from '../../tensor/index.js';
import { asFloat32 } from './as-float32.js';
import type { Compilations } from './compiled.js';
import { makeInput } from './inputs.js';
import type { Variant } from './request.js';

const inStack = (program: Program): string => (program.facts.encoder ? 'decoder.embed' : 'embed');

/**
 * The rows that tokens add to the stream: the site `embed` of each, without its position.
 * @returns [token, model]
 * @throws EngineError ENGINE_FAILED
 */
export const tokenRows = async (
  { program, compilations }: { readonly program: Program; readonly compilations: Compilations },
  variant: Pick<Variant, 'weights'>,
  ids: readonly number[],
): Promise<Tensor<'float32'>> => {
  const name = inStack(program);
  const segment = program.segments.find((s) => s.id === name);
  if (!segment) throw bug(`${program.family} has no ${name}`);
  const given = segment.graph.params.map((p) => p.name).filter((n) => variant.weights.has(n));
  const { executable, graph } = await compilations.get(segment, {
    edits: [],
    weights: new Set(given),
    taps: [name],
  });
  const fed = new Map<string, Tensor>();
  const doubled = ids.length === 1 ? [...ids, ...ids] : ids;
  const positions = doubled.map(() => 0);
  const rows = {
    ids: [doubled],
    positions,
    lengths: [doubled.length],
    keys: positions,
    length: doubled.length,
    step: 0,
  };
  for (const { name: input } of graph.inputs) {
    const rule = program.inputs[input];
    if (rule) fed.set(input, makeInput(rule, rows));
  }
  for (const weight of given) fed.set(paramInput(weight), variant.weights.get(weight) as Tensor);
  const result = (await executable.run(fed, [name])).get(name);
  if (!result) throw bug('the embedding gave nothing');
  const found = asFloat32(range(result, 1, [0, ids.length]));
  return { ...found, shape: found.shape.slice(1) };
};

/** Every token's row, some at a time. [vocab, model] */
export const allTokenRows = async (
  model: { readonly program: Program; readonly compilations: Compilations },
  variant: Pick<Variant, 'weights'>,
): Promise<Tensor<'float32'>> => {
  const { vocab } = model.program.facts;
  const each = 4096;
  const parts: Tensor<'float32'>[] = [];
  for (let from = 0; from < vocab; from += each)
    parts.push(
      await tokenRows(
        model,
        variant,
        Array.from({ length: Math.min(each, vocab - from) }, (_, i) => from + i),
      ),
    );
  return concat(parts, 0);
};
