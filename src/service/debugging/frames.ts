import type { Frame, Position } from '../../debugger/index.js';
import type { TargetFrame } from '../../protocol/index.js';
import type { Debuggee } from './debuggee.js';

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

const beginningOf = (debuggee: Debuggee, frame: Frame): Position => {
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

/** The left side and the operation of a listing's line, without shapes. */
export const lineText = (text: string): string => text.trim().split(/\s{2,}/)[0] ?? '';

/** A token as it is written in a line. */
const visible = (text: string): string => JSON.stringify(text).slice(1, -1);

/** A step in words: what it was given last. */
export const stepName = (step: number, tokens: readonly { readonly text: string }[]): string =>
  `${step === 0 ? 'prefill' : `step ${step}`}, ${tokens.length} tokens, the last '${visible(tokens.at(-1)?.text ?? '')}'`;

const nameOf = ({ session, tokens }: Debuggee, frame: Frame): string => {
  switch (frame.kind) {
    case 'op':
      return lineText(session.source.lines[frame.op.line - 1]?.text ?? '');
    case 'module':
      return frame.module;
    case 'layer':
      return frame.instance.name;
    case 'step':
      return stepName(frame.step, tokens);
    case 'generation':
      return 'generation';
  }
};

/** What the run is inside of, innermost first. Steps are in the transcript, at the newest token. */
export const framesOf = (debuggee: Debuggee): TargetFrame[] => {
  const { session, tokens } = debuggee;
  const ops = session.instance ? session.source.opsOf(session.instance.segment.id) : [];
  return session.frames.map((frame) => {
    const begins = beginningOf(debuggee, frame);
    const outside = frame.kind === 'step' || frame.kind === 'generation';
    const line = outside ? Math.max(1, tokens.length) : (ops[begins.op]?.line ?? 1);
    return { kind: frame.kind, name: nameOf(debuggee, frame), line, begins };
  });
};
