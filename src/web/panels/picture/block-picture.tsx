import { For, Show, type JSX } from 'solid-js';
import type { PictureForm, PicturePart } from '../../../protocol/index.js';
import { useApp, type App } from '../../app.js';
import { formLayout, type PlacedPart } from './layout.js';

const [rowHeight, laneWidth, boxWidth, boxHeight] = [36, 112, 102, 26];
/** Where the stream runs, and where the first lane beside it begins. */
const [streamX, laneX] = [30, 62];
/** Room on the left for what comes from the encoder. */
const sourceRoom = 46;

const centre = ({ lane }: Pick<PlacedPart, 'lane'>): number =>
  lane === 0 ? streamX : laneX + (lane - 1) * laneWidth + boxWidth / 2;

const nameOf = (app: App, { kind, id, heads, experts, chosen }: PicturePart): string => {
  const t = app.t().picture;
  switch (kind) {
    case 'attention': {
      const name = id.startsWith('cross') ? t.kinds.cross : t.kinds.attention;
      return heads === undefined ? name : `${name} · ${heads}`;
    }
    case 'experts':
      return `${t.kinds.experts} · ${t.chosen(chosen ?? 0, experts ?? 0)}`;
    case 'sum':
      return t.kinds.sum;
    default:
      return t.kinds[kind];
  }
};

/** Of a part and its name. */
export interface PartColors {
  readonly fill: string;
  readonly ink: string;
}

interface PartProps {
  readonly placed: PlacedPart;
  readonly y: number;
  readonly go: (part: PicturePart) => void;
  readonly colors: PartColors | undefined;
  readonly isMarked: boolean;
}

/** A module as a box, a sum as a circle, a norm in the stream as a bar across it. */
const PartShape = (props: PartProps): JSX.Element => {
  const app = useApp();
  const part = () => props.placed.part;
  const x = () => centre(props.placed);
  const isNarrow = () => props.placed.lane === 0 && part().kind !== 'sum';
  const width = () => (isNarrow() ? 54 : boxWidth);
  const fill = () => (props.colors ? { fill: props.colors.fill } : {});
  const ink = () => (props.colors ? { fill: props.colors.ink } : {});
  const label = (): string =>
    `${part().id}: ${nameOf(app, part())}, ${app.t().picture.parameters(String(part().parameters))}`;
  return (
    <g
      class={`part ${part().kind}`}
      classList={{ marked: props.isMarked }}
      role="button"
      tabindex="0"
      aria-label={label()}
      onClick={() => props.go(part())}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault();
        props.go(part());
      }}
      onPointerEnter={() => app.point(label())}
      onPointerLeave={() => app.point(undefined)}
    >
      <Show
        when={part().kind === 'sum'}
        fallback={
          <rect
            x={x() - width() / 2}
            y={props.y - boxHeight / 2}
            width={width()}
            height={boxHeight}
            rx="4"
            style={fill()}
          />
        }
      >
        <circle cx={x()} cy={props.y} r="9" style={fill()} />
      </Show>
      <text
        x={x()}
        y={props.y + 4}
        text-anchor="middle"
        style={ink()}
        class={part().id.startsWith('cross') ? 'long' : ''}
      >
        {nameOf(app, part())}
      </text>
    </g>
  );
};

/** A line from one part up to another: level first, then up; into the stream up first, then level. */
const path = (from: readonly [number, number], to: readonly [number, number], halfTo: number): string => {
  const [[x0, y0], [x1, y1]] = [from, to];
  if (x0 === x1) return `M${x0} ${y0}V${y1 + halfTo}`;
  if (x1 === streamX) return `M${x0} ${y0}V${y1}H${x1 + 9}`;
  if (x0 === streamX) return `M${x0} ${y0}H${x1}V${y1 + halfTo}`;
  return `M${x0} ${y0}V${(y0 + y1) / 2}H${x1}V${y1 + halfTo}`;
};

/** What comes from the encoder. */
const FromSource = (props: { readonly x: number; readonly y: number }): JSX.Element => {
  const t = useApp().t;
  return (
    <>
      <path class="wire source" d={`M${-sourceRoom} ${props.y}H${props.x - boxWidth / 2}`} marker-end="url(#arrow)" />
      <text class="source-name" x={-sourceRoom} y={props.y - 5}>
        {t().picture.encoder}
      </text>
    </>
  );
};

interface Props {
  readonly form: PictureForm;
  readonly label: string;
  readonly go: (part: PicturePart) => void;
  /** As usual where there are none. */
  readonly colors?: (part: PicturePart) => PartColors | undefined;
  readonly isMarked?: (part: PicturePart) => boolean;
}

/** The inside of a block, from its input at the bottom to its output at the top. */
export const BlockPicture = (props: Props): JSX.Element => {
  const layout = () => formLayout(props.form);
  const height = () => layout().rows * rowHeight + 14;
  const width = () => laneX + Math.max(1, layout().lanes - 1) * laneWidth;
  const yOf = (row: number): number => height() - 12 - row * rowHeight + (row === 0 ? 12 : 0);
  const lines = () =>
    layout().parts.flatMap((placed) =>
      placed.part.inputs
        .filter((one) => one !== 'source')
        .map((one) => {
          const from = layout().parts.find((p) => p.part.id === one);
          const start = from ? ([centre(from), yOf(from.row)] as const) : ([streamX, yOf(0)] as const);
          // Lines that branch off the stream leave it below the box that they lead to.
          const begin: readonly [number, number] =
            start[0] === streamX && placed.lane > 0 ? [streamX, yOf(placed.row) + rowHeight / 2 + 3] : start;
          const half = placed.part.kind === 'sum' ? 9 : boxHeight / 2;
          return path(begin, [centre(placed), yOf(placed.row)], half);
        }),
    );
  const fromSource = () => layout().parts.filter((p) => p.part.inputs.includes('source'));
  const left = (): number => (fromSource().length > 0 ? -sourceRoom : 0);
  const top = () => layout().parts.find((p) => p.part.id === props.form.output);
  return (
    <svg
      class="block-picture"
      viewBox={`${left()} 0 ${width() + 4 - left()} ${height()}`}
      width={width() + 4 - left()}
      role="group"
      aria-label={props.label}
    >
      <defs>
        <marker id="arrow" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="6" markerHeight="6" orient="auto">
          <path d="M0 0L6 3L0 6z" />
        </marker>
      </defs>
      <For each={lines()}>{(d) => <path class="wire" d={d} marker-end="url(#arrow)" />}</For>
      <Show when={top()}>
        {(last) => <path class="wire" d={`M${centre(last())} ${yOf(last().row)}V0`} marker-end="url(#arrow)" />}
      </Show>
      <For each={fromSource()}>{(placed) => <FromSource x={centre(placed)} y={yOf(placed.row)} />}</For>
      <For each={layout().parts}>
        {(placed) => (
          <PartShape
            {...{ placed, y: yOf(placed.row), go: props.go }}
            colors={props.colors?.(placed.part)}
            isMarked={props.isMarked?.(placed.part) ?? false}
          />
        )}
      </For>
    </svg>
  );
};
