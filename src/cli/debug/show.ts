import type { ExpressionValue } from '../../engine/index.js';
import type { Debuggee, Stop } from '../../service/index.js';
import { toFloat32, type Tensor } from '../../tensor/index.js';
import { printable, visible } from '../printable.js';
import { styled } from '../styled.js';
import { table } from '../table.js';

const number = (x: number): string => {
  if ((Number.isInteger(x) && Math.abs(x) < 1e5) || !Number.isFinite(x)) return String(x);
  return Math.abs(x) >= 1e5 || Math.abs(x) < 1e-3 ? x.toExponential(4) : x.toFixed(5);
};

const moreThan = 12;

/** A value as an expression gives it. */
export const shownValue = (value: ExpressionValue): string => {
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return number(value);
  const { data, shape, axes } = value;
  const some = Array.from(data.slice(0, moreThan), number).join('  ');
  const named = axes.map((axis, i) => `${axis} ${shape[i] ?? ''}`).join(', ');
  return `[${named}]  ${some}${data.length > moreThan ? `  … ${data.length} in all` : ''}`;
};

/** Rows of a tensor's last axis, the first ones. */
export const rawValues = (tensor: Tensor, rows: number): string => {
  const width = tensor.shape.at(-1) ?? 1;
  const data = toFloat32(tensor);
  const count = Math.min(rows, Math.ceil(data.length / width));
  return Array.from({ length: count }, (_, r) => {
    const row = data.slice(r * width, (r + 1) * width);
    const cells = Array.from(row.slice(0, 8), (x) => number(x).padStart(11)).join('');
    return `${String(r * width).padStart(8)}:${cells}${width > 8 ? '  …' : ''}`;
  }).join('\n');
};

/** The lines of the listing around the one that comes next, which has an arrow. */
export const shownLines = ({ session }: Debuggee, around: number, at?: number): string => {
  const { lines } = session.source;
  const current = currentLine(session);
  const middle = at ?? current ?? 1;
  const from = Math.max(1, middle - around);
  const stops = new Set(session.breakpoints.all.flatMap((b) => b.lines ?? []));
  return lines
    .slice(from - 1, middle + around)
    .map(({ text }, i) => {
      const line = from + i;
      const mark = `${stops.has(line) ? styled('red', '●') : ' '}${line === current ? styled('green', '→') : ' '}`;
      return `${mark} ${styled('dim', String(line).padStart(4))}  ${line === current ? styled('bold', text) : text}`;
    })
    .join('\n');
};

const currentLine = (session: Debuggee['session']): number | undefined => {
  const { instance, position } = session;
  return instance && session.source.opsOf(instance.segment.id)[position.op]?.line;
};

/** Where the run is, innermost first, as a debugger's stack. */
export const shownFrames = ({ session, tokens }: Debuggee): string =>
  session.frames
    .map((frame, i) => {
      const at = `#${i}  `;
      switch (frame.kind) {
        case 'op':
          return `${at}${(session.source.lines[frame.op.line - 1]?.text ?? '').trim()}  ${styled('dim', `line ${frame.op.line}`)}`;
        case 'module':
          return `${at}${frame.module}`;
        case 'layer':
          return `${at}${frame.instance.name}`;
        case 'step':
          return `${at}${frame.step === 0 ? 'prefill' : `step ${frame.step}`} of ${tokens.length} tokens, the last ${visible(tokens.at(-1)?.text ?? '')}`;
        case 'generation':
          return `${at}generation`;
      }
    })
    .join('\n');

const reasons: Readonly<Record<Stop['reason'], string>> = {
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

const watched = (value: string | number | boolean): string =>
  typeof value === 'number' ? number(value) : String(value);

const shownReason = (stop: Stop): string => {
  if (stop.reason === 'breakpoint') return `breakpoint ${stop.breakpoint.id}`;
  if (stop.reason === 'exception') return `${stop.filter.kind}: ${printable(stop.description)}`;
  if (stop.reason !== 'data') return reasons[stop.reason];
  const { breakpoint, before, after } = stop;
  return `breakpoint ${breakpoint.id}, ${printable(breakpoint.label ?? '')}: ${watched(before)} → ${watched(after)}`;
};

/** Where a command left the run: a line or two. */
export const shownStop = (debuggee: Debuggee, stop: Stop): string => {
  const { session } = debuggee;
  const why = shownReason(stop);
  const told = why === '' ? [] : [styled('yellow', why)];
  if (!session.instance) {
    const text = debuggee.tokens.map((t) => t.text).join('');
    return [...told, `end of step ${stop.position.step}: ${printable(text)}`].join('\n');
  }
  const place = `${session.instance.name}${stop.position.step === 0 ? '' : `, step ${stop.position.step}`}`;
  return [...told, styled('bold', place), shownLines(debuggee, 0)].join('\n');
};

/** Words and how likely they are. */
export const shownWords = (words: Awaited<ReturnType<Debuggee['words']>>): string =>
  table(
    ['', 'token', 'id', 'probability', ''],
    words.map((w, i) => [
      String(i + 1),
      visible(w.text),
      String(w.id),
      `${(100 * w.probability).toFixed(2)} %`,
      styled('cyan', '█'.repeat(Math.round(24 * w.probability)) || '▏'),
    ]),
    { right: [0, 2, 3] },
  );
