import type { NeuronsResult, NeuronTold } from '../protocol/index.js';
import { scoreTitle, signed } from './show-components.js';
import { visible } from './printable.js';
import { modelLine } from './show.js';
import { styled } from './styled.js';
import { table } from './table.js';

const words = (list: NeuronTold['promotes']): string => (list ?? []).map((w) => visible(w.text)).join(' ');

const atPosition = (r: NeuronsResult): string => {
  const [valued, worded] = [r.neurons.some((n) => n.value !== undefined), r.neurons.some((n) => n.promotes)];
  const head = ['neuron', 'activation', ...(valued ? ['gives'] : []), ...(worded ? ['promotes', 'suppresses'] : [])];
  const rows = r.neurons.map((n) => [
    ...[n.name, signed(n.activation ?? 0)],
    ...(valued ? [n.value === undefined ? '–' : signed(n.value)] : []),
    ...(worded ? [words(n.promotes), words(n.suppresses)] : []),
  ]);
  return table(head, rows, { right: valued ? [1, 2] : [1] });
};

const heading = (r: NeuronsResult): string => {
  const read = r.target ?? r.tokens ?? [];
  const place = `at position ${r.position ?? 0}, ${styled('bold', visible(read[r.position ?? 0]?.text ?? ''))}`;
  return r.score ? `${place}: ${scoreTitle(r.score)} = ${r.score.value.toFixed(4)}` : place;
};

const over = (n: NeuronTold): string => {
  const { over: o, tokens = [] } = n;
  const head = o
    ? `mean ${o.mean.toFixed(3)}, std ${o.std.toFixed(3)}, from ${o.min.toFixed(3)} to ${o.max.toFixed(3)} over ${o.tokens} tokens`
    : '';
  const said = n.promotes ? [`  promotes ${words(n.promotes)}`, `  suppresses ${words(n.suppresses)}`] : [];
  const lines = tokens.map(
    (t) =>
      `  ${t.activation.toFixed(3).padStart(9)}  ${styled('dim', visible(t.before))}${styled('bold', visible(t.text))}`,
  );
  return [`${styled('bold', n.name)}  ${head}`, ...said, ...lines].join('\n');
};

const layersOf = (r: NeuronsResult): string =>
  table(
    ['layer', 'neurons', 'rms', 'dead', 'constant', 'extreme', 'which'],
    (r.layers ?? []).map((l) => [
      ...[l.layer, String(l.neurons), l.rms.toFixed(3)],
      ...[l.dead, l.constant, l.outliers].map((list) => String(list.length)),
      [...l.dead, ...l.constant, ...l.outliers].slice(0, 8).join(' '),
    ]),
    { right: [1, 2, 3, 4, 5] },
  );

const note = 'promotes and suppresses: by a positive activation; a negative one does the opposite';

/** Neurons at a position, or over many prompts. */
export const showNeurons = (r: NeuronsResult): string => {
  if (r.layers) return [modelLine(r.model), `${r.prompts} prompts`, layersOf(r), ...r.neurons.map(over)].join('\n\n');
  const worded = r.neurons.some((n) => n.promotes);
  return [modelLine(r.model), heading(r), atPosition(r), ...(worded ? [note] : [])].join('\n\n');
};
