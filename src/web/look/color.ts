export {
  colorAt,
  css,
  inkOn,
  makePalette,
  type Palette,
  type Rgb,
  type ScaleKind,
  type Theme,
} from '../../base/index.js';

/** At most eight kinds that colour-blind people can tell apart. @source Okabe & Ito 2008 */
export const categories = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#f0e442', '#777777'];
