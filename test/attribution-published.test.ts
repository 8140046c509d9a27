import { describe, expect, it } from 'vitest';
import {
  attentionFlow,
  attentionRollout,
  crossRelevance,
  faithfulness,
  fromRows,
  gradientTimesInput,
  integratedGradients,
  occlusion,
  quadrature,
  relevanceOf,
  residual,
  shapley,
  weightedRidge,
  type Game,
} from '../src/analyses/attribution/index.js';
import { add, linear, relu, slice, sub, sumLast, type LinearRule, type RelevanceRules } from '../src/graph/index.js';
import { integrationRules } from '../src/protocol/index.js';
import { graphScalar, type Network } from './support/graph-scalar.js';

// The numbers are those of captum's tests (tests/attr), computed without any weights but these.

const out = { layout: 'out,in', axis: 'out' } as const;

/** Three numbers in, two layers of ones; the sum of both outputs. */
const ones: Network = {
  weights: {
    w1: [
      [1, 1, 1],
      [1, 1, 1],
      [1, 1, 1],
      [1, 1, 1],
    ],
    b1: [-10, 1, 1, 1],
    w2: [
      [1, 1, 1, 1],
      [1, 1, 1, 1],
    ],
    b2: [-1, 1],
  },
  build: ({ x, weight }) => {
    const hidden = relu(add(linear(x, weight('w1'), out), weight('b1')));
    return slice(add(linear(hidden, weight('w2'), out), weight('b2')), 0, 1); // captum's target 0
  },
};

/** A game of three numbers, zeros in place of those that are left out; groups move together. */
const gameOf = async (
  network: Network,
  input: readonly number[],
  groups: readonly (readonly number[])[],
): Promise<Game> => {
  const scalar = await graphScalar(network, fromRows([input]));
  return {
    features: groups.length,
    values: (coalitions) =>
      scalar.values(
        coalitions.map((present) => {
          const kept = new Set(groups.flatMap((group, i) => (present[i] === true ? group : [])));
          return fromRows([input.map((x, i) => (kept.has(i) ? x : 0))]);
        }),
      ),
  };
};

const single = [[0], [1], [2]];
const pair = [[0, 1], [2]];
const near = (found: readonly number[], expected: readonly number[], digits = 6) =>
  expected.forEach((x, i) => expect(found[i], String(i)).toBeCloseTo(x, digits));

describe('integrated gradients', () => {
  // f = ReLU(ReLU(x1) − 1 − ReLU(x2)), g = ReLU(ReLU(x1 − 1) − ReLU(x2)): the same function, other code
  const f: Network = {
    weights: {},
    build: ({ x }) => relu(sub(sub(relu(slice(x, 0, 1)), 1), relu(slice(x, 1, 2)))),
  };
  const g: Network = {
    weights: {},
    build: ({ x }) => relu(sub(relu(sub(slice(x, 0, 1), 1)), relu(slice(x, 1, 2)))),
  };

  it.each([
    ['f', f],
    ['g', g],
  ])('are the same for two networks of one function: %s', async (_, network) => {
    const { elements } = await integratedGradients(await graphScalar(network, fromRows([[3, 1]])), {
      rule: 'gausslegendre',
      steps: 50,
    });
    expect(Math.abs((elements.data[0] ?? NaN) - 1.5)).toBeLessThan(0.05);
    expect(Math.abs((elements.data[1] ?? NaN) + 0.5)).toBeLessThan(0.05);
  });

  it('of one neuron of the second layer', async () => {
    const { elements } = await integratedGradients(await graphScalar(ones, fromRows([[0, 100, 0]])), {
      rule: 'gausslegendre',
      steps: 500,
    });
    const [a, b, c] = elements.data;
    expect([a, c]).toEqual([0, 0]);
    expect(Math.abs((b ?? NaN) - 390)).toBeLessThan(0.5);
  });

  it('add up to the change of the scalar', async () => {
    const found = await integratedGradients(await graphScalar(ones, fromRows([[20, 50, 30]])), {
      rule: 'riemann-middle',
      steps: 1000,
    });
    expect(Math.abs(residual(found) ?? NaN)).toBeLessThan(0.01);
  });
});

describe('rules of integration', () => {
  it.each(integrationRules.filter((r) => r !== 'riemann-trapezoid'))('%s weighs 1 in all', (rule) => {
    const { weights } = quadrature(rule, 12);
    expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 12);
  });

  it('Gauss and Legendre are exact for polynomials of degree 2n − 1', () => {
    const { alphas, weights } = quadrature('gausslegendre', 5);
    const integral = alphas.reduce((sum, a, i) => sum + (weights[i] ?? 0) * a ** 9, 0);
    expect(integral).toBeCloseTo(0.1, 14);
  });

  it("LIT's trapezoids, as in its tests", () => {
    const { alphas, weights } = quadrature('lit', 3);
    expect(alphas).toEqual([0, 1 / 3, 2 / 3]);
    near(weights, [0.25, 0.5, 0.25], 12);
    expect([0, 1, 2].reduce((sum, x, i) => sum + x * (weights[i] ?? 0), 0)).toBeCloseTo(1, 12);
  });

  it('the trapezoids of Captum add up to less than 1', () => {
    const { weights } = quadrature('riemann-trapezoid', 10);
    expect(weights.reduce((a, b) => a + b, 0)).toBeCloseTo(0.9, 12);
  });
});

