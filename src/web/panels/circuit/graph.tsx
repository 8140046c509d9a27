import { createMemo, createSignal, For, onCleanup, onMount, Show, type JSX } from 'solid-js';
import { readingPart, type CircuitResult } from '../../../protocol/index.js';
import { useApp } from '../../app.js';
import { watchSize } from '../../look/canvas.js';
import { colorAt, css } from '../../look/color.js';
import {
  box,
  largestOf,
  layoutOf,
  linePath,
  nodesOf,
  rowsOf,
  widthOf,
  worthOf,
  type CircuitEdge,
  type CircuitNode,
  type Layout,
} from './data.js';
import { useNodes } from './nodes.js';

/** Widths of lines in pixels, of what carries nothing and of what carries most. */
const [thin, thick] = [0.6, 6];

interface EdgeProps {
  readonly edge: CircuitEdge;
  readonly largest: number;
  readonly places: Layout['places'];
  /** The part whose edges are told apart from the others. */
  readonly chosen: string | undefined;
}

const Edge = (props: EdgeProps): JSX.Element => {
  const app = useApp();
  const { edgeText } = useNodes();
  const share = (): number => Math.abs(worthOf(props.edge)) / props.largest;
  const isOff = (): boolean =>
    props.chosen !== undefined && props.edge.from !== props.chosen && readingPart(props.edge.to) !== props.chosen;
  return (
    <Show when={linePath(props.edge, props.places)}>
      {(path) => (
        <path
          class="circuit-edge"
          classList={{ off: isOff(), guessed: props.edge.effect === undefined }}
          d={path()}
          stroke={css(colorAt(app.palette().diverging, worthOf(props.edge) < 0 ? 0.15 : 0.85))}
          stroke-width={(thin + (thick - thin) * share()).toFixed(2)}
          onPointerEnter={() => app.point(edgeText(props.edge))}
          onPointerLeave={() => app.point(undefined)}
        >
          <title>{edgeText(props.edge)}</title>
        </path>
      )}
    </Show>
  );
};

interface NodeProps {
  readonly node: CircuitNode;
  readonly places: Layout['places'];
  readonly choose: (name: string | undefined) => void;
}

const Node = (props: NodeProps): JSX.Element => {
  const app = useApp();
  const { shortName, nodeText, isAt, go } = useNodes();
  const at = () => props.places.get(props.node.name) ?? { x: 0, y: 0 };
  const point = (): void => {
    props.choose(props.node.name);
    app.point(nodeText(props.node));
  };
  const leave = (): void => {
    props.choose(undefined);
    app.point(undefined);
  };
  return (
    <g
      class="circuit-node"
      data-node={props.node.name}
      role="button"
      tabindex="0"
      aria-label={nodeText(props.node)}
      aria-pressed={isAt(props.node)}
      transform={`translate(${at().x.toFixed(1)} ${at().y.toFixed(1)})`}
      onClick={() => go(props.node)}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault();
        go(props.node);
      }}
      onPointerEnter={point}
      onPointerLeave={leave}
      onFocus={point}
      onBlur={leave}
    >
      <rect x={-widthOf(props.node) / 2} y={-box.height / 2} width={widthOf(props.node)} height={box.height} rx="4" />
      <text text-anchor="middle" dy="4">
        {shortName(props.node)}
      </text>
    </g>
  );
};

/** Parts by layer from below to above, joined by lines as wide as what they carry. */
export const Graph = (props: { readonly result: CircuitResult }): JSX.Element => {
  const app = useApp();
  let space: HTMLDivElement | undefined;
  const [room, setRoom] = createSignal(380);
  const [chosen, choose] = createSignal<string>();
  onMount(() => space && onCleanup(watchSize(space, ({ width }) => setRoom(Math.max(240, width)))));
  const nodes = createMemo(() => nodesOf(props.result.edges));
  const rows = createMemo(() => rowsOf(nodes()));
  const layout = createMemo(() => layoutOf(rows(), room()));
  const largest = (edge: CircuitEdge): number => largestOf(props.result.edges, edge.effect !== undefined);
  const firstOf = (row: readonly CircuitNode[]): CircuitNode | undefined => row[0];
  return (
    <div class="circuit-graph" ref={space}>
      <svg
        id="circuit-graph"
        role="group"
        aria-label={app.t().circuits.graph}
        width={layout().width}
        height={layout().height}
      >
        <For each={rows()}>
          {(row) => (
            <text class="circuit-layer" x="2" y={(layout().places.get(firstOf(row)?.name ?? '')?.y ?? 0) + 4}>
              {firstOf(row)?.layer === undefined || firstOf(row)?.kind === 'mlp' ? '' : `L${firstOf(row)?.layer ?? ''}`}
            </text>
          )}
        </For>
        <For each={props.result.edges}>
          {(edge) => <Edge edge={edge} largest={largest(edge)} places={layout().places} chosen={chosen()} />}
        </For>
        <For each={nodes()}>{(node) => <Node node={node} places={layout().places} choose={choose} />}</For>
      </svg>
      <p class="small soft">{app.t().circuits.graph}</p>
    </div>
  );
};
