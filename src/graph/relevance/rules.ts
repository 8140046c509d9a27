/**
 * How a linear layer hands relevance on. `epsilon`: in proportion to x·w, the sum kept from 0 by epsilon; `gamma`: with
 * weights w + gamma·max(w, 0); `alpha-beta`: α = 1, β = 0, positive weights alone; `identity`: number by number, where
 * as many come out as go in.
 * @source Bach 2015; Montavon 2019, "Layer-wise relevance propagation: an overview"
 */
export type LinearRule =
  | { readonly rule: 'epsilon'; readonly epsilon: number }
  | { readonly rule: 'gamma'; readonly gamma: number }
  | { readonly rule: 'alpha-beta' }
  | { readonly rule: 'identity' };

/** How relevance goes back through a graph, in place of gradients. */
export interface RelevanceRules {
  /**
   * `all`: attention's pattern has its share, and queries and keys with it (AttnLRP); `values`: the pattern counts as
   * constant (CP-LRP).
   */
  readonly attention: 'all' | 'values';
  readonly linear: LinearRule;
  /** Rules of single linear layers, by the name of their weight. */
  readonly byWeight?: Readonly<Record<string, LinearRule>>;
}

/** AttnLRP in its efficient form: nothing is added to what is divided by. */
export const attnLrp: RelevanceRules = { attention: 'all', linear: { rule: 'epsilon', epsilon: 0 } };
