import type { InputRule } from '../../graph/index.js';
import type { ConfigReader } from './config-reader.js';
import { windowedLayers } from '../layouts/llama-layout.js';

/** Which layers see a window of keys only, and the mask's rule where any does. */
export interface Windows {
  readonly windowed: readonly boolean[];
  readonly rules: Readonly<Record<string, InputRule>>;
}

/** Qwen's fields: `use_sliding_window`, `sliding_window`, and from which layer on, `max_window_layers`. */
export const qwenWindows = (c: ConfigReader, layers: number): Windows => {
  const used = c.boolean('use_sliding_window', false);
  const length = c.integer('sliding_window', 4096);
  const from = c.integer('max_window_layers', 28, 0);
  const windowed = windowedLayers(c, layers, (layer) => layer >= from).map((windowed) => windowed && used);
  return { windowed, rules: windowed.includes(true) ? { 'mask.window': { rule: 'causal', window: length } } : {} };
};
