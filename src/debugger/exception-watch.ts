import type { Condition } from '../engine/index.js';
import { arising, firstBad, hasNonFinite, isValueKind, stopAtEnd } from './exceptions.js';
import type { ExceptionFilter, ValueKind } from './exceptions.js';
import { overflowInside } from './overflow.js';
import type { Source } from './source.js';
import type { Place, Timeline } from './timeline.js';

/** Something that went wrong. */
export interface Exception {
  readonly filter: ExceptionFilter;
  readonly description: string;
  /** The operation before which the run is to stand, in the instance that the timeline was taken back to. */
  readonly op?: number;
}

/** Watches a run for what counts as going wrong, and finds where it first arises. */
export class ExceptionWatch {
  filters: readonly ExceptionFilter[] = [];
  /** What was told of, by kind and place: going on does not stop at it again. */
  readonly #told = new Set<string>();

  constructor(
    readonly timeline: Timeline,
    readonly source: Source,
  ) {}

  /** What is to be seen while an instance runs. */
  get conditions(): readonly Condition[] {
    return this.filters.some((e) => e.kind === 'overflow16') ? [overflowInside] : [];
  }

  /** The run goes elsewhere, or is another one: all is told of again. */
  forget(): void {
    this.#told.clear();
  }

  /** What went wrong in the instance that ran last. @param before where the run was before it */
  async found(before: Place): Promise<Exception | undefined> {
    const { timeline } = this;
    if (this.filters.length === 0 || before.step !== timeline.place.step) return undefined;
    const arisen = await this.#arisen(before);
    if (arisen) return arisen;
    for (const filter of this.filters) {
      const description = isValueKind(filter.kind) ? undefined : this.#atEnd(filter);
      if (description !== undefined) return { filter, description };
    }
    return undefined;
  }

  #atEnd(filter: ExceptionFilter): string | undefined {
    const { logits, chosen, ids, request, place } = this.timeline;
    if (!logits) return undefined;
    const made = typeof chosen === 'number' ? [...ids.slice(request.ids.length), chosen] : [];
    return stopAtEnd(filter, { made, logits, before: this.timeline.logitsOf(place.step - 1) });
  }

  /** Which kinds of bad numbers may be in what ran last: NaN stays, and infinity becomes NaN or stays. */
  #suspect({ step, at }: Place): readonly ValueKind[] {
    const { handed, logits, held } = this.timeline;
    const kinds = this.filters.map((e) => e.kind).filter(isValueKind);
    const wanted = kinds.filter((kind) => !this.#told.has(`${kind} ${step}.${at}`));
    if (wanted.length === 0) return [];
    const given = [...handed.values(), ...(logits ? [{ data: logits, dtype: 'float32' as const }] : [])];
    const isBroken = wanted.some((kind) => kind !== 'overflow16') && given.some(hasNonFinite);
    return wanted.filter((kind) => (kind === 'overflow16' ? held.has(overflowInside.key) : isBroken));
  }

  /** The first operation in which something bad arises. Where what is handed on tells of it, all inside is looked at. */
  async #arisen(before: Place): Promise<Exception | undefined> {
    const suspect = this.#suspect(before);
    if (suspect.length === 0) return undefined;
    const there = this.timeline.place;
    await this.timeline.goTo(before);
    const found = await this.#firstBadOp(suspect);
    if (!found) {
      await this.timeline.goTo(there); // it came in
      return undefined;
    }
    const { kind, op } = found;
    this.#told.add(`${kind} ${before.step}.${before.at}`);
    return { filter: { kind }, op, description: arising(kind, this.#where(op)) };
  }

  #where(op: number): string {
    const { next } = this.timeline;
    const line = next && this.source.opsOf(next.segment.id)[op]?.line;
    const text = this.source.lines[(line ?? 0) - 1]?.text.trim() ?? '';
    return `${next?.name ?? ''}: ${text.split(/\s{2,}/)[0] ?? ''}`;
  }

  async #firstBadOp(
    kinds: readonly ValueKind[],
  ): Promise<{ readonly kind: ValueKind; readonly op: number } | undefined> {
    const { next } = this.timeline;
    if (!next) return undefined;
    const { graph, id: segment } = next.segment;
    const nodes = graph.nodes.filter((n) => n.op !== 'Constant').map((n) => n.id);
    const inputs = graph.inputs.filter((i) => i.type.dtype === 'float32').map((i) => i.id);
    const values = await this.timeline.look([], [...inputs, ...nodes]);
    const found = kinds.flatMap((kind) => {
      const first = firstBad(kind, graph, values);
      return first === undefined ? [] : [{ kind, at: nodes.indexOf(first) }];
    });
    const [earliest] = found.sort((a, b) => a.at - b.at);
    if (!earliest) return undefined;
    const op = this.source.opsOf(segment).findIndex(({ node }) => nodes.indexOf(node) >= earliest.at);
    return { kind: earliest.kind, op: Math.max(0, op) };
  }
}
