import { z } from 'zod';

const text = z.string().max(100_000);

/** What a causal test changes values to. */
export const trialMethods = ['patch', 'zero', 'mean', 'resample', 'noise', 'path', 'attribution'] as const;
export type TrialMethod = (typeof trialMethods)[number];

/** How sites are cut; `usual`: heads where a site has them, else positions. */
export const trialCuts = ['usual', 'position', 'head', 'head and position', 'neuron', 'none'] as const;
export type TrialCut = (typeof trialCuts)[number];

/**
 * What the panels that try things out ask besides the run itself; what is left out is as usual. `corrupt`: the other
 * prompt. `sites`: names with commas between. `subject`: a text whose tokens are noised. `receivers`: where paths end.
 * `pairs`: prompts by the line, as JSON, in place of the one that is looked at. `kept`: the share that a circuit has to keep.
 */
export const trialSettings = z
  .object({
    ...{ subject: text, receivers: text, pairs: text },
    ...{ corrupt: text, answer: text, wrong: text, metric: text },
    ...{ method: z.enum(trialMethods), sites: text, by: z.enum(trialCuts), direction: z.enum(['denoise', 'noise']) },
    ...{ attack: z.enum(['hotflip', 'input-reduction']), toward: text },
    ...{ kept: z.number().gt(0).max(1) },
    /** What the run is compared with by `diff`: the run beside where left out. */
    ...{ other: text, floor: z.number().positive() },
  })
  .partial();
export type TrialSettings = z.infer<typeof trialSettings>;

/** Settings without what is as usual, so that an address is short. */
export const withoutUnset = (settings: TrialSettings): TrialSettings =>
  Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
