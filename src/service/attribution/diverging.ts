/** Ends of the diverging scale and its middle: blue against, nothing, orange for; as in the page. */
const against = [33, 102, 172] as const;
const nothing = [247, 247, 247] as const;
const speaking = [179, 88, 6] as const;

/** A colour for −1 to 1, as `#rrggbb`. */
export const diverging = (x: number): string => {
  const end = x < 0 ? against : speaking;
  const share = Math.min(1, Math.abs(x));
  const mixed = nothing.map((from, i) => Math.round(from + ((end[i] ?? from) - from) * share));
  return `#${mixed.map((part) => part.toString(16).padStart(2, '0')).join('')}`;
};

/** Is white readable on it? */
export const isDark = (x: number): boolean => Math.abs(x) > 0.6;
