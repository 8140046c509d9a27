import path from 'node:path';
import type { Target } from '../../src/debugger/index.js';
import { debugInput, type DebugInput } from '../../src/protocol/index.js';
import { HostTarget } from '../../src/service/host/index.js';
import { openTarget } from '../../src/service/index.js';
import { scratch } from '../cli/broken.js';
import { cutaway, llama } from '../cli/command.js';
import { LimitedTarget } from './limited-target.js';

export type Input = Omit<DebugInput, 'x'>;

/** The run that all targets are of. */
export const ids: readonly number[] = [5, 42, 9, 31];
export const made = 3;
export const asked = (more: object = {}): Input =>
  debugInput.parse({ model: llama, ids: [...ids], maxNewTokens: made, ignoreEos: true, ...more });

/** Its recording, with all values of all steps. */
export const recordingOf = async (name = 'run.cutrec'): Promise<string> => {
  const file = path.join(scratch, name);
  const run = ['run', llama, '--ids', ids.join(','), '--max-new-tokens', String(made + 1), '--ignore-eos', '--quiet'];
  const { status, stderr } = await cutaway(...run, '--record', file, '--record-sites', '**');
  if (status !== 0) throw new Error(stderr);
  return file;
};

/** Each kind of target, opened on the same run. `input` is not for recordings, which have theirs. */
export const targets: Readonly<Record<string, (input: Input) => Promise<Target>>> = {
  engine: (input) => openTarget(input),
  host: (input) => HostTarget.open(input),
  recording: async () => openTarget(debugInput.parse({ model: await recordingOf() })),
  'like a process': async (input) => new LimitedTarget(await openTarget(input)),
};
