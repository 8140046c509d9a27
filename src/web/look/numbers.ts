/** A probability as percent: three digits, the very small as less than. */
export const percent = (p: number | null | undefined): string => {
  if (p === null || p === undefined || Number.isNaN(p)) return '–';
  if (p === 0) return '0 %';
  if (p < 1e-5) return '<0.001 %';
  if (p > 0.9995 && p < 1) return '>99.9 %';
  if (p < 0.001) return `${(100 * p).toFixed(3)} %`;
  return `${(100 * p).toFixed(p < 0.1 ? 2 : 1)} %`;
};

/** A probability in hundredths, in at most five characters, for narrow columns: `99.6`, `.004`, `<.001`. */
export const hundredths = (p: number): string => {
  if (p === 0 || p === 1) return String(100 * p);
  if (p < 1e-5) return '<.001';
  const x = 100 * p;
  return x >= 99.95 && p < 1
    ? '>99.9'
    : (x >= 9.995 ? x.toFixed(1) : x >= 0.995 ? x.toFixed(2) : x.toFixed(3)).replace(/^0\./, '.');
};

/** A number of any size in at most about seven characters. */
export const compact = (x: number | null | undefined): string => {
  if (x === null || x === undefined) return '–';
  if (!Number.isFinite(x)) return Number.isNaN(x) ? 'NaN' : x > 0 ? '∞' : '−∞';
  if (x === 0) return '0';
  const size = Math.abs(x);
  if (size >= 1e5 || size < 1e-3) return x.toExponential(1).replaceAll('-', '−');
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
  return x.toFixed(digits).replace('-', '−');
};

/** A count for people: `973,056`, `1.24 billion`. */
export const count = (n: number, lang: string): string =>
  n >= 1e6
    ? new Intl.NumberFormat(lang, { notation: 'compact', maximumFractionDigits: 2 }).format(n)
    : new Intl.NumberFormat(lang).format(n);

/** Bytes for people, in powers of 1000: `1.31 GB`. */
export const bytes = (n: number): string => {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const at = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, n)) / 3)));
  return `${(n / 1000 ** at).toPrecision(3)} ${units[at] ?? ''}`;
};
