import { UsageError } from '../../base/index.js';
import { parseHits, shownNumber, shownTensor, type Breakpoint } from '../../debugger/index.js';
import type { ExpressionValue } from '../../engine/index.js';
import { parseExpression } from '../../language/index.js';
import {
  toWireError,
  type PointSpec,
  type PointsInput,
  type PointsResult,
  type TargetTold,
} from '../../protocol/index.js';

/** What points are made in: the run that they are of. */
export interface PointRun {
  /** The run that a point of this kind is of, where that is another one, and the point as it has it. */
  for?(spec: PointSpec): { readonly run: PointRun; readonly spec: PointSpec } | undefined;
  /** @throws UsageError SITE_UNKNOWN where no site fits */
  sites(globs: string): (name: string) => boolean;
  /** @throws UsageError COMMAND_INVALID for a layer or a step that the run never comes to */
  check?(spec: PointSpec): void;
  condition(text: string): Pick<Breakpoint, 'lowered'> & { readonly holds: () => Promise<boolean> };
  watch(text: string): NonNullable<Breakpoint['value']>;
  logText(template: string, shown: (value: ExpressionValue) => string): () => Promise<string>;
  add(point: Omit<Breakpoint, 'id'>, id?: number): Breakpoint;
  remove(id: number): boolean;
  met(id: number): number;
  ignored(id: number): number;
  /** Sets what is caught; an answer a text. */
  catch(texts: readonly string[]): Promise<PointsResult['caught']>;
}

/** A value as log points write it. */
export const valueText = (value: ExpressionValue): string => {
  if (typeof value === 'boolean') return String(value);
  return typeof value === 'number' ? shownNumber(value) : shownTensor(value);
};

const given = (text: string | undefined): text is string => text !== undefined && text.trim() !== '';

/** What a refusal becomes in a list of answers. */
export const refused = (error: unknown): { readonly error: ReturnType<typeof toWireError> } => {
  if (!(error instanceof UsageError)) throw error;
  return { error: toWireError(error) };
};

/** What must hold: what was asked for, and that the step is fed a token. @throws UsageError EXPRESSION_* */
const conditionOf = (fed: string | undefined, condition: string | undefined): string | undefined => {
  if (fed === undefined) return condition;
  const isFed = `token == ${fed}`;
  if (!given(condition)) return isFed;
  parseExpression(condition); // its mistakes have the columns of what was written
  return `${isFed} && (${condition})`;
};

const withoutCondition = (label: string): string => label.replace(/\s+if\s.*$/s, '');

/** A point with another condition, or none, and a label that says so. */
export const withCondition = ({ condition: _, ...spec }: PointSpec, condition: string | undefined): PointSpec => {
  const plain = withoutCondition(spec.label);
  return condition === undefined
    ? { ...spec, label: plain }
    : { ...spec, label: `${plain} if ${condition}`, condition };
};

/** The breakpoints of a target, as they were asked for: when a run begins anew, they are made in it under their numbers. */
export class PointBook {
  readonly #specs = new Map<number, PointSpec>();
  #caught: readonly string[] = [];

  /** @param tell where log points write */
  constructor(
    readonly run: () => PointRun,
    readonly tell: (told: TargetTold) => void,
  ) {}

  get caught(): readonly string[] {
    return this.#caught;
  }

