import type { KnockoutResult } from '../../../protocol/index.js';

/** A part of a layer that can be switched off, with what comes out without it. */
export type LayerPart = KnockoutResult['parts'][number] & {
  /** Of a head: `3.2`. */
  readonly name: string;
};

/** Does this edit switch off a part of the layer? Such edits are left out when its parts are tried one by one. */
export const partsOfLayer = (layer: string, text: string): boolean => {
  const [, stack = '', number = ''] = /^(\w+\.)?(\d+)$/.exec(layer) ?? [];
  const heads = new RegExp(`^drop head ${stack.replace('.', '\\.')}(?:cross\\.)?${number}\\.\\d+$`);
  const whole = new RegExp(`^set ${stack.replace('.', '\\.')}blocks\\.${number}\\.(?:attn|cross_attn|mlp)_out = zero$`);
  return heads.test(text) || whole.test(text);
};