describe('features left out', () => {
  it.each([
    [[20, 50, 30], single, [80, 200, 120]],
    [[2, 10, 3], single, [8, 35, 12]],
    [[20, 50, 30], pair, [280, 120]],
    [[2, 10, 3], pair, [41, 12]],
  ])('%j in groups %j', async (input, groups, expected) => {
    near((await occlusion(await gameOf(ones, input, groups))).scores, expected);
  });
});

describe('Shapley values', () => {
  const options = { samples: 100, seed: 0 };
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ];

  it('over all coalitions', async () => {
    const found = await shapley(await gameOf(ones, [20, 50, 30], single), options);
    near(found.scores, [76.66666666, 196.66666666, 116.66666666]);
    expect(found.errors).toBeUndefined();
    expect(residual(found)).toBeCloseTo(0, 9);
  });

  it('over all orders', async () => {
    const found = await shapley(await gameOf(ones, [20, 50, 30], single), { ...options, permutations: orders });
    near(found.scores, [76.66666666, 196.66666666, 116.66666666]);
    expect(found.errors?.every((e) => e > 0)).toBe(true);
  });

  it('of groups', async () => {
    near((await shapley(await gameOf(ones, [20, 50, 30], pair), options)).scores, [275, 115]);
  });

  it('drawn orders come near, within their standard errors', async () => {
    const game: Game = {
      features: 8,
      values: async (all) =>
        Promise.resolve(all.map((p) => p.reduce((s, x, i) => s + (x ? i : 0), 0) + (p[0] && p[7] ? 4 : 0))),
    };
    const found = await shapley(game, { samples: 20, seed: 3 });
    expect(found.errors).toBeDefined();
    [2, 1, 2, 3, 4, 5, 6, 9].forEach((x, i) => {
      const room = 4 * (found.errors?.[i] ?? 0) + 1e-9;
      expect(Math.abs((found.scores[i] ?? NaN) - x)).toBeLessThanOrEqual(room);
    });
    expect(residual(found)).toBeCloseTo(0, 9);
  });
});

describe('layer-wise relevance of a simple network', () => {
  // Linear(3, 3) of weight 2, Linear(3, 1) of weight 3, x = [1, 2, 3]; captum's SimpleLRPModel
  const simple = (corner = 2): Network => ({
    weights: {
      first: [
        [corner, 2, 2],
        [2, 2, 2],
        [2, 2, 2],
      ],
      second: [[3, 3, 3]],
    },
    build: ({ x, weight }) => linear(linear(x, weight('first'), out), weight('second'), out),
  });
  const epsilon: LinearRule = { rule: 'epsilon', epsilon: 1e-9 };
  const rules = (first: LinearRule, second: LinearRule): RelevanceRules => ({
    ...{ attention: 'all', linear: epsilon },
    byWeight: { first, second },
  });
  const x = fromRows([[1, 2, 3]]);
  const relevance = async (network: Network, own: RelevanceRules) => {
    const scalar = await graphScalar(network, x, own);
    const [slope] = await scalar.slopes([x]);
    return Array.from(slope?.gradient.data ?? [], (g, i) => g * (x.data[i] ?? 0));
  };

  it('epsilon', async () => near(await relevance(simple(), rules(epsilon, epsilon)), [18, 36, 54]));

  it('gamma', async () => {
    const own = rules({ rule: 'gamma', gamma: 1 }, { rule: 'gamma', gamma: 0.25 });
    near(await relevance(simple(-2), own), [28 / 3, 104 / 3, 52]);
  });

  it('alpha 1, beta 0', async () => {
    const own = rules({ rule: 'alpha-beta' }, { rule: 'alpha-beta' });
    near(await relevance(simple(-2), own), [12, 33.6, 50.4]);
  });

  it('identity, then epsilon', async () =>
    near(await relevance(simple(-2), rules({ rule: 'identity' }, epsilon)), [24, 36, 36]));

  it('through an activation all that came goes on, and adds up to the output', async () => {
    const network: Network = {
      ...simple(),
      build: ({ x: at, weight }) => linear(relu(linear(at, weight('first'), out)), weight('second'), out),
    };
    const found = await relevanceOf(
      await graphScalar(network, x, { attention: 'all', linear: { rule: 'epsilon', epsilon: 0 } }),
    );
    expect(residual(found)).toBeCloseTo(0, 9);
    expect(found.value).toBeCloseTo(108, 9);
  });
});

