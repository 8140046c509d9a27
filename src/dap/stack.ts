import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Target } from '../debugger/index.js';
import type { TargetAbilities, TargetFrame } from '../protocol/index.js';
import { addressAt } from './instructions.js';
import type { SourceName } from './sources.js';

/** A frame as a client sees it: where it is in which text. */
export interface ShownFrame {
  readonly id: number;
  readonly source: SourceName;
  readonly hint: 'normal' | 'label' | 'subtle';
  readonly canRestart: boolean;
  readonly address: string | undefined;
  readonly frame: TargetFrame;
}

/** Going back restarts anything; a process runs a module that it is inside of again. */
const canRestart = ({ back, again }: TargetAbilities, { kind }: TargetFrame): boolean =>
  back ? kind !== 'op' : again === true && (kind === 'module' || kind === 'layer');

/** The stack, innermost first. Outside the model's parts a frame is in the transcript, at the newest token. */
export const shownFrames = ({ state, about }: Target): readonly ShownFrame[] =>
  state.frames.map((frame, i) => {
    const outside = frame.kind === 'step' || frame.kind === 'generation';
    return {
      ...{ id: i + 1, frame, canRestart: canRestart(about.can, frame) },
      source: outside ? 'transcript' : 'listing',
      hint: outside ? 'subtle' : 'normal',
      address: outside ? undefined : addressAt(frame.line),
    };
  });

const visible = (text: string): string => JSON.stringify(text).slice(1, -1);

/** One generation is one thread. */
export const threadOf = (target: Target | undefined): DebugProtocol.Thread => {
  if (!target) return { id: 1, name: 'generation' };
  const { position, tokens } = target.state;
  const where = position.step === 0 ? 'prefill' : `step ${position.step}`;
  return { id: 1, name: `generation, ${where}, '${visible(tokens.at(-1)?.text ?? '')}'` };
};
