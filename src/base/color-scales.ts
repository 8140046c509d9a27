/** Scales of colour, even to the eye: made in OKLab, from few stops. */

export type Rgb = readonly [number, number, number];
/** Lightness 0 to 1, chroma, hue in degrees. */
type Lch = readonly [number, number, number];

/** @source Björn Ottosson 2020, "A perceptual color space for image processing" */
const toRgb = ([lightness, a, b]: readonly [number, number, number]): Rgb => {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  const encode = (x: number): number => {
    const y = Math.min(1, Math.max(0, x));
    return Math.round(255 * (y <= 0.0031308 ? 12.92 * y : 1.055 * y ** (1 / 2.4) - 0.055));
  };
  return [encode(linear[0] ?? 0), encode(linear[1] ?? 0), encode(linear[2] ?? 0)];
};

const toLab = ([lightness, chroma, hue]: Lch): readonly [number, number, number] => [
  lightness,
  chroma * Math.cos((hue * Math.PI) / 180),
  chroma * Math.sin((hue * Math.PI) / 180),
];

const steps = 256;

/** 256 colours through stops that are equally far apart. */
const table = (stops: readonly Lch[]): readonly Rgb[] => {
  const labs = stops.map(toLab);
  return Array.from({ length: steps }, (_, i) => {
    const at = (i / (steps - 1)) * (labs.length - 1);
    const low = Math.min(labs.length - 2, Math.floor(at));
    const [p, q, t] = [labs[low] ?? [0, 0, 0], labs[low + 1] ?? [0, 0, 0], at - low];
    return toRgb([p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1]), p[2] + t * (q[2] - p[2])]);
  });
};

export type Theme = 'light' | 'dark';
/** Diverging: blue below 0, orange above, nothing at 0 in the middle. */
export type ScaleKind = 'sequential' | 'diverging';

const stops: Readonly<Record<ScaleKind, Readonly<Record<Theme, readonly Lch[]>>>> = {
  sequential: {
    light: [
      [0.975, 0.008, 95],
      [0.88, 0.09, 95],
      [0.72, 0.12, 165],
      [0.52, 0.12, 235],
      [0.32, 0.13, 275],
    ],
    dark: [
      [0.22, 0.015, 265],
      [0.36, 0.1, 275],
      [0.54, 0.12, 240],
      [0.74, 0.12, 165],
      [0.93, 0.11, 100],
    ],
  },
  diverging: {
    light: [
      [0.42, 0.13, 260],
      [0.75, 0.09, 245],
      [0.975, 0.004, 95],
      [0.75, 0.11, 55],
      [0.45, 0.15, 45],
    ],
    dark: [
      [0.82, 0.1, 240],
      [0.5, 0.12, 255],
      [0.22, 0.01, 265],
      [0.52, 0.12, 45],
      [0.82, 0.13, 60],
    ],
  },
};

/** The 256 colours of a scale, by kind and theme. */
export type Palette = Readonly<Record<ScaleKind, readonly Rgb[]>>;
export const makePalette = (theme: Theme): Palette => ({
  sequential: table(stops.sequential[theme]),
  diverging: table(stops.diverging[theme]),
});

/** @param x 0 to 1 */
export const colorAt = (colors: readonly Rgb[], x: number): Rgb =>
  colors[Math.round(Math.min(1, Math.max(0, x)) * (steps - 1))] ?? [0, 0, 0];

export const css = ([r, g, b]: Rgb): string => `rgb(${r} ${g} ${b})`;

/** Black or white, whichever is read better on a colour. WCAG's relative luminance. */
export const inkOn = (color: Rgb): string => {
  const [r, g, b] = color.map((c) => {
    const x = c / 255;
    return x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? '#111' : '#fff';
};
