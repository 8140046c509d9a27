import type { DebugProtocol } from '@vscode/debugprotocol';
import type { TargetAbout } from '../protocol/index.js';

/**
 * Operations as a debugger's instructions: the listing's lines at which a run can stand, each at an address. An
 * operation's address is its line in hexadecimal, so it is the same in every session of a model.
 */
export const addressAt = (line: number): string => `0x${line.toString(16).padStart(6, '0')}`;

/** The line of an address; undefined where it is none. */
export const lineAt = (address: string, offset = 0): number | undefined => {
  if (!/^0x[0-9a-f]{1,12}$/i.test(address)) return undefined;
  return Number.parseInt(address, 16) + offset;
};

const unreadable = (line: number): DebugProtocol.DisassembledInstruction => ({
  address: line < 0 ? '0x000000' : addressAt(line),
  instruction: '',
  presentationHint: 'invalid',
});

/** What is asked for: `from`: a line of the listing. */
interface Disassembly {
  readonly from: number;
  readonly instructionOffset?: number;
  readonly instructionCount: number;
}

/** Exactly so many operations, from the one at an address on; `instructionOffset` counts operations, back too. */
export const disassembled = (
  { listing }: TargetAbout,
  { from, instructionOffset = 0, instructionCount }: Disassembly,
  placed: (line: number) => Partial<DebugProtocol.DisassembledInstruction>,
): DebugProtocol.DisassembledInstruction[] => {
  const lines = listing.flatMap(({ stops }, i) => (stops ? [i + 1] : []));
  const at = lines.findIndex((line) => line >= from);
  const first = (at < 0 ? lines.length : at) + instructionOffset;
  return Array.from({ length: instructionCount }, (_, i) => {
    const line = lines[first + i];
    if (line === undefined) return unreadable(first + i < 0 ? -1 : listing.length + 1 + first + i - lines.length);
    const instruction = (listing[line - 1]?.text ?? '').trim().replaceAll(/\s{2,}/g, '  ');
    return { address: addressAt(line), instruction, ...placed(line) };
  });
};
