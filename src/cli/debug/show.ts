import type { Target } from '../../debugger/index.js';
import type { Evaluated, Item, ScoredToken, TargetState, TargetStop, ViewAnswerOf } from '../../protocol/index.js';
import { printable, visible } from '../printable.js';
import { styled } from '../styled.js';
import { table } from '../table.js';

/** A value as an expression gives it: of a tensor its axes and first numbers. */
export const shownValue = ({ value, axes, shape, first }: Evaluated): string => {
  if (!axes || !shape || !first) return value;
  const total = shape.reduce((n, extent) => n * extent, 1);
  const named = axes.map((axis, i) => `${axis} ${shape[i] ?? ''}`).join(', ');
  return `[${named}]  ${first.join('  ')}${total > first.length ? `  … ${total} in all` : ''}`;
};

/** Things that can be looked at, a line each. */
export const shownItems = (items: readonly Item[]): string =>
  table(
    ['', '', ''],
    items.map(({ name, value, type = '' }) => [printable(name), printable(value), styled('dim', type)]),
  )
    .split('\n')
    .slice(1)
    .join('\n') || 'nothing';

/** Rows of a tensor's last axis, of which there are `width`. */
export const rawValues = (data: Float32Array, width: number): string => {
  const rows = Math.ceil(data.length / width);
  const number = (x: number): string =>
    Number.isFinite(x) && x !== 0 && (Math.abs(x) >= 1e5 || Math.abs(x) < 1e-3) ? x.toExponential(4) : x.toFixed(5);
  return Array.from({ length: rows }, (_, r) => {
    const row = data.slice(r * width, (r + 1) * width);
    const cells = Array.from(row.slice(0, 8), (x) => number(x).padStart(12)).join('');
    return `${String(r * width).padStart(8)}:${cells}${width > 8 ? '  …' : ''}`;
  }).join('\n');
};

/** The lines of the listing around the one that comes next, which has an arrow. `marked`: lines with breakpoints. */
export const shownLines = (
  { about, state }: Target,
  { around, at, marked = [] }: { readonly around: number; readonly at?: number; readonly marked?: readonly number[] },
): string => {
  const middle = at ?? state.line ?? 1;
  const from = Math.max(1, middle - around);
  return about.listing
    .slice(from - 1, middle + around)
    .map(({ text }, i) => {
      const line = from + i;
      const isHere = line === state.line;
      const mark = `${marked.includes(line) ? styled('red', '●') : ' '}${isHere ? styled('green', '→') : ' '}`;
      return `${mark} ${styled('dim', String(line).padStart(4))}  ${isHere ? styled('bold', text) : text}`;
    })
    .join('\n');
};

const frameText = ({ about, state }: Target, { kind, name, line }: TargetState['frames'][number]): string => {
  if (kind === 'op' && state.backward) return `${name}  ${styled('dim', `line ${line}`)}`;
  if (kind === 'op') return `${(about.listing[line - 1]?.text ?? '').trim()}  ${styled('dim', `line ${line}`)}`;
  if (kind !== 'step' || about.kind === 'process' || state.backward) return name;
  const { step } = state.position;
  const last = visible(state.tokens.at(-1)?.text ?? '');
  return `${step === 0 ? 'prefill' : `step ${step}`} of ${state.tokens.length} tokens, the last ${last}`;
};

/** Where the run is, innermost first, as a debugger's stack; the chosen frame has an arrow. */
export const shownFrames = (target: Target, chosen: number): string =>
  target.state.frames
    .map((frame, i) => `#${i}${i === chosen && i > 0 ? styled('green', '→') : ' '} ${frameText(target, frame)}`)
    .join('\n');

const reasons: Readonly<Record<TargetStop['reason'], string>> = {
  entry: '',
  step: '',
  goto: '',
  pause: 'paused',
  breakpoint: 'breakpoint',
  data: 'watch',
  exception: 'exception',
  end: 'the generation has ended',
  beginning: 'this is the beginning',
};

const watched = (value: TargetStop['before']): string =>
  typeof value === 'number' && !Number.isInteger(value) ? value.toPrecision(7) : String(value);

