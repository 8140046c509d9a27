import type { Cases } from './ours.js';

interface Timing {
  readonly median: number;
}
type ByLength = Readonly<Record<string, Timing | undefined>>;

interface Peaks {
  readonly plain: { readonly peak: number };
  readonly captured: { readonly peak: number; readonly captured: number };
}

export interface Ours {
  readonly gflops: number;
  readonly forward: ByLength;
  /** All positions scored. */
  readonly forwardScored: ByLength;
  readonly forwardOutputs: ByLength;
  readonly forwardCaptured: ByLength;
  readonly decode: { readonly tokensPerSecond: number };
  readonly bandwidth: number;
  readonly weightBytes: number;
  readonly matmulFlops: Readonly<Record<string, number>>;
  readonly ways: Readonly<Record<string, { readonly create: number; readonly forward: ByLength }>>;
  readonly start: number;
  readonly peakRssBytes: Peaks;
}

/** One model's results; the peers' are missing where their Python is. */
export interface Measured {
  readonly ours: Ours;
  readonly transformers?: {
    readonly forward: { readonly eager: ByLength; readonly sdpa: ByLength };
    readonly forwardCaptured: ByLength;
    readonly decode: Readonly<Record<string, { readonly tokensPerSecond: number }>>;
    readonly start: { readonly firstToken: number };
  };
  readonly transformer_lens?: { readonly class: string; readonly runWithCache: ByLength };
  readonly transformer_lens_2?: { readonly class: string; readonly runWithCache: ByLength };
}

export interface Document {
  readonly date: string;
  readonly machine: string;
  readonly node: string;
  readonly cases: Cases;
  readonly results: Readonly<Record<string, Measured>>;
}

const at = (times: ByLength | undefined, n: number): number | undefined => {
  const timing = times?.[String(n)];
  return timing?.median;
};
const ms = (t: Timing | undefined): string => (t ? `${(1000 * t.median).toFixed(1)} ms` : '–');
const ratio = (a: number | undefined, b: number | undefined): string =>
  a === undefined || b === undefined ? '–' : (a / b).toFixed(2);

/** One line: what, the aim, then a ratio for each length. */
const byLength = (
  lengths: readonly number[],
  what: string,
  { aim, value }: { readonly aim: string; readonly value: (n: number) => string },
): string => `| ${what} | ${aim} | ${lengths.map(value).join(' | ')} |`;

const forwardTable = (m: Measured, lengths: readonly number[]): string[] => {
  const { ours, transformers: hf } = m;
  const row = (what: string, aim: string, value: (n: number) => string): string =>
    byLength(lengths, what, { aim, value });
  const lenses = [m.transformer_lens, m.transformer_lens_2].flatMap((tl) => (tl ? [tl] : []));
  return [
    `| tokens | aim | ${lengths.join(' | ')} |`,
    `|---|---|${lengths.map(() => '---').join('|')}|`,
    row('forward, last position scored', '', (n) => ms(ours.forward[n])),
    row('forward, all positions scored', '', (n) => ms(ours.forwardScored[n])),
    row('forward, every site captured', '', (n) => ms(ours.forwardCaptured[n])),
    row('transformers, sdpa', '', (n) => ms(hf?.forward.sdpa[n])),
    row('transformers, eager, hidden states and attentions', '', (n) => ms(hf?.forwardCaptured[n])),
    ...lenses.map((tl) => row(`TransformerLens ${tl.class}, run_with_cache`, '', (n) => ms(tl.runWithCache[n]))),
    ...lenses.map((tl) =>
      row(`captured / TransformerLens ${tl.class}`, '0.5', (n) =>
        ratio(at(ours.forwardCaptured, n), at(tl.runWithCache, n)),
      ),
    ),
    row('captured / transformers eager with both', '1.0', (n) =>
      ratio(at(ours.forwardCaptured, n), at(hf?.forwardCaptured, n)),
    ),
    row('forward, all scored / transformers sdpa', '', (n) =>
      ratio(at(ours.forwardScored, n), at(hf?.forward.sdpa, n)),
    ),
    row('captured / forward, all scored', '1.10 to 64', (n) =>
      ratio(at(ours.forwardCaptured, n), at(ours.forwardScored, n)),
    ),
    row('every site an output, none read / forward', '1.10', (n) =>
      ratio(at(ours.forwardOutputs, n), at(ours.forwardScored, n)),
    ),
    row('forward / matrix-multiply floor', '1.3 from 64', (n) =>
      ratio(at(ours.forward, n), (ours.matmulFlops[n] ?? NaN) / ours.gflops / 1e9),
    ),
  ];
};

const waysTable = ({ ours }: Measured, lengths: readonly number[]): string[] => [
  '',
  `| weights | to create | ${lengths.map((n) => `${n} tokens`).join(' | ')} |`,
  `|---|---|${lengths.map(() => '---').join('|')}|`,
  ...Object.entries(ours.ways).map(
    ([way, { create, forward }]) =>
      `| ${way} | ${create.toFixed(2)} s | ${lengths.map((n) => ms(forward[n])).join(' | ')} |`,
  ),
];

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;

const restTable = ({ ours, transformers: hf }: Measured): string[] => {
  const decode = hf ? Math.max(...Object.values(hf.decode).map((d) => d.tokensPerSecond)) : undefined;
  const bound = ours.bandwidth / ours.weightBytes;
  const { plain, captured } = ours.peakRssBytes;
  return [
    '',
    '| | aim | Cutaway | transformers | ratio |',
    '|---|---|---|---|---|',
    `| decode, tokens/s | 1.0 | ${ours.decode.tokensPerSecond.toFixed(1)} | ${decode?.toFixed(1) ?? '–'} | ${ratio(ours.decode.tokensPerSecond, decode)} |`,
    `| decode / memory-bandwidth limit (${bound.toFixed(1)} tokens/s) | 0.6 | | | ${ratio(ours.decode.tokensPerSecond, bound)} |`,
    `| process start to first token | 2.5 s, 0.4 | ${ours.start.toFixed(2)} s | ${hf?.start.firstToken.toFixed(2) ?? '–'} s | ${ratio(ours.start, hf?.start.firstToken)} |`,
    `| peak memory, forward of 16 tokens | | ${gigabytes(plain.peak)} | | |`,
    `| peak memory, everything captured (${gigabytes(captured.captured)} of it) | | ${gigabytes(captured.peak)} | | |`,
  ];
};

/** The results as Markdown: ratios beside the aims of the design. */
export const report = (document: Document): string => {
  const { date, machine, node, cases, results } = document;
  const parts = Object.entries(results).map(([name, m]) => {
    const lengths = Object.keys(m.ours.forward).map(Number);
    return [`## ${name}`, '', ...forwardTable(m, lengths), ...waysTable(m, lengths), ...restTable(m), ''].join('\n');
  });
  const head = `${date}, ${machine}, Node ${node}, ${cases.threads} threads, medians of ${cases.repeats} runs; matrix multiply at ${Object.values(results)[0]?.ours.gflops.toFixed(0) ?? '–'} GFLOP/s at best in this run`;
  return `${head}\n\n${parts.join('\n')}`;
};
