import { colorAt, type Rgb } from './color.js';
import { shrunk, type Matrix } from './matrix.js';

/** What stands for a masked score: the least number of float32. */
export const masked = -3e38;

/** From which number to which the colours go. */
export interface Ends {
  readonly from: number;
  readonly to: number;
}

/** A number as a colour; undefined for what is masked. */
const shareOf = (x: number, { from, to }: Ends): number | undefined =>
  x < masked ? undefined : to === from ? 0 : (x - from) / (to - from);

/** A matrix as an image, a pixel a number. What is masked stays empty. */
export const imageOf = (matrix: Matrix, colors: readonly Rgb[], ends: Ends): ImageData => {
  const { rows, columns, data } = matrix;
  const image = new ImageData(Math.max(1, columns), Math.max(1, rows));
  for (let i = 0; i < data.length; i++) {
    const share = shareOf(data[i] ?? 0, ends);
    if (share === undefined) continue;
    const [r, g, b] = colorAt(colors, share);
    const at = 4 * i;
    image.data[at] = r;
    image.data[at + 1] = g;
    image.data[at + 2] = b;
    image.data[at + 3] = 255;
  }
  return image;
};

/** An image as something that can be painted. */
export const bitmapOf = (image: ImageData): OffscreenCanvas => {
  const small = new OffscreenCanvas(image.width, image.height);
  small.getContext('2d')?.putImageData(image, 0, 0);
  return small;
};

/** Paints an image into a rectangle without blurring. */
export const paint = (
  c: CanvasRenderingContext2D,
  image: ImageData | OffscreenCanvas,
  rect: readonly [number, number, number, number],
): void => {
  c.imageSmoothingEnabled = false;
  c.drawImage(image instanceof ImageData ? bitmapOf(image) : image, ...rect);
};

/** Matrices as something to paint, each made once for its colours. */
export const makeImages = () => {
  let images = new WeakMap<Matrix, { readonly of: string; readonly image: OffscreenCanvas }>();
  let colors: readonly Rgb[] | undefined;
  return (
    matrix: Matrix,
    given: { readonly colors: readonly Rgb[]; readonly ends: Ends; readonly most?: number },
  ): OffscreenCanvas => {
    if (colors !== given.colors) images = new WeakMap();
    colors = given.colors;
    const of = `${given.ends.from} ${given.ends.to} ${given.most ?? ''}`;
    const known = images.get(matrix);
    if (known?.of === of) return known.image;
    const small = given.most === undefined ? matrix : shrunk(matrix, given.most, given.ends.from === -given.ends.to);
    const image = bitmapOf(imageOf(small, given.colors, given.ends));
    images.set(matrix, { of, image });
    return image;
  };
};
