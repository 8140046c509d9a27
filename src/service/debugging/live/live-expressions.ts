import { UsageError } from '../../../base/index.js';
import {
  checkExpression,
  invalidExpression,
  parseExpression,
  siteOfGradient,
  type Expression,
} from '../../../language/index.js';
import type { AgentRef, LiveModel } from './live-model.js';
import type { LiveSite } from './live-sites.js';

/** A token's text as ids of the process's tokenizer. */
export type Encode = (text: string) => Promise<{ readonly ids: readonly number[]; readonly texts: readonly string[] }>;

/** An expression as the agent computes it: the same tree, with each value by where it is in the process. */
export type AgentTree = Readonly<Record<string, unknown>>;

/** A value as the agent finds it. */
export const refOf = ({ at }: LiveSite): AgentRef => ({ ...at });

/**
 * One token of a text.
 * @throws UsageError AMBIGUOUS_TOKEN for a text of several, TOKENIZER_MISSING
 */
export const tokenId = async (text: string, encode: Encode): Promise<{ token: number; text: string }> => {
  const { ids, texts } = await encode(text);
  const [id] = ids;
  if (id !== undefined && ids.length === 1) return { token: id, text: texts[0] ?? text };
  throw new UsageError(`${JSON.stringify(text)} is ${ids.length} tokens`, {
    code: 'AMBIGUOUS_TOKEN',
    hint: `Name one: ${texts.map((t) => JSON.stringify(t)).join(', ')}.`,
  });
};

/** Makes trees for one model's agent. */
export class AgentTrees {
  constructor(
    readonly model: LiveModel,
    readonly encode: Encode,
  ) {}

  /**
   * A text as a tree, and the values that it reads.
   * @throws UsageError EXPRESSION_*, SITE_UNKNOWN, SITE_NOT_CAPTURED, AMBIGUOUS_TOKEN
   */
  async parse(text: string): Promise<{ readonly tree: AgentTree; readonly sites: readonly LiveSite[] }> {
    return this.of(parseExpression(text));
  }

  /** The same of one that is parsed. */
  async of(expression: Expression): Promise<{ readonly tree: AgentTree; readonly sites: readonly LiveSite[] }> {
    checkExpression(expression);
    const sites: LiveSite[] = [];
    return { tree: await this.#tree(expression, sites), sites };
  }

  async #tree(node: Expression, sites: LiveSite[]): Promise<AgentTree> {
    switch (node.kind) {
      case 'number':
        return { kind: 'number', value: Number.isFinite(node.value) ? node.value : String(node.value) };
      case 'text':
        return { kind: 'number', value: (await tokenId(node.text, this.encode)).token };
      case 'word':
        return { kind: 'word', word: node.word };
      case 'site': {
        if (siteOfGradient(node.site) !== undefined)
          throw invalidExpression(
            'expressions of a live process read no gradients',
            '`x grad:NAME` shows one that has come, `info gradients` all.',
            node,
          );
        const site = this.model.site(node.site);
        sites.push(site);
        return { kind: 'site', ref: refOf(site), axes: site.axes, where: node.where };
      }
      case 'token': {
        if (node.by.startsWith('lens_'))
          throw invalidExpression(
            `${node.by} is not computed in a live process`,
            'The command `lens` shows what the model would say before each layer.',
            node,
          );
        const id = typeof node.token === 'number' ? node.token : (await tokenId(node.token, this.encode)).token;
        const { position } = node;
        return { kind: 'token', by: node.by, token: id, ...(position === undefined ? {} : { position }) };
      }
      case 'reduce':
        return { kind: 'reduce', by: node.by, of: await this.#tree(node.of, sites) };
      case 'unary':
        return { kind: 'unary', operator: node.operator, of: await this.#tree(node.of, sites) };
      case 'cosine':
        return { kind: 'cosine', ...(await this.#both(node, sites)) };
      case 'binary':
        return { kind: 'binary', operator: node.operator, ...(await this.#both(node, sites)) };
    }
  }

  async #both(
    { left, right }: { readonly left: Expression; readonly right: Expression },
    sites: LiveSite[],
  ): Promise<{ left: AgentTree; right: AgentTree }> {
    return { left: await this.#tree(left, sites), right: await this.#tree(right, sites) };
  }
}
