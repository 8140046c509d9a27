import type { Flags } from './action.js';
import { optionOf } from './values.js';

/** Which methods read a setting; settings that all of them read are left out. */
type Readers = Readonly<Record<string, readonly string[]>>;

/** Of `attribute`: the names are those of its options as flags. */
const attribution: Readers = {
  reduce: ['gradient', 'smoothgrad'],
  rule: ['integrated-gradients'],
  steps: ['integrated-gradients'],
  baseline: ['integrated-gradients'],
  samples: ['smoothgrad', 'shapley', 'lime'],
  stdev: ['smoothgrad'],
  noise: ['smoothgrad'],
  average: ['smoothgrad'],
  timesInput: ['smoothgrad'],
  lrp: ['lrp'],
  epsilon: ['lrp'],
  gamma: ['lrp'],
  ridge: ['lime'],
  kernelWidth: ['lime'],
};

/** Of `patch`; `--receivers` and `--through` are refused elsewhere. */
const patching: Readers = {
  direction: ['patch', 'path', 'attribution'],
  subject: ['noise'],
  sigma: ['noise'],
  samples: ['noise', 'resample'],
  checked: ['attribution'],
};

const unread =
  (readers: Readers, usual: string) =>
  (flags: Flags): readonly string[] => {
    const { method: given } = flags;
    const method = typeof given === 'string' ? given : usual;
    return Object.entries(readers)
      .filter(([flag, methods]) => flags[flag] !== undefined && !methods.includes(method))
      .map(([flag, methods]) => `${optionOf(flag)} is about ${methods.join(', ')}; ${method} does not read it`);
  };

/** What was set for `attribute` that its method does not read, a sentence each. */
export const unreadByAttribution = unread(attribution, 'integrated-gradients');

/** The same for `patch`. */
export const unreadByPatching = unread(patching, 'patch');
