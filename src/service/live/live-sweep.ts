import { shapeIn } from '../../analyses/sweep/index.js';
import {
  placedSites,
  type Change,
  type Elsewhere,
  type OtherRun,
  type PlacedSite,
  type Prompt,
  type Swept,
  type SweepRequest,
  type SweepVariant,
  type SweptRun,
  type Variant,
} from '../../engine/index.js';
import type { Program } from '../../graph/index.js';
import { range, take, type FloatTensor, type Tensor } from '../../tensor/index.js';
import { patchAt, type AgentPatch } from '../debugging/live/live-edits.js';
import type { LivePassed, LiveRunner } from './live-runner.js';

/** Tokens that go through the model in one pass, and scores that it makes of them, at the most. */
const most = { tokens: 2048, scores: 2 ** 25 };

/** How many sequences of a prompt's length run together: all rows are scored in the process. */
export const runTogether = ({ facts }: Program, { ids, source }: Prompt): number => {
  const length = Math.max(1, ids.length + (source?.ids.length ?? 0));
  return Math.max(1, Math.min(64, Math.floor(most.tokens / length), Math.floor(most.scores / (length * facts.vocab))));
};

type SweepPrompt = SweepRequest['prompt'];

/** What a sweep in a process runs on. */
export interface LiveSwept {
  readonly runs: LiveRunner;
  readonly program: Program;
  readonly variant: Variant;
  /** Called before each pass; throws to stop. */
  readonly onSegment?: ((name: string) => void | Promise<void>) | undefined;
}

const counted = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** One sequence's part of what a pass gave. */
const runOf = (passed: LivePassed, row: number, positions: readonly number[]): SweptRun => {
  const own = <T extends Tensor>(tensor: T): T => (tensor.shape[0] === 1 ? tensor : range(tensor, 0, [row, row + 1]));
  const { logits } = passed;
  return {
    logits: (position) => {
      const at = positions.indexOf(position);
      if (!logits || at < 0) return undefined;
      return logits.shape.length === 2 ? own(logits).data : range(own(logits), 1, [at, at + 1]).data;
    },
    site: (name) => own(passed.sites.get(name) as FloatTensor),
  };
};

/** The numbers that a change puts in, in the order of the part that it reaches. */
const numbersOf = (tensor: FloatTensor, indices: readonly (readonly number[])[]): Float32Array => {
  const part = indices.reduce((t, list, a) => take(t, a, t.shape[a] === 1 ? list.map(() => 0) : list), tensor);
  return Float32Array.from(part.data);
};

/** Runs of one prompt in a process, each sequence of a batch with its own change. The whole model runs for each. */
class LiveSweep implements Swept {
  readonly #places: ReadonlyMap<string, PlacedSite>;

  constructor(
    readonly model: LiveSwept,
    readonly request: SweepRequest,
    readonly baseRun: SweptRun,
  ) {
    this.#places = new Map(placedSites(model.variant.order).map((p) => [p.name, p]));
  }

  async other(prompt: SweepPrompt, { scores: { positions } = this.request }: OtherRun = {}): Promise<SweptRun> {
    const capture = [...new Set([...this.request.changes, ...(this.request.observe ?? [])])];
    await this.model.onSegment?.('');
    const passed = await this.model.runs.pass({ prompts: [promptOf(prompt)], capture, positions });
    return runOf(passed, 0, positions);
  }

  async run(
    variants: readonly SweepVariant[],
    onResult: (variant: number, run: SweptRun) => void | Promise<void>,
  ): Promise<void> {
    const { positions, observe } = this.request;
    const prompt = promptOf(this.request.prompt);
    const together = runTogether(this.model.program, prompt);
    for (let from = 0; from < variants.length; from += together) {
      const some = variants.slice(from, from + together);
      await this.model.onSegment?.('');
      const passed = await this.model.runs.pass({
        ...{ prompts: some.map(() => prompt), capture: [...(observe ?? [])], positions },
        changes: some.flatMap(({ changes }, row) => changes.map((change) => this.#patch(change, row))),
      });
      for (const row of some.keys()) await onResult(from + row, runOf(passed, row, positions));
    }
  }

  #patch({ site, indices, to }: Change, row: number): AgentPatch {
    const live = this.model.runs.changeable(site);
    const place = this.#places.get(site);
    const chosen = indices.map((list) => list && [...list].sort((x, y) => x - y));
    const where = Object.fromEntries(live.axes.flatMap((axis, a) => (chosen[a] ? [[axis, chosen[a]]] : [])));
    const patch = (change: Pick<AgentPatch, 'act' | 'value' | 'numbers'>): AgentPatch => ({
      ...patchAt(live, Object.keys(where).length > 0 ? { where } : {}, change),
      row,
    });
    switch (to.kind) {
      case 'number':
        return patch({ act: 'set', value: to.value });
      case 'scale':
        return patch({ act: 'scale', value: to.by });
      default: {
        const shape = place ? shapeIn(place, this.request.prompt) : [];
        const all = live.axes.map((_, a) => chosen[a] ?? counted(shape[a] ?? 1));
        return patch({ act: to.kind === 'value' ? 'data' : 'plus', numbers: numbersOf(to.tensor, all) });
      }
    }
  }
}

const promptOf = ({ ids, source }: SweepPrompt): Prompt => ({
  ...{ ids, tokens: [] },
  ...(source ? { source: { ids: source.ids, tokens: [] } } : {}),
});

/** A live process as what runs sweeps and takes gradients. */
export const liveElsewhere = (model: LiveSwept): Elsewhere => ({
  sweep: async (request) => {
    for (const site of request.changes) model.runs.changeable(site);
    const { positions } = request;
    await model.onSegment?.('');
    const capture = [...(request.observe ?? [])];
    const passed = await model.runs.pass({ prompts: [promptOf(request.prompt)], capture, positions });
    return new LiveSweep(model, request, runOf(passed, 0, positions));
  },
  gradients: async ({ expression, prompt, sites }) => {
    await model.onSegment?.('');
    const passed = await model.runs.pass({ prompts: [prompt], of: [expression], capture: sites, gradients: sites });
    return { sites: passed.gradients, values: passed.sites };
  },
});
