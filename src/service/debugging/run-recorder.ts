import type { DebugSession } from '../../debugger/index.js';
import { makeExperiment } from '../../language/index.js';
import type { DebugInput, RecordedStage } from '../../protocol/index.js';
import { partOf, sitesFor, type SiteValue, type Wanted } from '../chosen-sites.js';
import { textOf } from '../prompts.js';
import { startRecorder, type Recorder } from '../recording/recorder.js';
import { stepFacts } from '../recording/step-facts.js';
import { scoredTokens } from '../scored.js';
import type { Debuggee } from './debuggee.js';
import type { Stage } from './edit-history.js';

/** What is recorded of a debugged run. */
type Request = Pick<DebugInput, 'record' | 'recordSites' | 'redact'>;

const likeliest = 10;

const recordedStage = ({ place, edits }: Stage): RecordedStage => ({ ...place, experiment: makeExperiment(edits) });

/** Is the run at the end of its step? */
const hasEnded = (session: DebugSession): boolean => session.instance === undefined;

/**
 * Records a debugged run: whenever the run stands, the steps that were completed since. A step that is run again after
 * a change takes the place of what was recorded of it.
 */
export class RunRecorder {
  #recorded = 0;

  private constructor(
    readonly debuggee: () => Debuggee,
    readonly recorder: Recorder,
    readonly wanted: readonly Wanted[],
  ) {}

  /** @throws UsageError OUT_UNWRITABLE, SITE_UNKNOWN */
  static async start(debuggee: () => Debuggee, input: DebugInput, asked: Request): Promise<RunRecorder | undefined> {
    const { model, edits, request, session } = debuggee();
    const { record, recordSites, redact } = asked;
    const wanted = recordSites === undefined ? [] : sitesFor(model, session.variant, recordSites);
    const recorder = await startRecorder(
      { ...input, record, redact },
      { model, edits, prompt: request.prompt },
      'debug',
    );
    return recorder && new RunRecorder(debuggee, recorder, wanted);
  }

  /** What was run before this step stays as it is recorded; it and what follows are recorded anew. */
  forgetFrom(step: number): void {
    this.#recorded = Math.min(this.#recorded, step);
  }

  /** Records the steps that are complete and were not recorded. The run stands afterwards where it stood. */
  async catchUp(): Promise<void> {
    const { session } = this.debuggee();
    const here = session.position;
    const complete = here.step + (hasEnded(session) ? 1 : 0);
    if (complete <= this.#recorded) return;
    for (; this.#recorded < complete; this.#recorded++) await this.#step(this.#recorded);
    await session.goTo(here);
    await this.recorder.flush();
  }

  async finish(): Promise<void> {
    await this.catchUp();
    const { tokens, request, edits, stages } = this.debuggee();
    const generated = tokens
      .slice(request.prompt.ids.length)
      .map((t) => t.text)
      .join('');
    const made = stages.length > 1 ? { stages: stages.map(recordedStage) } : {};
    await this.recorder.finish({ generated, experiment: makeExperiment(edits), ...made }, this.#recorded);
  }

  async #step(step: number): Promise<void> {
    const debuggee = this.debuggee();
    const { session, model } = debuggee;
    await session.goTo({ step, at: 0, op: 0 });
    await session.goTo({ step, at: session.instances.length, op: 0 });
    const { logits, chosen } = session;
    await this.recorder.values(step, await this.#values(debuggee, step));
    if (!logits) return;
    const token = typeof chosen === 'number' ? { id: chosen, text: textOf(model, chosen) } : undefined;
    const top = scoredTokens(logits, likeliest, (id) => textOf(model, id));
    await this.recorder.step({ step, ...(token ? { token } : {}), ...stepFacts(logits, token?.id), top });
  }

  async #values({ session, request }: Debuggee, step: number): Promise<SiteValue[]> {
    const { prompt, maxNewTokens } = request;
    const reached = { prompt, length: prompt.ids.length + step, most: prompt.ids.length + maxNewTokens };
    const values: SiteValue[] = [];
    for (const wanted of this.wanted) {
      const value = await session.read(wanted.place.name);
      if (value) values.push(partOf(value.tensor, wanted, reached));
    }
    return values;
  }
}

/** Saves the run so far. @throws UsageError OUT_UNWRITABLE, SITE_UNKNOWN */
export const recordRun = async (debuggee: Debuggee, input: DebugInput, asked: Request): Promise<void> => {
  const recorder = await RunRecorder.start(() => debuggee, input, asked);
  await recorder?.finish();
};
