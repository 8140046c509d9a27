const far = 1e9;

/** Steps of the keys that move about: to the right, and down. */
const steps: Readonly<Record<string, readonly [number, number]>> = {
  ...{ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] },
  ...{ Home: [-far, 0], End: [far, 0], PageUp: [0, -far], PageDown: [0, far] },
};

/** Where a key moves: columns to the right, rows down; undefined for other keys. */
export const stepOf = (key: string): readonly [number, number] | undefined => steps[key];

/** How much larger a key makes what is seen; 0: as large as fits. */
export const zoomOf = (key: string): number | undefined => ({ '+': 1.5, '=': 1.5, '-': 1 / 1.5, '0': 0 })[key];

export const clamp = (x: number, most: number): number => Math.min(Math.max(0, most), Math.max(0, x));
