import type { Tensor } from '../../tensor/index.js';
import { difference, differenceAlong, type Numbers } from './difference.js';

/** A value on both sides, with the axes of the first. */
export interface Pair {
  readonly a: Tensor;
  readonly b: Tensor;
  readonly axes: readonly string[];
}

const largestFinite = ({ data }: Tensor): number => {
  let most = 0;
  for (const x of data) if (Number.isFinite(Number(x)) && Number(x) > -1e30) most = Math.max(most, Math.abs(Number(x)));
  return most;
};

const mapped = (data: Numbers, change: (x: number, i: number) => number): Float64Array => {
  const out = new Float64Array(data.length);
  for (let i = 0; i < data.length; i++) out[i] = change(Number(data[i]), i);
  return out;
};

/** The factor that brings a closest to b, in the sense of least squares. */
const factorOf = (a: Numbers, b: Numbers): number => {
  let [product, squares] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    product += Number(a[i]) * Number(b[i]);
    squares += Number(a[i]) ** 2;
  }
  return product / squares;
};

const float16Largest = 65504;

const broken = ({ a, b }: Pair): string[] => {
  const { broken: counts } = difference(a.data, b.data);
  const [ours, theirs] = counts;
  if (theirs === 0 && ours === 0) return [];
  if (ours > 0 && theirs === 0) return [`${ours} numbers here are NaN or infinite, and none there`];
  const isOverflow = b.data.some((x) => Math.abs(Number(x)) === Infinity) && largestFinite(a) > float16Largest;
  if (isOverflow) return ['numbers beyond 65504 are infinite there: float16 overflows'];
  return ours === 0 ? [`${theirs} numbers there are NaN or infinite, and what they are made of agrees`] : [];
};

const clamped = ({ a, b }: Pair): string[] => {
  const [ours, theirs] = [largestFinite(a), largestFinite(b)];
  return ours > float16Largest && Math.abs(theirs - float16Largest) < 64
    ? ['numbers there end at 65504: they are held in float16']
    : [];
};

const proportional = ({ a, b }: Pair, floor: number): string[] => {
  const c = factorOf(a.data, b.data);
  if (!Number.isFinite(c) || Math.abs(c - 1) < floor) return [];
  if (Math.abs(c) < 1e-9) return ['all is zero there'];
  const { relative } = difference(
    mapped(a.data, (x) => c * x),
    b.data,
  );
  return relative <= floor ? [`the values there are ${+c.toPrecision(6)} times those here`] : [];
};

/** At which indices along an axis the two differ, where it is not at all of them. */
const someOf = ({ a, b, axes }: Pair, axis: string, floor: number): readonly number[] => {
  const at = axes.indexOf(axis);
  if (at < 0) return [];
  const along = differenceAlong([a.data, b.data], a.shape, at);
  const wrong = along.flatMap((r, i) => (r > floor ? [i] : []));
  return wrong.length < along.length ? wrong : [];
};

const listed = (numbers: readonly number[]): string =>
  numbers.length > 8 ? `${numbers.slice(0, 8).join(', ')} and ${numbers.length - 8} more` : numbers.join(', ');

const placed = (pair: Pair, floor: number): string[] => {
  const signs: string[] = [];
  for (const axis of ['position', 'query']) {
    const wrong = someOf(pair, axis, floor);
    const [first] = wrong;
    if (first === undefined) continue;
    const isTail = wrong.length === (pair.a.shape[pair.axes.indexOf(axis)] ?? 0) - first && first > 0;
    signs.push(
      isTail
        ? `position ${first - 1} and those before agree, later ones do not`
        : `only positions ${listed(wrong)} differ`,
    );
  }
  for (const axis of ['head', 'kvHead']) {
    const wrong = someOf(pair, axis, floor);
    if (wrong.length > 0) signs.push(`only heads ${listed(wrong)} differ`);
  }
  return signs;
};

/** The same difference at every position: something constant is added or missing. */
const shifted = ({ a, b, axes }: Pair, floor: number): string[] => {
  const at = axes.indexOf('position');
  const count = a.shape[at] ?? 1;
  if (at !== 1 || count < 2 || a.shape[0] !== 1) return [];
  const width = a.data.length / count;
  const moved = mapped(a.data, (x, i) => x + Number(b.data[i % width]) - Number(a.data[i % width]));
  const { relative } = difference(moved, b.data);
  return relative <= floor
    ? ['the difference is the same at every position: something constant is added or left out']
    : [];
};

/** What the values at a place tell by themselves, before anything is tried. */
export const signsOf = (pair: Pair, floor: number): readonly string[] => {
  const worse = [...broken(pair), ...clamped(pair)];
  if (worse.length > 0) return [...worse, ...placed(pair, floor)];
  return [...proportional(pair, floor), ...shifted(pair, floor), ...placed(pair, floor)];
};
