import type { DebugProtocol } from '@vscode/debugprotocol';
import { UsageError } from '../base/index.js';
import { most, type Target } from '../debugger/index.js';
import type { Evaluated, Item, OpenedPart, ScopeName, TargetFrame } from '../protocol/index.js';

type Variable = DebugProtocol.Variable;
type Paging = Pick<DebugProtocol.VariablesArguments, 'start' | 'count'>;

/** What a number that a client holds stands for. */
type Node =
  | { readonly kind: 'scope'; readonly scope: ScopeName; readonly frame: TargetFrame['kind'] }
  /** A part of a long list. */
  | {
      readonly kind: 'chunk';
      readonly of: Extract<Node, { kind: 'scope' }>;
      readonly from: number;
      readonly to: number;
    }
  | { readonly kind: 'value'; readonly ref: string; readonly part: OpenedPart };

const hints: Partial<Record<ScopeName, string>> = {
  sites: 'locals',
  inputs: 'arguments',
  outputs: 'returnValue',
  attention: 'registers',
};

const gone = (reference: number): UsageError =>
  new UsageError(`there is no value ${reference} here`, {
    code: 'MESSAGE_INVALID',
    hint: 'Values can be asked for while the run stands where they were shown: ask for the scopes again.',
  });

const notSettable = (name: string): UsageError =>
  new UsageError(`${name} cannot be set here`, {
    code: 'COMMAND_INVALID',
    hint: 'Set a site of this layer, or a part of it; all else can be changed with an edit in the console.',
  });

const given = ({ start, count }: Paging): Paging => ({
  ...(start === undefined ? {} : { start }),
  ...(count === undefined ? {} : { count }),
});

/** What can be looked at where a run stands. Numbers that were given out count until it moves. */
export class Variables {
  readonly #nodes = new Map<number, Node>();
  /** What was listed under a number, by name: what a child stands for. */
  readonly #listed = new Map<number, ReadonlyMap<string, Item>>();
  #last = 0;

  /** @param paged does the client ask for parts of long lists? */
  constructor(
    readonly target: () => Target,
    readonly paged: () => boolean,
  ) {}

  /** The run has moved, or was changed. */
  forget(): void {
    this.#nodes.clear();
    this.#listed.clear();
  }

  async scopes(frame: TargetFrame['kind']): Promise<DebugProtocol.Scope[]> {
    const { scopes } = await this.target().view({ ask: 'scopes', frame });
    return scopes.map(({ scope, name, expensive }) => ({
      ...{ name, expensive, variablesReference: this.#hold({ kind: 'scope', scope, frame }) },
      ...(hints[scope] === undefined ? {} : { presentationHint: hints[scope] }),
    }));
  }

  async list(reference: number, paging: Paging): Promise<Variable[]> {
    const node = this.#node(reference);
    const items = await this.#items(node, paging);
    if (node.kind !== 'value' && !this.#isAsked(paging) && items.length > most && node.kind === 'scope')
      return this.#chunks(node, items.length);
    const known = this.#listed.get(reference) ?? new Map<string, Item>();
    this.#listed.set(reference, new Map([...known, ...items.map((item) => [item.name, item] as const)]));
    return items.map((item) => this.variable(item));
  }

  /** An item as a client sees it; what can be opened gets a number. */
  variable(item: Item | Evaluated): Variable {
    const { name, value, type, ref, part, length = 0, expression } = item;
    const memory = memoryOf(item);
    return {
      ...{ name, value, ...(type === undefined ? {} : { type }) },
      ...(expression === undefined ? {} : { evaluateName: expression }),
      variablesReference: ref === undefined || !part ? 0 : this.#hold({ kind: 'value', ref, part }),
      ...(this.paged() && length > most ? { indexedVariables: length } : {}),
      ...(memory === undefined ? {} : { memoryReference: memory }),
    };
  }

  /** What is set to change a child: a site with a selector, or a weight's. @throws UsageError */
  async placeOf(reference: number, name: string): Promise<string> {
    const place = (await this.#child(reference, name))?.place;
    if (place === undefined) throw notSettable(name);
    return place;
  }

  /** What a data breakpoint on a child watches. @throws UsageError */
  async watchable(reference: number, name: string): Promise<string> {
    const child = await this.#child(reference, name);
    const watched = child?.expression ?? (child?.place?.startsWith('weight ') ? child.place : undefined);
    if (watched === undefined) throw notSettable(name);
    return watched;
  }

  /** A child by its name, of those that were listed or could be. */
  async #child(reference: number, name: string): Promise<Item | undefined> {
    const node = this.#node(reference);
    const known = this.#listed.get(reference)?.get(name);
    if (known) return known;
    const index = /^\[(\d{1,9})\]$/.exec(name)?.[1];
    const paging = index === undefined ? {} : { start: Number(index), count: 1 };
    return (await this.#items(node, node.kind === 'value' ? paging : {})).find((item) => item.name === name);
  }

  async #items(node: Node, paging: Paging): Promise<Item[]> {
    switch (node.kind) {
      case 'scope':
        return (await this.target().view({ ask: 'scope', scope: node.scope, frame: node.frame, ...given(paging) }))
          .items;
      case 'chunk': {
        const { scope, frame } = node.of;
        const count = node.to - node.from;
        return (await this.target().view({ ask: 'scope', scope, frame, start: node.from, count })).items;
      }
      case 'value':
        return (await this.target().view({ ask: 'children', ref: node.ref, part: node.part, ...given(paging) })).items;
    }
  }

  #isAsked({ count }: Paging): boolean {
    return count !== undefined && count > 0;
  }

  #chunks(of: Extract<Node, { kind: 'scope' }>, length: number): Variable[] {
    return Array.from({ length: Math.ceil(length / most) }, (_, i) => {
      const [from, to] = [i * most, Math.min(length, (i + 1) * most)];
      const variablesReference = this.#hold({ kind: 'chunk', of, from, to });
      return { name: `[${from}..${to - 1}]`, value: '', variablesReference };
    });
  }

  #hold(node: Node): number {
    this.#nodes.set(++this.#last, node);
    return this.#last;
  }

  /** @throws UsageError MESSAGE_INVALID */
  #node(reference: number): Node {
    const node = this.#nodes.get(reference);
    if (!node) throw gone(reference);
    return node;
  }
}

/** Whole values can be read as memory, by their reference. */
const memoryOf = ({ ref, part, name }: Item): string | undefined =>
  ref !== undefined && part && !name.startsWith('[') ? ref : undefined;
