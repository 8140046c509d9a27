import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Frame, Position } from '../debugger/index.js';
import type { Debuggee } from '../service/index.js';
import type { SourceName } from './sources.js';

/** A frame as a client sees it: where it is in which text. */
export interface ShownFrame {
  readonly id: number;
  readonly name: string;
  readonly source: SourceName;
  readonly line: number;
  readonly hint: 'normal' | 'label' | 'subtle';
  readonly canRestart: boolean;
  readonly frame: Frame;
}

/** The first operation of a module, of those of the layer up to where the run stands. */
const startOf = ({ session }: Debuggee, module: string): number => {
  const ops = session.instance ? session.source.opsOf(session.instance.segment.id) : [];
  let start = session.position.op;
  const inside = (op: number): boolean => {
    const name = ops[op]?.module ?? '';
    return module === '' || name === module || name.startsWith(`${module}.`);
  };
  while (start > 0 && inside(start - 1)) start--;
  return start;
};

/** Where a frame begins, which is where it begins anew. */
export const beginningOf = (debuggee: Debuggee, frame: Frame): Position => {
  const { step, at, op } = debuggee.session.position;
  switch (frame.kind) {
    case 'op':
      return { step, at, op };
    case 'module':
      return { step, at, op: startOf(debuggee, frame.module) };
    case 'layer':
      return { step, at, op: 0 };
    case 'step':
      return { step, at: 0, op: 0 };
    case 'generation':
      return { step: 0, at: 0, op: 0 };
  }
};

const visible = (text: string): string => JSON.stringify(text).slice(1, -1);

const nameOf = ({ session, tokens }: Debuggee, frame: Frame): string => {
  switch (frame.kind) {
    case 'op':
      return (session.source.lines[frame.op.line - 1]?.text ?? '').trim().split(/\s{2,}/)[0] ?? '';
    case 'module':
      return frame.module;
    case 'layer':
      return frame.instance.name;
    case 'step':
      return `${frame.step === 0 ? 'prefill' : `step ${frame.step}`}, ${tokens.length} tokens, the last '${visible(tokens.at(-1)?.text ?? '')}'`;
    case 'generation':
      return 'generation';
  }
};

const lineOf = (debuggee: Debuggee, frame: Frame): number => {
  const { session } = debuggee;
  const { op } = beginningOf(debuggee, frame);
  return (session.instance && session.source.opsOf(session.instance.segment.id)[op]?.line) ?? 1;
};

/** The stack, innermost first. Outside the model's parts a frame is in the transcript, at the newest token. */
export const shownFrames = (debuggee: Debuggee): readonly ShownFrame[] =>
  debuggee.session.frames.map((frame, i) => {
    const outside = frame.kind === 'step' || frame.kind === 'generation';
    return {
      ...{ id: i + 1, name: nameOf(debuggee, frame), frame, canRestart: frame.kind !== 'op' },
      source: outside ? 'transcript' : 'listing',
      line: outside ? Math.max(1, debuggee.tokens.length) : lineOf(debuggee, frame),
      hint: outside ? 'subtle' : 'normal',
    };
  });

/** One generation is one thread. */
export const threadOf = (debuggee: Debuggee | undefined): DebugProtocol.Thread => {
  if (!debuggee) return { id: 1, name: 'generation' };
  const { session, tokens } = debuggee;
  const { step } = session.position;
  const where = step === 0 ? 'prefill' : `step ${step}`;
  return { id: 1, name: `generation, ${where}, '${visible(tokens.at(-1)?.text ?? '')}'` };
};
