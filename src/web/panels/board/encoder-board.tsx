import { createMemo, createSignal, Show, type JSX } from 'solid-js';
import { useApp, type App } from '../../app.js';
import { clearedContext, inks } from '../../look/canvas.js';
import { colorAt, css } from '../../look/color.js';
import { stepOf } from '../../look/keys.js';
import { rowName } from '../../look/names.js';
import { percent } from '../../look/numbers.js';
import { visible } from '../../look/token-text.js';
import { usePicture } from '../../look/use-picture.js';
import { cellText } from '../../shell/cell-text.js';
import { ScaleStrip } from '../../shell/scale-strip.jsx';
import type { Board } from '../../state/board.js';
import { useCrossRow, type CrossRow } from './cross-row.js';
import { drawBoardOn, type Scene } from './draw.js';
import { layoutOf, placeAt, xOf, type Layout, type Place } from './layout.js';
import { endsOf, measures, wordlessMeasure, type MeasureId } from './measures.js';

/** Room for what the cell in focus takes from each source token. */
const strip = 26;

interface EncoderScene {
  readonly scene: Scene;
  readonly cross: CrossRow | undefined;
  readonly label: string;
}

/** The row of shares above the encoder's columns, each column joined to its cells. */
const drawCross = (c: CanvasRenderingContext2D, { scene, cross, label }: EncoderScene): void => {
  const { layout, palette, ink, fonts } = scene;
  c.font = `11px ${fonts.text}`;
  c.textAlign = 'right';
  c.textBaseline = 'middle';
  c.fillStyle = ink.soft;
  c.fillText(label, layout.left - 8, strip / 2);
  for (let p = 0; p < layout.columns; p++) {
    const share = cross?.shares[p];
    c.fillStyle = share === undefined ? ink.empty : css(colorAt(palette.sequential, share));
    c.fillRect(xOf(layout, p), 3, Math.max(1, layout.cellWidth - 1), strip - 8);
  }
};

const drawEncoder = (canvas: HTMLCanvasElement, all: EncoderScene): void => {
  const { layout } = all.scene;
  const c = clearedContext(canvas, { width: layout.width, height: layout.height + strip });
  if (!c) return;
  drawCross(c, all);
  c.translate(0, strip);
  drawBoardOn(c, all.scene);
};

/** What is under the pointer, and what the decoder's cell in focus takes from there. */
const textAt = (app: App, board: Board, { place, cross }: { place: Place; cross: CrossRow | undefined }): string => {
  const t = app.t().board;
  const token = visible(board.tokens[place.position]?.text ?? '');
  const taken =
    cross && t.takes(t.takers(rowName(cross.after), cross.head), token, percent(cross.shares[place.position]));
  return [cellText(app, board, place), ...(taken === undefined ? [] : [taken])].join('  ·  ');
};

/** The picture's legend: what the encoder's cells are coloured by. */
const EncoderLegend = (props: {
  readonly measure: MeasureId;
  readonly ends: readonly [number, number];
}): JSX.Element => {
  const app = useApp();
  const { show } = measures[props.measure];
  return (
    <div class="legend small">
      <span class="soft">{app.t().board.encoderLegend(app.t().board.measures[props.measure])}</span>
      <span class="number">{show(props.ends[0])}</span>
      <ScaleStrip kind="sequential" />
      <span class="number">{show(props.ends[1])}</span>
    </div>
  );
};

/** The encoder's side of an encoder-decoder: its own board, and what the decoder's cell in focus takes from each token. */
const EncoderCanvas = (props: { readonly board: Board }): JSX.Element => {
  const app = useApp();
  const cross = useCrossRow(app);
  const [pointed, setPointed] = createSignal<Place>();
  const measure = () => wordlessMeasure(app.view.measure);
  const ends = createMemo(() => endsOf(props.board, measures[measure()]));
  const layoutIn = (size: { readonly width: number; readonly height: number }): Layout =>
    layoutOf(
      { rows: props.board.rows.length, columns: props.board.tokens.length },
      { width: size.width, height: size.height - strip },
      { zoom: 0, scroll: 0 },
    );
  const picture = usePicture<EncoderScene>({
    scene: (size) => ({
      scene: {
        ...{ layout: layoutIn(size), names: props.board.rows.map(rowName), tokens: props.board.tokens },
        ...{ cells: props.board.cells, measure: measures[measure()], ends: ends(), palette: app.palette() },
        ...{ isDiverging: false, focus: undefined, mark: undefined, pins: [], pointed: pointed(), ...inks() },
      },
      cross: cross(),
      label: app.t().board.crossShort,
    }),
    draw: drawEncoder,
  });
  const point = (place: Place | undefined): void => {
    setPointed(place);
    app.point(place && textAt(app, props.board, { place, cross: cross() }));
  };
  const move = (event: KeyboardEvent): void => {
    const step = stepOf(event.key);
    if (!step) return;
    event.preventDefault();
    const at = pointed() ?? { row: 0, position: 0 };
    const within = (x: number, count: number): number => Math.min(count - 1, Math.max(0, x));
    point({
      row: within(at.row - step[1], props.board.rows.length),
      position: within(at.position + step[0], props.board.tokens.length),
    });
  };
  return (
    <>
      <div class="board-space encoder-space">
        <canvas
          ref={picture.ref}
          id="encoder-canvas"
          tabindex="0"
          role="application"
          aria-label={app.t().board.encoder}
          data-cross={[...(cross()?.shares ?? [])].map((x) => x.toFixed(4)).join(' ')}
          onPointerMove={(event) =>
            point(placeAt(layoutIn(picture.size()), event.offsetX, Math.max(0, event.offsetY - strip)))
          }
          onPointerLeave={() => point(undefined)}
          onKeyDown={move}
        />
      </div>
      <EncoderLegend measure={measure()} ends={ends()} />
    </>
  );
};

export const EncoderBoard = (): JSX.Element => {
  const app = useApp();
  return <Show when={app.results.encoder()}>{(board) => <EncoderCanvas board={board()} />}</Show>;
};
