/** What the page says of where two runs part, in English. */
export const diffEn = {
  diff: {
    title: 'Diff',
    heading: 'Where two runs part',
    help: 'Two runs of one prompt, walked along together: the first value that differs beyond the noise floor, how the difference grows, and which known mistake of porting or converting, made in A, gives B’s numbers. The relative difference of a value is ‖a − b‖ / ‖a‖ over all its numbers. B is the run beside where that has another model or experiment, or what is named: a model, a recording, a safetensors file with values by the names of sites, or a live process. See docs/diff.md.',
    other: 'B: a model, a recording, a file of values, or HOST:PORT of a live process',
    beside: (name: string) => `the run beside: ${name}`,
    nothing: 'Name what A is compared with, or open a run beside with another model or experiment.',
    run: 'Compare',
    agree: (sites: number, floor: string) => `All ${sites} sites that both have agree up to ${floor}.`,
    apart: (differ: number, sites: number, floor: string) =>
      `${differ} of the ${sites} sites that both have differ by more than ${floor}.`,
    otherTokens: 'The two cut the text into other tokens; both were given A’s.',
    byLayer:
      'Noise adds up from layer to layer: each layer of A is given what B’s layer was given, and judged by its own part.',
    first: 'first differs here',
    firstAt: 'They part first at',
    thenAt: 'Then they part at',
    relative: (x: string) => `relative difference ${x}`,
    from: (sites: string) => `computed from ${sites}, which agree`,
    likely: 'Likely, in B:',
    asEdit: 'As an edit of A:',
    makeIt: 'Make it in A',
    alsoPossible: (says: string, x: string) => `as well possible: ${says} (${x})`,
    unexplained: (tried: number) => `None of ${tried} known mistakes gives B’s numbers here.`,
    proof: (agree: number, of: number, everywhere: boolean) =>
      `Made in A too, ${everywhere ? 'in every layer' : 'at this place alone'}: ${agree} of ${of} sites agree.`,
    site: 'site',
    relativeShort: 'relative difference',
    own: 'own part',
    largest: 'largest',
    cosine: 'cosine',
    nats: (x: string) => `${x} nats`,
    config: 'Fields of the config that differ',
    weights: 'Weights that differ most',
    outliers: 'What differs far more than its like in other layers',
    outlier: (name: string, x: string, median: string) => `${name} ${x}, its like ${median}`,
  },
};

export type DiffWords = typeof diffEn;
