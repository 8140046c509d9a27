import type { TargetFrame, ViewAnswerOf } from '../../protocol/index.js';
import type { Debuggee } from './debuggee.js';

type Places = ViewAnswerOf<'places'>['places'];

/** Places that a line of the listing stands for in the present step: each layer of a loop. */
const listingPlaces = ({ session }: Debuggee, line: number): Places =>
  session.instances.flatMap((instance, at) => {
    const op = session.source.opsOf(instance.segment.id).findIndex((o) => o.line === line);
    return op < 0 ? [] : [{ label: instance.name, position: { step: session.position.step, at, op } }];
  });

/** The step that is fed a token of the transcript. */
const transcriptPlaces = ({ request, tokens }: Debuggee, line: number): Places => {
  const step = Math.max(0, line - request.prompt.ids.length);
  if (line < 1 || step > request.maxNewTokens) return [];
  const label = step === 0 ? 'prefill' : `step ${step} ${JSON.stringify(tokens[line - 1]?.text ?? '')}`;
  return [{ label, position: { step, at: 0, op: 0 } }];
};

/** Where a run could go that a line stands for. */
export const placesOf = (debuggee: Debuggee, source: 'listing' | 'transcript', line: number): Places =>
  source === 'listing' ? listingPlaces(debuggee, line) : transcriptPlaces(debuggee, line);

/** Where a step could go in: the modules of the layer that are ahead; of a step, its layers. */
export const placesAhead = ({ session }: Debuggee, frame: TargetFrame['kind']): Places => {
  const { instance, instances, position } = session;
  const { step, at } = position;
  if (frame === 'step' || frame === 'generation')
    return instances.slice(at + 1).map(({ name }, i) => ({ label: name, position: { step, at: at + 1 + i, op: 0 } }));
  const ops = instance ? session.source.opsOf(instance.segment.id) : [];
  const here = ops[position.op]?.module ?? '';
  return ops.flatMap(({ module }, op) => {
    const begins = module !== '' && module !== (ops[op - 1]?.module ?? '');
    return op > position.op && begins && module !== here ? [{ label: module, position: { step, at, op } }] : [];
  });
};
