import { readingPart } from '../../../protocol/index.js';
import { useApp } from '../../app.js';
import { layerOf } from '../../look/names.js';
import { compact } from '../../look/numbers.js';
import { portOf, worthOf, type CircuitEdge, type CircuitNode } from './data.js';

/** The names of parts and edges in the page's language, and where a part is looked at. */
export const useNodes = () => {
  const app = useApp();
  const t = () => app.t().circuits;
  const rowOf = ({ layer }: CircuitNode): string | undefined =>
    layer === undefined
      ? undefined
      : app.results.board()?.rows.find((row) => layerOf(row)?.replace('decoder.', '') === String(layer));
  const whole = (name: string): string => {
    const [, kind = '', number] = /^(\w+)(?: (.+))?$/.exec(name) ?? [];
    const known = t().names[kind as keyof ReturnType<typeof t>['names']];
    return number === undefined ? known : `${known} ${number}`;
  };
  /** Where an edge leads: `head 4.1, keys`. */
  const readerText = (to: string): string => {
    const port = portOf(to);
    return port === undefined ? whole(to) : `${whole(readingPart(to))}, ${t().through(port)}`;
  };
  return {
    readerText,
    /** In a box: `2.0`, `MLP 3`. */
    shortName: ({ kind, layer, head, name }: CircuitNode): string =>
      kind === 'head' ? `${layer ?? ''}.${head ?? ''}` : whole(name),
    wholeName: whole,
    nodeText: (node: CircuitNode): string => t().node(whole(node.name), node.edges),
    edgeText: (edge: CircuitEdge): string => {
      const number = compact(worthOf(edge));
      const what = edge.effect === undefined ? `${t().guess} ${number}` : `${t().lost} ${number}`;
      return t().edge(whole(edge.from), readerText(edge.to), what);
    },
    isAt: (node: CircuitNode): boolean => {
      const [focus, row] = [app.focus(), rowOf(node)];
      return row !== undefined && focus?.after === row && focus.head === node.head;
    },
    go: (node: CircuitNode): void => {
      const row = node.kind === 'embed' ? app.results.board()?.rows[0] : rowOf(node);
      if (row !== undefined) app.look({ after: row, head: node.head });
    },
  };
};
