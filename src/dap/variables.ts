import type { DebugProtocol } from '@vscode/debugprotocol';
import { UsageError } from '../base/index.js';
import { siteIn } from '../engine/index.js';
import { formatType, typesOf } from '../graph/index.js';
import { formatEdit } from '../language/index.js';
import type { Debuggee } from '../service/index.js';
import type { Tensor } from '../tensor/index.js';
import { shownTensor, shownType } from './numbers.js';
import { sitesHere } from './sites.js';
import { childAt, childrenOf, lengthOf, most, viewOf, type Child, type TensorView } from './tensor-view.js';

type Variable = DebugProtocol.Variable;
type Paging = Pick<DebugProtocol.VariablesArguments, 'start' | 'count'>;

/** What a number that a client holds stands for. */
export type Node =
  | { readonly kind: 'sites' | 'words' | 'weights' | 'edits' }
  | { readonly kind: 'tokens'; readonly from: number; readonly to: number }
  | { readonly kind: 'tensor'; readonly view: TensorView };

const scopesOf = (
  debuggee: Debuggee,
  inLayer: boolean,
): readonly { readonly name: string; readonly node: Node; readonly expensive: boolean }[] => [
  ...(inLayer ? [{ name: 'Sites', node: { kind: 'sites' } as const, expensive: false }] : []),
  { name: 'Next words', node: { kind: 'words' }, expensive: false },
  { name: 'Tokens', node: { kind: 'tokens', from: 0, to: debuggee.tokens.length }, expensive: false },
  { name: 'Edits', node: { kind: 'edits' }, expensive: false },
  ...(inLayer ? [{ name: 'Weights', node: { kind: 'weights' } as const, expensive: true }] : []),
];

const gone = (reference: number): UsageError =>
  new UsageError(`there is no value ${reference} here`, {
    code: 'MESSAGE_INVALID',
    hint: 'Values can be asked for while the run stands where they were shown: ask for the scopes again.',
  });

/** What can be looked at where a run stands. Numbers that were given out count until it moves. */
export class Variables {
  readonly #nodes = new Map<number, Node>();
  #sites: Promise<ReadonlyMap<string, Tensor>> | undefined;
  #last = 0;

  /** @param paged does the client ask for parts of long lists? */
  constructor(
    readonly debuggee: () => Debuggee,
    readonly paged: () => boolean,
  ) {}

  /** The run has moved, or was changed. */
  forget(): void {
    this.#nodes.clear();
    this.#sites = undefined;
  }

  scopes(inLayer: boolean): DebugProtocol.Scope[] {
    return scopesOf(this.debuggee(), inLayer).map(({ name, node, expensive }) => ({
      ...{ name, expensive, variablesReference: this.hold(node) },
      ...(name === 'Sites' ? { presentationHint: 'locals' } : {}),
    }));
  }

  /** A new number for something. */
  hold(node: Node): number {
    this.#nodes.set(++this.#last, node);
    return this.#last;
  }

  /** @throws UsageError MESSAGE_INVALID */
  node(reference: number): Node {
    const node = this.#nodes.get(reference);
    if (!node) throw gone(reference);
    return node;
  }

