import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { systemFonts } from './system-fonts.node.js';

const require = createRequire(import.meta.url);
const ours = ['DejaVuSans', 'DejaVuSans-Bold', 'DejaVuSansMono', 'DejaVuSansMono-Bold'];
/** Pixels of a picture at the most: 256 MB while it is drawn. */
const mostPixels = 64_000_000;

/** Two pixels for one, as long as the picture stays drawable. */
const zoomOf = (svg: string): number => {
  const [, width = '1', height = '1'] = /^<svg [^>]*?width="(\d+)" height="(\d+)"/.exec(svg) ?? [];
  return Math.min(2, Math.sqrt(mostPixels / (Number(width) * Number(height))));
};

let started: Promise<unknown> | undefined;

/** The renderer of SVG; it can be started once a process. */
const renderer = async () => {
  const { initWasm, Resvg } = await import('@resvg/resvg-wasm');
  started ??= readFile(require.resolve('@resvg/resvg-wasm/index_bg.wasm')).then(initWasm);
  await started;
  return Resvg;
};

/**
 * A picture as PNG, with the fonts that come with us, and where a text needs others the system's.
 * @param note is told what does not look as it should
 */
export const pngOf = async (svg: string, note: (text: string) => void): Promise<Uint8Array> => {
  const Resvg = await renderer();
  const own = ours.map((name) => readFile(require.resolve(`dejavu-fonts-ttf/ttf/${name}.ttf`)));
  const others = await systemFonts(svg);
  if (others.missing) note('no font of this machine has some of the characters: the picture shows boxes for them');
  const zoom = zoomOf(svg);
  if (zoom < 1) note('the picture is large, and was made smaller: .svg has it whole');
  const drawing = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: zoom },
    font: {
      fontBuffers: [...(await Promise.all(own)), ...others.fonts],
      ...{ defaultFontFamily: 'DejaVu Sans', sansSerifFamily: 'DejaVu Sans', monospaceFamily: 'DejaVu Sans Mono' },
    },
  });
  try {
    return drawing.render().asPng();
  } finally {
    drawing.free();
  }
};
