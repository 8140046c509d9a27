import { makeRows, type KeptRun, type Prompt, type Variant } from '../../engine/index.js';
import type { Program } from '../../graph/index.js';
import { float32, toFloat32, type Tensor } from '../../tensor/index.js';
import { patchAt } from '../debugging/live/live-edits.js';
import type { LiveRunner } from './live-runner.js';

interface LiveKeptRequest {
  readonly program: Program;
  readonly variant: Variant;
  readonly prompt: Prompt;
  readonly logits: 'all' | 'last' | 'none';
  /** Whether the stream between layers is wanted. */
  readonly streams: boolean;
}

/** Where the stream after each part of the model is, by the part's name. */
const streamSites = ({ order }: Variant): ReadonlyMap<string, string> => {
  const sites = new Map<string, string>();
  let stack: string | undefined = 'none';
  for (const { name, segment } of order) {
    if (segment.kind !== 'block') continue;
    const embed = order.find((i) => i.segment.kind === 'embed' && i.segment.stack === segment.stack);
    if (stack !== segment.stack && embed) sites.set(embed.name, `${name}.resid_pre`);
    ({ stack } = segment);
    sites.set(name, `${name}.resid_post`);
  }
  return sites;
};

/** A pass over one prompt in a process, with the stream between its layers, as our engine gives it. */
export const liveKept = async (
  runs: LiveRunner,
  { program, variant, prompt, logits, streams }: LiveKeptRequest,
): Promise<KeptRun> => {
  const sites = streamSites(variant);
  const last = prompt.ids.length - 1;
  const all = prompt.ids.map((_, i) => i);
  const positions = logits === 'all' || program.facts.output === 'masks' ? all : [last];
  const passed = await runs.pass({
    prompts: [prompt],
    ...(streams ? { capture: [...sites.values()] } : {}),
    ...(logits === 'none' ? {} : { positions }),
  });
  const end = [...sites.values()].at(-1) ?? '';
  /** As if the model ended there: the last layer gives these rows, and what comes behind it is the model's own. */
  const score = async (rows: Tensor, at: readonly number[]): Promise<Tensor<'float32'>> => {
    const numbers = toFloat32(rows).slice();
    const change = patchAt(runs.changeable(end), { where: { position: [...at] } }, { act: 'data', numbers });
    const { logits: said } = await runs.pass({ prompts: [prompt], changes: [change], positions: at });
    return said ?? float32([1, 0, 0], new Float32Array());
  };
  return {
    ...{ variant, instances: variant.order, logits: passed.logits, reused: 0, score },
    rows: makeRows({ ids: [prompt.ids], past: 0, step: 0 }),
    stream: (name) => passed.sites.get(sites.get(name) ?? ''),
  };
};