describe('what must hold of any method', () => {
  const line: Network = { weights: { w: [[2, -3, 5]] }, build: ({ x, weight }) => linear(x, weight('w'), out) };
  const negated: Network = { weights: { w: [[-2, 3, -5]] }, build: line.build };
  const input = [1, 2, 3];

  it('of a linear model all say w·x', async () => {
    const scalar = await graphScalar(line, fromRows([input]));
    const { elements } = await integratedGradients(scalar, { rule: 'riemann-left', steps: 3 });
    near([...elements.data], [2, -6, 15]);
    const game = await gameOf(line, input, single);
    near((await occlusion(game)).scores, [2, -6, 15]);
    near((await shapley(game, { samples: 10, seed: 1 })).scores, [2, -6, 15]);
    expect((await gradientTimesInput(scalar)).scores[0]).toBeCloseTo(11, 9);
  });

  it('another sign of the function is another sign of the scores', async () => {
    const [a, b] = [await gameOf(line, input, single), await gameOf(negated, input, single)];
    near(
      (await shapley(a, { samples: 5, seed: 1 })).scores,
      (await shapley(b, { samples: 5, seed: 1 })).scores.map((s) => -s),
    );
  });

  it('a sum over rows is explained by rows', async () => {
    const sum: Network = { weights: {}, build: ({ x }) => sumLast(x) };
    const found = await gradientTimesInput(await graphScalar(sum, fromRows([[1, 2, 3]])));
    near(found.scores, [6]);
  });
});

describe('attention', () => {
  const eye = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ];
  const causal = [
    [1, 0, 0],
    [0.5, 0.5, 0],
    [0.2, 0.3, 0.5],
  ];

  it('of each place on itself keeps all where it is', async () => {
    expect(attentionRollout([eye, eye])).toEqual(eye);
    expect(await attentionFlow([eye, eye], 1)).toEqual([0, 1, 0]);
  });

  it('rollout and flow are distributions', async () => {
    for (const row of attentionRollout([causal, causal, causal])) near([row.reduce((a, b) => a + b, 0)], [1], 12);
    near([(await attentionFlow([causal, causal], 2)).reduce((a, b) => a + b, 0)], [1], 12);
  });

  it('one layer: rollout is half attention, half residual; flow too', async () => {
    near(attentionRollout([causal])[2] ?? [], [0.1, 0.15, 0.75], 12);
    near(await attentionFlow([causal], 2), [0.1, 0.15, 0.75], 12);
  });

  it('flow is bound by the narrowest pipe', async () => {
    // Â = [[1, 0], [0.5, 0.5]]: to input 0 over both layers 0.5 directly and 0.5 by way of place 1, to input 1 0.5
    const a = [
      [1, 0],
      [0, 1],
    ];
    const b = [
      [1, 0],
      [1, 0],
    ];
    near(await attentionFlow([b, b], 1), [1 / 1.5, 0.5 / 1.5], 12);
    near(await attentionFlow([a, b], 1), [0.5, 0.5], 12);
  });

  it('a decoder that looks at one word of the source, for what it says, has it from there', () => {
    const on = (pattern: readonly number[], gradient: readonly number[], keys: number) => ({
      ...{ pattern, gradient, heads: 1, queries: 1, keys },
    });
    const encoder = { pattern: [1, 0, 0, 1], gradient: [0, 0, 0, 0], heads: 1, queries: 2, keys: 2 };
    const { source } = crossRelevance([encoder], [{ own: on([1], [0], 1), cross: on([0.9, 0.1], [0, 2], 2) }]);
    expect(source[0]?.[0]).toBe(0);
    expect(source[0]?.[1]).toBeCloseTo(0.2, 12);
  });
});

describe('a weighted ridge', () => {
  it('without a penalty finds the line that the points are on', () => {
    const xs = [
      [1, 0],
      [0, 1],
      [1, 1],
      [0, 0],
    ];
    const fit = weightedRidge(
      xs,
      xs.map(([a = 0, b = 0]) => 3 * a - 2 * b + 1),
      { weights: [1, 2, 3, 4], ridge: 0 },
    );
    near([...fit.coefficients, fit.intercept, fit.r2], [3, -2, 1, 1], 9);
  });

  it('with one shrinks', () => {
    const fit = weightedRidge([[1], [-1]], [2, -2], { weights: [1, 1], ridge: 2 });
    near(fit.coefficients, [1], 12);
  });
});

describe('deletion and insertion', () => {
  const game: Game = {
    features: 4,
    values: async (all) => Promise.resolve(all.map((p) => p.reduce((s, x, i) => s + (x ? 10 ** i : 0), 0))),
  };
  const options = { points: 10, randomOrders: 5, seed: 1 };

  it('a right order deletes low and inserts high, a wrong one the other way round', async () => {
    const right = await faithfulness(game, [1, 2, 3, 4], options);
    const wrong = await faithfulness(game, [4, 3, 2, 1], options);
    expect(right.deletion.values).toEqual([1111, 111, 11, 1, 0]);
    expect(right.insertion.values).toEqual([0, 1000, 1100, 1110, 1111]);
    expect(right.deletion.auc).toBeLessThan(right.deletion.randomAuc ?? NaN);
    expect(right.insertion.auc).toBeGreaterThan(right.insertion.randomAuc ?? NaN);
    expect(wrong.deletion.auc).toBeGreaterThan(right.deletion.auc);
  });
});
