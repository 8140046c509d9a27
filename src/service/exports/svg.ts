import { colorAt, inkOn, makePalette } from '../../base/index.js';

/** A text in which nothing is markup, nor a character that XML has not. */
export const escapeXml = (text: string): string =>
  text.replaceAll(/[\p{Cc}\p{Cs}]/gu, '\ufffd').replaceAll(/[&<>"']/g, (c) => `&#${c.codePointAt(0) ?? 0};`);

const { diverging } = makePalette('light');
const rgbOf = (share: number) => colorAt(diverging, (share + 1) / 2);

/** From blue (−1) over near white (0) to orange (1): the page's scale on a light ground. */
export const colourOf = (share: number): string =>
  `#${rgbOf(share)
    .map((part) => part.toString(16).padStart(2, '0'))
    .join('')}`;
/** What is read well on that colour. */
export const inkOf = (share: number): string => inkOn(rgbOf(share));
/** Where there is no number. */
export const noColour = '#dddddd';

/** White space that can be seen. */
export const shownText = (text: string): string =>
  text.replaceAll('\n', '↵').replaceAll('\t', '→').replaceAll(' ', '·');

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

/** About how many pixels a text of 11 or 12 takes. */
export const widthOf = (text: string): number =>
  Array.from(text).reduce((sum, c) => sum + (wide.test(c) ? 13 : 7.5), 0);

export type Point = readonly [x: number, y: number];

export const textAt = ([x, y]: Point, text: string, more = ''): string =>
  `<text x="${x}" y="${y}"${more === '' ? '' : ` ${more}`}>${escapeXml(text)}</text>`;

/** What a part of the picture says when one points at it. */
export const tip = (text: string): string => `<title>${escapeXml(text)}</title>`;

/** A part of a picture, with how far it reaches. */
export interface Drawn {
  readonly body: string;
  readonly width: number;
  readonly height: number;
}

/** What the colours mean, at a height. No rectangles: those are cells. */
export const legendAt = (y: number, scale: number): string => {
  const steps = Array.from({ length: 41 }, (_, i) => {
    const path = `M${10 + i * 4} ${y}h4.2v10h-4.2z`;
    return `<path d="${path}" fill="${colourOf(-1 + i / 20)}"/>`;
  });
  const told = Number(scale.toPrecision(3));
  const ends = [textAt([10, y + 24], `−${told}`), textAt([174, y + 24], `${told}`, 'text-anchor="end"')];
  return [...steps, ...ends, textAt([92, y + 24], '0', 'text-anchor="middle"')].join('\n');
};

/** A whole picture, its title above. */
export const svgDocument = ({ width, height, body }: Drawn, title: string): string => {
  const [w, h] = [Math.ceil(Math.max(width, widthOf(title) + 30, 200)), Math.ceil(height)];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 ${w} ${h}" font-family="sans-serif" font-size="11">
<rect width="100%" height="100%" fill="#ffffff"/>
${textAt([10, 20], title, 'font-size="13" font-weight="bold"')}
${body}
</svg>
`;
};
