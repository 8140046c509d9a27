import type { CompareResult, HostParams } from '../../protocol/index.js';
import type { Request, Run } from './request.js';

/** How a comparison asks for the run beside; without one, the run without edits is compared with. */
export const versusFields = (other: Run | undefined): Pick<HostParams<'compare'>, 'versus' | 'other'> => {
  if (!other) return { versus: [] };
  const { binding: _, ...input } = other.input;
  return { versus: other.edits.map((text) => ({ text })), other: input };
};

/** The same from B's side; undefined where there is no B. */
export const turnedRequest = (request: Request): Request | undefined => {
  const { input, edits, sampling, other, word, key } = request;
  return other && { ...other, key: `b ${key}`, word, other: { input, edits, sampling } };
};

/** Of a run: the position whose scores are the answer. */
const answerOf = ({ masks, target, tokens }: CompareResult['after']): number =>
  masks?.[0]?.position ?? (target ?? tokens).length - 1;

/** A comparison from B's side. */
export const turned = (result: CompareResult): CompareResult => ({
  ...result,
  model: result.otherModel ?? result.model,
  ...(result.otherModel ? { otherModel: result.model } : {}),
  ...{ before: result.after, after: result.before, position: answerOf(result.before) },
});
