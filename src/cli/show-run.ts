import type { MaskView, RunResult, ScoredToken, StepView, TokenView } from '../protocol/index.js';
import { printable, visible } from './printable.js';
import { looksSpecial, sentenceAround } from './sentence.js';
import { modelLine } from './show.js';
import { styled } from './styled.js';
import { table } from './table.js';

const percent = (p: number): string => `${(100 * p).toFixed(2)} %`;

const bar = (p: number): string => styled('cyan', '█'.repeat(Math.round(24 * p)) || '▏');

const scoreTable = (what: string, scores: readonly ScoredToken[]): string =>
  table(
    ['', what, 'id', 'logit', 'probability', ''],
    scores.map((t, i) => [
      String(i + 1),
      visible(t.text),
      String(t.id),
      t.logit === null ? '–' : t.logit.toFixed(3),
      percent(t.probability),
      bar(t.probability),
    ]),
    { right: [0, 2, 3, 4] },
  );

const stageText = ({ step, text, stages }: StepView): string =>
  [`step ${step}: ${styled('bold', visible(text))}`]
    .concat(
      stages.map(({ name, setting, left, top }) => {
        const likeliest = top.slice(0, 5).map((t) => `${visible(t.text)} ${percent(t.probability)}`);
        return `  ${`${name}${setting === null ? '' : ` ${setting}`}`.padEnd(24)} ${String(left).padStart(7)} left   ${likeliest.join('   ')}`;
      }),
    )
    .join('\n');

const endings: Readonly<Record<RunResult['stop'], string>> = {
  none: '',
  eos: 'ended: the end token',
  length: 'ended: as many tokens as asked for',
  context: 'ended: no positions are left',
  cancelled: 'stopped',
};

/** A token of the prompt; a special one is shown as what it is. */
const tokenText = ({ text }: TokenView): string =>
  looksSpecial(text) ? styled('dim', printable(text)) : visible(text);

const tokensText = (tokens: readonly TokenView[]): string =>
  `${tokens.length} tokens: ${tokens.map(tokenText).join(styled('dim', '|'))}`;

const tokenLines = ({ tokens, target }: RunResult): readonly string[] =>
  target ? [`source, ${tokensText(tokens)}`, `target, ${tokensText(target)}`] : [tokensText(tokens)];

const maskText =
  ({ tokens }: RunResult) =>
  ({ position, next }: MaskView): string =>
    [`mask at position ${position}`, `  ${sentenceAround(tokens, position)}`, '', scoreTable('token', next)].join('\n');

/** What the model scores: what comes next, words at masks, or labels. */
const scores = (r: RunResult): readonly string[] => [
  ...(r.next.length > 0 ? [`next\n${scoreTable('token', r.next)}`] : []),
  ...(r.masks ?? []).map(maskText(r)),
  ...(r.masks?.length === 0 ? ['no masks'] : []),
  ...(r.labels ? [`labels\n${scoreTable('label', r.labels)}`] : []),
];

const runText = (r: RunResult): string => {
  const { load, prefill, decode } = r.seconds;
  const made = r.generated.ids.length;
  const speed = made > 1 && decode > 0 ? `, ${((made - 1) / decode).toFixed(1)} tokens/s` : '';
  const time = `load ${load.toFixed(2)} s, prefill ${prefill.toFixed(2)} s${speed}`;
  const parts = [
    modelLine(r.model),
    ...tokenLines(r),
    ...scores(r),
    ...(r.steps ?? []).map(stageText),
    styled('dim', [time, endings[r.stop]].filter((x) => x !== '').join('; ')),
  ];
  return parts.join('\n\n');
};

export const showRun = (output: RunResult | readonly RunResult[]): string =>
  (Array.isArray(output) ? (output as readonly RunResult[]) : [output as RunResult]).map(runText).join('\n\n\n');
