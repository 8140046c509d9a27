import { ModelError, nearest } from '../base/index.js';
import type { WeightInfo, Weights } from '../formats/index.js';
import type { Param, Program } from '../graph/index.js';
import { sizeOf } from '../tensor/index.js';

/** Every weight that a program reads, once. */
export const paramsOf = (program: Program): readonly Param[] => [
  ...new Map(program.segments.flatMap((s) => s.graph.params.map((p) => [p.name, p] as const))).values(),
];

/** Numbers in all weights. */
export const parameterCount = (program: Program): number =>
  paramsOf(program).reduce((sum, p) => sum + sizeOf(p.type.shape.map(Number)), 0);

const missing = (param: Param, names: readonly string[]): ModelError =>
  new ModelError(`the model has no tensor ${param.name}`, {
    code: 'TENSOR_MISSING',
    hint: `The nearest names in the file: ${nearest(param.name, names).join(', ')}. Was the model saved whole?`,
    details: { name: param.name },
  });

/** Weights are floating-point numbers; codes of a quantised model are not weights until they are scaled. */
const checkDType = ({ name, dtype }: WeightInfo): void => {
  if (dtype.includes('float')) return;
  throw new ModelError(`tensor ${name} is stored as ${dtype}, which is no floating-point type`, {
    code: 'TENSOR_DTYPE',
    hint: 'The model is quantised, or the file is damaged: take the model in float32, float16 or bfloat16.',
    details: { name, dtype },
  });
};

const checkShape = ({ name, shape }: WeightInfo, expected: readonly number[]): void => {
  if (shape.join() === expected.join()) return;
  throw new ModelError(
    `tensor ${name} has shape [${shape.join(', ')}], but config.json asks for [${expected.join(', ')}]`,
    {
      code: 'TENSOR_SHAPE',
      hint: 'config.json and the weights do not belong together, or a field of config.json is wrong.',
      details: { name, shape: [...shape], expected: [...expected] },
    },
  );
};

/**
 * Checks that each weight is in the files, of floating-point numbers, with the shape that the config asks for.
 * @returns notes about tensors that nothing reads
 * @throws ModelError TENSOR_MISSING, TENSOR_SHAPE, TENSOR_DTYPE
 */
export const checkWeights = (program: Program, weights: Weights, ignored: RegExp): string[] => {
  const names = weights.names();
  const there = new Set(names);
  const params = paramsOf(program);
  for (const param of params) {
    if (!there.has(param.name)) throw missing(param, names);
    const info = weights.info(param.name);
    checkShape(info, param.type.shape.map(Number));
    checkDType(info);
  }
  const read = new Set(params.map((p) => p.name));
  const unread = names.filter((name) => !read.has(name) && !ignored.test(name));
  if (unread.length === 0) return [];
  const some = unread.slice(0, 3).join(', ');
  return [
    `${unread.length} tensors of the file are not used by this architecture (${some}${unread.length > 3 ? ', ...' : ''})`,
  ];
};
