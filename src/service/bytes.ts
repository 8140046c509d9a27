/** Bytes for people: `1.5 GB`, powers of ten. */
export const formatBytes = (bytes: number): string => {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const scaled = bytes / 1000 ** power;
  return `${power === 0 ? scaled : scaled.toPrecision(3)} ${units[power] ?? ''}`;
};