const shownReason = ({ reason, point, label = '', before, after, filter, description = '' }: TargetStop): string => {
  if (reason === 'breakpoint') return `breakpoint ${point ?? ''}`;
  if (reason === 'exception') return `${filter ?? ''}: ${printable(description)}`;
  if (reason !== 'data') return description === '' ? reasons[reason] : printable(description);
  return `breakpoint ${point ?? ''}, ${printable(label)}: ${watched(before)} → ${watched(after)}`;
};

/** Where a way back stands: of which part, and the gradient that has come. */
const shownWayBack = ({ site, norm }: NonNullable<TargetState['backward']>, place: string): string => {
  const long = norm === '' ? '' : `  ${styled('dim', `norm ${norm}`)}`;
  return `${styled('bold', `backward of ${place}`)}  grad(${site})${long}`;
};

/** Where a command left the run: a line or two. */
export const shownStop = (target: Target, stop: TargetStop): string => {
  const { state } = target;
  const { step } = state.position;
  const why = shownReason(stop);
  const told = why === '' ? [] : [styled('yellow', why)];
  if (state.place === undefined && target.about.kind === 'process')
    return why === '' ? 'the process runs' : styled('yellow', why);
  if (state.place === undefined) {
    const text = state.tokens.map((t) => t.text).join('');
    return [...told, `end of step ${step}: ${printable(text)}`].join('\n');
  }
  const place = `${state.place}${step === 0 ? '' : `, step ${step}`}`;
  if (state.backward) told.push(shownWayBack(state.backward, state.place));
  else told.push(styled('bold', place));
  return [...told, shownLines(target, { around: 0 })].join('\n');
};

const percent = (p: number): string => `${(100 * p).toFixed(2)} %`;

/** Words and how likely they are. */
export const shownWords = (words: readonly ScoredToken[]): string => {
  if (words.length === 0) return 'nothing is known yet of what comes next';
  return table(
    ['', 'token', 'id', 'probability', ''],
    words.map((w, i) => [
      String(i + 1),
      visible(w.text),
      String(w.id),
      percent(w.probability),
      styled('cyan', '█'.repeat(Math.round(24 * w.probability)) || '▏'),
    ]),
    { right: [0, 2, 3] },
  );
};

const sequence = (tokens: readonly { readonly text: string }[], other: readonly { readonly text: string }[]): string =>
  tokens.map(({ text }, i) => (text === other[i]?.text ? visible(text) : styled('yellow', visible(text)))).join('');

const bar = (p: number): string => styled('cyan', '█'.repeat(Math.round(24 * p)) || '▏');

/** What the model would say, layer by layer: the likeliest word, and the words that were asked for. */
export const shownLens = ({ rows }: ViewAnswerOf<'lens'>): string => {
  const asked = rows[0]?.words ?? [];
  if (rows.length === 0) return 'nothing is known yet of what comes next';
  return table(
    ['', 'it would say', 'probability', ...asked.map((w) => visible(w.text)), ''],
    rows.map(({ place, top, words }) => [
      ...[place, visible(top.text), percent(top.probability), ...words.map((w) => percent(w.probability))],
      bar(words[0]?.probability ?? top.probability),
    ]),
    { right: [2, ...asked.map((_, i) => 3 + i)] },
  );
};

/** More or less, in hundredths; what rounds to nothing has no sign. */
const difference = (x: number): string => {
  const text = (100 * x).toFixed(2);
  if (Number(text) === 0) return styled('dim', '0.00');
  return x > 0 ? styled('green', `+${text}`) : styled('red', text);
};

/** This run beside the unedited one. */
export const shownComparison = ({ kl, words, tokens }: ViewAnswerOf<'compare'>): string =>
  [
    table(
      ['token', 'unedited', 'here', 'difference'],
      words.map((w) => [visible(w.text), percent(w.unedited), percent(w.here), difference(w.here - w.unedited)]),
      { right: [1, 2, 3] },
    ),
    `KL divergence ${kl.toPrecision(4)} nats`,
    `unedited  ${sequence(tokens.unedited, tokens.here)}`,
    `here      ${sequence(tokens.here, tokens.unedited)}`,
  ].join('\n');
