import { colourOf, inkOf, legendAt, noColour, svgDocument, textAt, tip, widthOf, type Drawn } from './svg.js';

/** Numbers by row and column. */
export interface Grid {
  readonly title?: string;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** [row][column] */
  readonly values: readonly (readonly (number | null)[])[];
  /** [row][column]: what is written into the cells. */
  readonly texts?: readonly (readonly string[])[];
  /** What a cell says when one points at it. */
  readonly told?: (row: string, column: string, value: number | null) => string;
}

const size = 24;

/** The largest of the numbers of grids, for the scale; 1 where all are 0. */
export const scaleOf = (grids: readonly Pick<Grid, 'values'>[]): number =>
  grids.reduce((most, g) => g.values.flat().reduce<number>((m, x) => Math.max(m, Math.abs(x ?? 0)), most), 0) || 1;

const usualTold = (row: string, column: string, value: number | null): string =>
  `${row}.${column}: ${value === null ? 'none' : value.toPrecision(4)}`;

/** Labels above the columns: flat where they are short, else turned. */
const heads = (columns: readonly string[], step: number, [left, top]: readonly [number, number]): string[] =>
  columns.map((c, i) => {
    const x = left + (i + 0.5) * step;
    if (columns.every((name) => widthOf(name) <= step)) return textAt([x, top - 7], c, 'text-anchor="middle"');
    return textAt([x + 4, top - 7], c, `transform="rotate(-60 ${x + 4} ${top - 7})"`);
  });

/** A grid from a height on: a row a line, a colour a number. `scale`: the number at the ends of the colours. */
export const gridAt = (y: number, grid: Grid, scale: number): Drawn => {
  const { rows, columns, values, texts, title, told = usualTold } = grid;
  const step = Math.max(size, ...(texts?.flat().map((t) => widthOf(t) + 6) ?? []));
  const longest = Math.max(0, ...columns.map(widthOf));
  const turned = longest > step;
  const left = Math.max(30, ...rows.map(widthOf)) + 20;
  const top = y + (title === undefined ? 0 : 18) + (turned ? longest * 0.87 + 12 : 18);
  const cells = rows.flatMap((row, r) =>
    columns.map((column, c) => {
      const value = values[r]?.[c] ?? null;
      const [x, line] = [left + c * step, top + r * size];
      const fill = value === null ? noColour : colourOf(value / scale);
      const box = `<rect x="${x}" y="${line}" width="${step - 1}" height="${size - 1}" fill="${fill}">${tip(told(row, column, value))}</rect>`;
      const text = texts?.[r]?.[c];
      if (text === undefined || text === '') return box;
      const more = `text-anchor="middle" fill="${inkOf((value ?? 0) / scale)}" pointer-events="none"`;
      return box + textAt([x + step / 2, line + 16], text, more);
    }),
  );
  const names = rows.map((row, r) => textAt([left - 6, top + r * size + 16], row, 'text-anchor="end"'));
  const above = title === undefined ? [] : [textAt([10, y + 12], title, 'font-weight="bold"')];
  const right = turned ? longest / 2 + 10 : 10;
  return {
    body: [...above, ...heads(columns, step, [left, top]), ...names, ...cells].join('\n'),
    width: Math.max(left + columns.length * step + right, title === undefined ? 0 : widthOf(title) + 30),
    height: top + rows.length * size + 14,
  };
};

/** Grids under each other on one scale, which a legend tells. */
export const gridsSvg = (title: string, grids: readonly Grid[], scale = scaleOf(grids)): string => {
  let height = 36;
  const drawn = grids.map((grid) => {
    const part = gridAt(height, grid, scale);
    height = part.height + 16;
    return part;
  });
  const width = Math.max(200, ...drawn.map((d) => d.width));
  const body = [...drawn.map((d) => d.body), legendAt(height, scale)].join('\n');
  return svgDocument({ body, width, height: height + 36 }, title);
};

/** A picture of numbers by row and column: layers × heads. */
export interface GridPicture {
  readonly title: string;
  readonly cells: readonly {
    readonly row: string;
    readonly column: string;
    readonly value: number;
    /** What is written into the cell. */
    readonly text?: string;
  }[];
}

/** The picture as an SVG document, each cell with its number as a tooltip. */
export const gridSvg = ({ title, cells }: GridPicture): string => {
  const [rows, columns] = [[...new Set(cells.map((c) => c.row))], [...new Set(cells.map((c) => c.column))]];
  const at = new Map(cells.map((c) => [`${c.row}\n${c.column}`, c]));
  const filled = <T>(read: (cell: GridPicture['cells'][number] | undefined) => T): T[][] =>
    rows.map((row) => columns.map((column) => read(at.get(`${row}\n${column}`))));
  const values = filled((cell) => cell?.value ?? null);
  const texts = cells.some((c) => c.text !== undefined) ? { texts: filled((cell) => cell?.text ?? '') } : {};
  const scale = scaleOf([{ values }]);
  return gridsSvg(`${title} (largest ${scale.toPrecision(3)})`, [{ rows, columns, values, ...texts }], scale);
};
