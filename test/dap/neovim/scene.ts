import { json, llama } from '../../cli/command.js';
import type { RunResult } from '../../../src/protocol/index.js';

/** What a person does in the scenario, in neovim and in our own client alike. */
export const scene = {
  launch: { model: llama, prompt: 't5 t42 t9 t31', maxNewTokens: 4 },
  line: 'attn.pattern = ',
  condition: 'layer == 1 && step == 1',
  tensor: 'blocks.1.attn.pattern',
  watch: 'norm(blocks.1.attn.z)',
  changed: 'blocks.1.attn_out',
  value: '3',
  log: 'layer {layer}',
  hover: 'attn.pattern',
  spoil: ['scale blocks.1.attn.q by 1e30', 'scale blocks.1.attn.k by 1e30'],
} as const;

/** The change as the command line writes it. */
export const edit = `set ${scene.changed} = ${scene.value} at step 1`;

/** The text that the command line generates. */
export const generated = async (...edits: readonly string[]): Promise<string> => {
  const { model, prompt, maxNewTokens } = scene.launch;
  const { generated: made } = await json<RunResult>(
    ...['run', model, '--prompt', prompt, '--max-new-tokens', String(maxNewTokens), '--quiet'],
    ...edits.flatMap((text) => ['--edit', text]),
  );
  return made.ids.map((id) => `t${id}`).join('');
};