  async list(reference: number, paging: Paging): Promise<Variable[]> {
    const node = this.node(reference);
    switch (node.kind) {
      case 'sites':
        return cut(await this.#siteVariables(), paging);
      case 'words':
        return this.#words();
      case 'tokens':
        return this.#tokens(node, paging);
      case 'weights':
        return cut(this.#weights(), paging);
      case 'edits':
        return cut(
          this.debuggee().edits.map((edit, i) => plain(String(i + 1), formatEdit(edit))),
          paging,
        );
      case 'tensor':
        return childrenOf(node.view, paging).map((child) => this.#child(child, node.view));
    }
  }

  /** A tensor as the fields that a variable and an answer to an expression share. */
  shown(view: TensorView): Pick<Variable, 'value' | 'variablesReference'> & Partial<Variable> {
    const length = lengthOf(view);
    return {
      ...{ value: shownTensor(view.tensor), type: shownType(view.tensor, view.axes) },
      variablesReference: this.hold({ kind: 'tensor', view }),
      ...(this.paged() && length > most ? { indexedVariables: length } : {}),
      ...(view.site === undefined ? {} : { memoryReference: view.site }),
    };
  }

  /** The site and selector behind a child, by its name: what a change is made to. @throws UsageError */
  placeOf(reference: number, name: string): { readonly site: string; readonly selector: string } {
    const node = this.node(reference);
    if (node.kind === 'sites') return { site: name, selector: '' };
    const index = /^\[(\d{1,9})\]$/.exec(name)?.[1];
    if (node.kind === 'tensor' && node.view.site !== undefined && index !== undefined && Number(index) < node.view.to)
      return { site: node.view.site, selector: childAt(node.view, Number(index)).selector };
    throw new UsageError(`${name} cannot be set here`, {
      code: 'COMMAND_INVALID',
      hint: 'Set a site of this layer, or a part of it; all else can be changed with an edit in the console.',
    });
  }

  /** What a data breakpoint on a child watches. @throws UsageError */
  watchable(reference: number, name: string): string {
    if (this.node(reference).kind === 'weights') return `weight ${name}`;
    const { site, selector } = this.placeOf(reference, name);
    return site + selector;
  }

  /** Where index 0 of `position` is: behind the prefill, a step computes one position. */
  get offset(): number {
    const { session } = this.debuggee();
    return session.position.step === 0 ? 0 : session.ids.length - 1;
  }

  #child({ name, value, type, view, selector }: Child, parent: TensorView): Variable {
    const path = parent.site === undefined || selector === '' ? {} : { evaluateName: parent.site + selector };
    const length = view ? lengthOf(view) : 0;
    return {
      ...{ name, value, ...(type === '' ? {} : { type }), ...path },
      variablesReference: view ? this.hold({ kind: 'tensor', view }) : 0,
      ...(this.paged() && length > most ? { indexedVariables: length } : {}),
    };
  }

  async #siteVariables(): Promise<Variable[]> {
    const { session } = this.debuggee();
    const { instance } = session;
    if (!instance) return [];
    const { graph } = instance.segment;
    const types = typesOf(graph);
    const sites = sitesHere(session);
    this.#sites ??= session.look(sites.map((s) => s.name));
    const values = await this.#sites;
    return sites.flatMap((s) => {
      const tensor = values.get(s.name);
      if (!tensor) return [];
      const site = siteIn(instance, s.name);
      const view = viewOf({ tensor, axes: types.get(s.value)?.axes ?? [] }, { site, offset: this.offset });
      return [{ name: site, evaluateName: site, ...this.shown(view) }];
    });
  }

  async #words(): Promise<Variable[]> {
    const words = await this.debuggee().words(10);
    return words.map(({ text, id, probability }, i) => ({
      ...plain(String(i + 1), `${(100 * probability).toFixed(2)} %  ${JSON.stringify(text)}  ${id}`),
      evaluateName: `lens_prob(${id})`,
    }));
  }

  #tokens({ from, to }: { readonly from: number; readonly to: number }, { start, count }: Paging): Variable[] {
    const { tokens } = this.debuggee();
    if (to - from > most && (count === undefined || count === 0))
      return Array.from({ length: Math.ceil((to - from) / most) }, (_, i) => {
        const part = { kind: 'tokens' as const, from: from + i * most, to: Math.min(to, from + (i + 1) * most) };
        return { ...plain(`[${part.from}..${part.to - 1}]`, ''), variablesReference: this.hold(part) };
      });
    const shown = tokens
      .slice(from, to)
      .map(({ text, id }, i) => plain(String(from + i), `${JSON.stringify(text)}  ${id}`));
    return cut(shown, { ...(start === undefined ? {} : { start }), ...(count === undefined ? {} : { count }) });
  }

  #weights(): Variable[] {
    const params = this.debuggee().session.instance?.segment.graph.params ?? [];
    return params.map(({ name, type }) => plain(name, `${type.dtype}${formatType(type)}`));
  }
}

const plain = (name: string, value: string): Variable => ({ name, value, variablesReference: 0 });

/** The part of a list that was asked for; without a count, all. */
const cut = (all: Variable[], { start, count }: Paging): Variable[] =>
  count === undefined || count === 0 ? all : all.slice(start ?? 0, (start ?? 0) + count);