  async change({ add = [], remove = [], change = [], caught }: PointsInput): Promise<PointsResult> {
    const removed = remove.filter((id) => this.#remove(id));
    const added = add.map((spec) => this.#try(() => ({ id: this.#add(spec, spec.id) })));
    const changed = change.map((c) => this.#try(() => this.#changed(c)));
    if (caught === undefined) return { added, removed, changed, caught: [] };
    const answers = await this.run().catch(caught);
    this.#caught = caught.filter((_, i) => !('error' in (answers[i] ?? {})));
    return { added, removed, changed, caught: answers };
  }

  /** All points in a run that begins anew. */
  async again(): Promise<void> {
    for (const [id, spec] of this.#specs) this.#add(spec, id);
    await this.run().catch(this.#caught);
  }

  /** Those that are there, with how often they were met. */
  get list(): { id: number; label: string; met: number; ignore: number; temporary: boolean }[] {
    return [...this.#specs].map(([id, { label, temporary = false }]) => ({
      ...{ id, label, temporary },
      ...{ met: this.run().met(id), ignore: this.run().ignored(id) },
    }));
  }

  /** A temporary one has stopped the run. */
  hit(id: number): void {
    if (this.#specs.get(id)?.temporary) this.#remove(id);
  }

  #try<T>(make: () => T): T | ReturnType<typeof refused> {
    try {
      return make();
    } catch (error) {
      return refused(error);
    }
  }

  #remove(id: number): boolean {
    this.run().remove(id);
    return this.#specs.delete(id);
  }

  /** @param ignore how often it is passed from here on, where that is not as it was asked for */
  #add(spec: PointSpec, id?: number, ignore = spec.ignore): number {
    const { run, spec: own } = this.run().for?.(spec) ?? { run: this.run(), spec };
    const point = this.#point(own, run, () => made.id);
    const made = run.add({ ...point, ...(ignore === undefined ? {} : { ignore }) }, id);
    this.#specs.set(made.id, spec);
    return made.id;
  }

  #changed({ id, condition, ignore }: NonNullable<PointsInput['change']>[number]): { id: number; label: string } {
    const spec = this.#specs.get(id);
    if (!spec)
      throw new UsageError(`there is no breakpoint ${id}`, {
        code: 'COMMAND_INVALID',
        hint: '`info breakpoints` lists them.',
      });
    if (spec.watch !== undefined && condition !== undefined)
      throw new UsageError(`breakpoint ${id} watches a value`, {
        code: 'COMMAND_INVALID',
        hint: 'Watch a comparison instead.',
      });
    const changed = condition === undefined ? spec : withCondition(spec, condition ?? undefined);
    if (ignore === undefined) this.#add(changed, id, this.run().ignored(id));
    else this.#add({ ...changed, ignore }, id);
    return { id, label: changed.label };
  }

  #point(spec: PointSpec, run: PointRun, id: () => number): Omit<Breakpoint, 'id'> {
    const { label, lines, sites, layers, steps, fed, watch, condition, hits, log, temporary } = spec;
    const holds = conditionOf(fed, condition);
    run.check?.(spec);
    return {
      label,
      ...(lines ? { lines } : {}),
      ...(layers ? { layers } : {}),
      ...(steps ? { steps } : {}),
      ...(sites === undefined ? {} : { site: run.sites(sites) }),
      ...(watch === undefined ? {} : { value: run.watch(watch) }),
      ...(given(holds) ? this.#condition(run.condition(holds), id, lines?.[0]) : {}),
      ...(given(hits) ? { hits: parseHits(hits) } : {}),
      ...(given(log) ? { log: this.#log(run.logText(log, valueText), id, lines?.[0]) } : {}),
      ...(temporary ? { temporary } : {}),
    };
  }

  /** A condition that cannot be evaluated says so and stops, rather than never holding in silence. */
  #condition(
    { holds, lowered }: ReturnType<PointRun['condition']>,
    id: () => number,
    line?: number,
  ): Pick<Breakpoint, 'condition' | 'lowered'> {
    const condition = async (): Promise<boolean> => {
      try {
        return await holds();
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        this.#told(`the condition cannot be evaluated: ${error.message}. ${error.info.hint}`, id(), line);
        return true;
      }
    };
    return { condition, ...(lowered ? { lowered } : {}) };
  }

  /** What cannot be evaluated is told in its place. */
  #log(made: () => Promise<string>, id: () => number, line?: number): () => Promise<void> {
    return async () => {
      const text = await made().catch((error: unknown) => {
        if (error instanceof UsageError) return `<${error.message}>`;
        throw error;
      });
      this.#told(text, id(), line);
    };
  }

  #told(text: string, point: number, line?: number): void {
    this.tell({ told: 'log', text, point, ...(line === undefined ? {} : { line }) });
  }
}
