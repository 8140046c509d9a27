import { UsageError } from '../../base/index.js';
import type { OperationContext } from '../operation.js';
import type { Recorder, RunEnd } from './recorder.js';

/** What of a request says whether and how it is recorded. */
interface Asked {
  readonly record?: string | undefined;
  readonly prompts?: string | undefined;
}

/** A recording holds one run. @throws UsageError OPTION_INVALID */
export const checkOneRun = ({ record, prompts }: Asked): void => {
  if (record === undefined || prompts === undefined) return;
  throw new UsageError('--record saves the run of one prompt', { code: 'OPTION_INVALID', hint: 'Give one prompt.' });
};

/** Does work that is recorded; on an error what was flushed is kept, and told of. */
export const recorded = async <Result>(
  recorder: Recorder | undefined,
  { record, context }: Asked & { readonly context: OperationContext },
  work: () => Promise<{ readonly result: Result; readonly end: RunEnd }>,
): Promise<Result> => {
  try {
    const { result, end } = await work();
    await recorder?.finish(end);
    if (record !== undefined) context.note(`wrote ${record}`);
    return result;
  } catch (error) {
    const kept = await recorder?.abandon();
    if (kept !== undefined) context.note(`what was recorded so far is in ${kept}`);
    throw error;
  }
};
