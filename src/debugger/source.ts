import { listingOf, type ListingLine, type Program, type ValueId } from '../graph/index.js';

/** A line of the listing at which a run can stand: an operation that comes next. */
export interface OpLine {
  /** In the listing, from 1. */
  readonly line: number;
  readonly node: ValueId;
  /** The module that the operation is in, relative to its segment: `attn`; empty at the top. */
  readonly module: string;
  /** The site that the operation gives its value to, relative to its segment. */
  readonly site?: string;
}

/** The listing as a debugger's source: its text, and the lines of each segment in the order in which they run. */
export interface Source {
  readonly lines: readonly ListingLine[];
  opsOf(segment: string): readonly OpLine[];
}

const moduleOf = (scope: string, segment: string): string => {
  if (scope === segment || !scope.startsWith(segment)) return '';
  return scope.slice(segment.length + 1);
};

/** The listing of a program, with its operations found by segment. */
export const makeSource = (program: Program): Source => {
  const lines = listingOf(program);
  const ops = new Map<string, OpLine[]>(program.segments.map((s) => [s.id, []]));
  const scopes = new Map(
    program.segments.map((s) => [s.id, new Map(s.graph.nodes.map((n) => [n.id, moduleOf(n.scope, s.id)]))]),
  );
  lines.forEach(({ node, segments, site }, i) => {
    if (node === undefined) return;
    for (const segment of segments) {
      const module = scopes.get(segment)?.get(node) ?? '';
      ops.get(segment)?.push({ line: i + 1, node, module, ...(site === undefined ? {} : { site }) });
    }
  });
  return { lines, opsOf: (segment) => ops.get(segment) ?? [] };
};
