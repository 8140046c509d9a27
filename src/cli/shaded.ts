/** Steps from nothing to all in the 256 colours of terminals: blue against, orange for. */
const blues = [231, 189, 153, 111, 69, 33];
const oranges = [231, 223, 216, 209, 202, 166];

const hasShades = (): boolean => process.stdout.isTTY && process.stdout.hasColors(256);

/**
 * A text on the colour of a number, on a terminal with 256 colours; else as it is.
 * @param share −1 to 1
 */
export const shaded = (text: string, share: number): string => {
  if (!hasShades()) return text;
  const scale = share < 0 ? blues : oranges;
  const step = Math.min(scale.length - 1, Math.round(Math.abs(share) * (scale.length - 1)));
  const ink = step >= scale.length - 2 ? 231 : 16;
  return `\u001b[48;5;${scale[step] ?? 231};38;5;${ink}m${text}\u001b[0m`;
};

/** A bar from the middle: to the left for what is against, to the right for what speaks for it. */
export const bar = (share: number, half = 10): string => {
  const filled = Math.min(half, Math.round(Math.abs(share) * half));
  if (share < 0) return `${' '.repeat(half - filled)}${'█'.repeat(filled)}│`;
  return `${' '.repeat(half)}│${'█'.repeat(filled)}`;
};
