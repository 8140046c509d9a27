/** Rows of the stream that go through an instance in one call. */
export const mostRows = 1024;

/** Variants that are led through the model together: their rows, and the numbers in these. */
export const sweptAtOnce = { rows: 2 ** 13, numbers: 2 ** 23 } as const;
