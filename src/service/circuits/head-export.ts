import type { Because, HeadResult, HeadsResult, WordPair } from '../../protocol/index.js';
import { gridsSvg, scaleOf, type Exportable, type Grid, type Table } from '../exports/index.js';

type Row = readonly [what: string, from: string, to: string, value: number];

/** The numbers by which one head is told, a line a pair: of words, of parts of the two streams, and of tokens. */
const rowsOf = ({ writes, looks, because }: HeadResult): readonly Row[] => {
  const words = (what: string, pairs: readonly WordPair[] = []): Row[] =>
    pairs.map(({ from, to, value }) => [what, from.text, to.text, value]);
  if (!because) return [...words('writes', writes), ...words('looks', looks)];
  const { query, key, tokens, byQuery, byKey, pairs } = because;
  return [
    ...words('writes', writes),
    ...words('looks', looks),
    ...tokens.map((t): Row => ['weight', query.text, t.text, t.weight]),
    ...tokens.map((t): Row => ['q·k', query.text, t.text, t.value]),
    ...byQuery.map((p): Row => ['by query', p.part, key.text, p.value]),
    ...byKey.map((p): Row => ['by key', query.text, p.part, p.value]),
    ...pairs.map((p): Row => ['by both', p.query, p.key, p.value]),
  ];
};

const tableOf = (result: HeadResult): Table => ({
  columns: ['what', 'from', 'to', 'value'],
  rows: rowsOf(result).map((row) => [...row]),
});

interface Placed {
  readonly row: string;
  readonly column: string;
  readonly value: number | null;
}

const gridOf = (title: string, cells: readonly Placed[]): Grid => {
  const [rows, columns] = [[...new Set(cells.map((c) => c.row))], [...new Set(cells.map((c) => c.column))]];
  const at = new Map(cells.map((c) => [`${c.row}\n${c.column}`, c.value]));
  const values = rows.map((r) => columns.map((c) => at.get(`${r}\n${c}`) ?? null));
  return { title, rows, columns, values, texts: values.map((row) => row.map((x) => x?.toFixed(2) ?? '')) };
};

const wordGrid = (title: string, pairs: readonly WordPair[]): Grid =>
  gridOf(
    title,
    pairs.map(({ from, to, value }) => ({ row: from.text, column: to.text, value })),
  );

const becauseGrids = ({ query, key, tokens, pairs }: Because): readonly Grid[] => [
  gridOf(
    `q·k of ${query.text} with the tokens looked at most`,
    tokens.map((t) => ({ row: query.text, column: `${t.position} ${t.text}`, value: t.value })),
  ),
  gridOf(
    `because of what is at ${query.text} (rows) and at ${key.text} (columns)`,
    pairs.map((p) => ({ row: p.query, column: p.key, value: p.value })),
  ),
];

const svgOf = ({ head, writes, looks, because }: HeadResult): string => {
  const grids = [
    ...(writes ? [wordGrid('reading the word of a row, it writes the word of a column', writes)] : []),
    ...(looks ? [wordGrid('the word of a row looks at the word of a column', looks)] : []),
    ...(because ? becauseGrids(because) : []),
  ];
  return gridsSvg(`head ${head}`, grids, scaleOf(grids));
};

/** One head in the forms in which it is written. */
export const headExport = (result: HeadResult): Exportable => ({
  json: () => result,
  csv: () => tableOf(result),
  svg: () => svgOf(result),
});

const columns = [
  ...(['name', 'layer', 'head', 'kind', 'previous', 'next', 'current', 'first', 'duplicate', 'induction'] as const),
  ...(['copying', 'copies', 'suppresses'] as const),
] as const;

/** The scores that a picture has, a layer a row and a head a column. */
const pictured = columns.slice(4);

/** All heads in the forms in which they are written: every score that is told has a picture. */
export const headsExport = (result: HeadsResult): Exportable => ({
  json: () => result,
  csv: () => ({ columns, rows: result.heads.map((h) => columns.map((c) => h[c] ?? '')) }),
  svg: () => {
    const told = pictured.filter((name) => result.heads.some((h) => h[name] !== null));
    const grids = told.map((name) =>
      gridOf(
        name,
        result.heads.map((h) => ({ row: h.layer, column: `${h.head}`, value: Number(h[name] ?? 0) })),
      ),
    );
    return gridsSvg('heads, layer × head', grids, 1);
  },
});
