import type { Target } from '../../debugger/index.js';
import type { AttachInput, DebugInput } from '../../protocol/index.js';
import { LiveTarget } from '../debugging/live/index.js';
import { HostTarget, type HostTargetOptions } from './host-target.js';

/** What a face asks to have debugged: a model or a recording, in a host's process, or a process that is there. */
export const openAsked = (
  input: Omit<DebugInput, 'x'> | AttachInput,
  options: HostTargetOptions = {},
): Promise<Target> => ('port' in input ? LiveTarget.open(input, options) : HostTarget.open(input, options));
