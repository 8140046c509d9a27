import { shownNumber } from '../../../debugger/index.js';
import type { AgentAnswer, Item, TrainingStep, ViewAnswerOf } from '../../../protocol/index.js';
import { finite } from '../picture.js';

/** What a training loop looks like it suffers from, and what is usually done about it. */
export interface Advice {
  readonly kind: 'diverging' | 'stalled' | 'frozen' | 'noisy' | 'vanishing' | 'exploding';
  readonly text: string;
}

/** Steps that a trend is told from. */
const window = 10;

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

const lossesOf = (steps: readonly TrainingStep[]): readonly number[] =>
  steps.flatMap(({ loss }) => (loss === null ? [] : [loss]));

const trend = (steps: readonly TrainingStep[]): readonly Advice[] => {
  const losses = lossesOf(steps);
  const last = losses.at(-1);
  if (last !== undefined && !Number.isFinite(last))
    return [{ kind: 'diverging', text: 'the loss is no number: catch nan shows the module in which it first arises; lower the learning rate, or clip gradients' }]; // prettier-ignore
  if (losses.length < 2 * window) return [];
  const [before, now] = [losses.slice(-2 * window, -window), losses.slice(-window)];
  const [a, b] = [mean(before), mean(now)];
  const spread = Math.sqrt(mean(now.map((x) => (x - b) ** 2)));
  if (b > a + 2 * spread && b > 1.2 * Math.min(...losses))
    return [{ kind: 'diverging', text: `the loss rises, from ${shownNumber(a)} to ${shownNumber(b)} over ${window} steps: lower the learning rate, warm it up longer, or clip gradients` }]; // prettier-ignore
  if (Math.abs(a - b) < 1e-3 * Math.abs(a) + 1e-12)
    return [{ kind: 'stalled', text: `the loss stands at ${shownNumber(b)} since ${2 * window} steps: is the learning rate too small, or is what is trained not in the optimiser?` }]; // prettier-ignore
  return [];
};

const layerNorms = (steps: readonly TrainingStep[], layer: string): readonly number[] =>
  steps.slice(-window).flatMap(({ layers }) => layers[layer] ?? []);

const layersAdvice = (steps: readonly TrainingStep[]): readonly Advice[] => {
  const last = steps.at(-1);
  if (!last) return [];
  const known = [...new Set(steps.flatMap((s) => Object.keys(s.layers)))];
  const norms = known.map((layer) => ({ layer, norms: layerNorms(steps, layer) }));
  const frozen = norms.filter(({ norms: n }) => n.length === 0 || n.every((x) => x === 0)).map((n) => n.layer);
  const sizes = norms
    .filter(({ layer }) => !frozen.includes(layer))
    .map(({ layer, norms: n }) => ({ layer, size: mean(n) }));
  const [least, most] = [sizes.toSorted((a, b) => a.size - b.size)[0], sizes.toSorted((a, b) => b.size - a.size)[0]];
  return [
    ...(frozen.length > 0 && frozen.length < known.length
      ? [{ kind: 'frozen' as const, text: `no gradient comes to ${frozen.join(', ')}: is it cut off (detach, no_grad), or does nothing depend on it?` }] // prettier-ignore
      : []),
    ...(least && most && least.size < 1e-6 * most.size
      ? [{ kind: 'vanishing' as const, text: `the gradient of ${least.layer} is ${(most.size / least.size).toExponential(0)} times smaller than that of ${most.layer}: residual connections, norms or another initialisation` }] // prettier-ignore
      : []),
    ...(last.gradNorm > 10 * median(steps.map((s) => s.gradNorm)) && steps.length >= window
      ? [{ kind: 'exploding' as const, text: `the gradient's norm is ${shownNumber(last.gradNorm)}, more than ten times the median: clip gradients, or look at this batch` }] // prettier-ignore
      : []),
  ];
};

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** Above it the gradient of a batch says little of the gradient of all. */
const noisy = 100;

const noiseAdvice = (noise: number): Advice => {
  const varies = Number.isFinite(noise)
    ? `varies ${noise.toFixed(0)} times as much as its mean is long`
    : 'varies, and no direction of it lasts';
  return {
    kind: 'noisy',
    text: `from step to step the gradient ${varies}: larger batches, or a smaller learning rate`,
  };
};

/** What the last steps suggest. Rules of thumb, each with the numbers that it goes by. */
export const adviceOn = (steps: readonly TrainingStep[]): readonly Advice[] => {
  const noise = median(steps.slice(-window).flatMap((s) => s.noise ?? []));
  return [...trend(steps), ...layersAdvice(steps), ...(noise > noisy ? [noiseAdvice(noise)] : [])];
};

const item = (name: string, value: string): Item => ({ name, value });

/** The last step of the optimiser, layer by layer, and what the steps so far suggest. */
export const trainingItems = ({ steps, optimiser }: AgentAnswer<'training'>): Item[] => {
  const last = steps.at(-1);
  if (!last)
    return [item('steps', `${optimiser}; loss and gradients are noted from the next step of the optimiser on`)];
  const before = steps.at(-2)?.loss;
  const was = before === undefined || before === null ? '' : `, before it ${shownNumber(before)}`;
  return [
    item('step', `${last.step}`),
    item('loss', last.loss === null ? 'not known: agent.log(loss=...) tells it' : `${shownNumber(last.loss)}${was}`),
    item('learning rate', last.lr.map(shownNumber).join(', ')),
    item('gradient norm', shownNumber(last.gradNorm)),
    item(
      'gradient noise',
      last.noise === null ? 'not known yet: after 4 steps' : `${shownNumber(last.noise)} (variance by squared mean)`,
    ),
    ...Object.entries(last.layers).map(([layer, norm]) => item(`gradient of ${layer}`, `norm ${shownNumber(norm)}`)),
    ...adviceOn(steps).map(({ kind, text }) => item(kind, text)),
  ];
};

/** The same as data. */
export const trainingAnswer = (steps: readonly TrainingStep[]): ViewAnswerOf<'training'> => ({
  steps: steps.map(({ step, loss, gradNorm, noise, lr, layers }) => ({
    ...{ step, loss: finite(loss ?? undefined), gradNorm: finite(gradNorm), noise: finite(noise ?? undefined) },
    lr: lr.map(finite),
    layers: Object.fromEntries(Object.entries(layers).map(([layer, norm]) => [layer, finite(norm)])),
  })),
  advice: adviceOn(steps).map(({ kind, text }) => ({ kind, text })),
});
