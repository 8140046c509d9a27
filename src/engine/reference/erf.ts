/**
 * The error function, to about 1e-15: 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (2n+1)!!. All terms have one sign, so nothing
 * cancels. From 6 on, 1 is the nearest float64.
 * @source Abramowitz & Stegun 1964, eq. 7.1.6
 */
export const erf = (x: number): number => {
  if (Math.abs(x) >= 6) return Math.sign(x);
  let [term, sum] = [x, x];
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  const value = (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
  return Math.min(1, Math.max(-1, value));
};
