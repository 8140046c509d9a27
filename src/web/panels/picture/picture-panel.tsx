import { createMemo, For, Show, type JSX } from 'solid-js';
import type { PictureBlock, PicturePart, TimesResult } from '../../../protocol/index.js';
import { useApp, type App } from '../../app.js';
import { colorAt, css, inkOn, type ScaleKind } from '../../look/color.js';
import { count, compact } from '../../look/numbers.js';
import { Panel } from '../../shell/panel.jsx';
import { ScaleStrip } from '../../shell/scale-strip.jsx';
import { withPanel } from '../../state/panel-settings.js';
import { onScale } from '../board/measures.js';
import { shownMeasure } from '../board/shown-measure.js';
import { BlockPicture } from './block-picture.jsx';
import { columnsOf, layerName, repeatEdit, skipEdit, type Column } from './layers.js';
import { useEffects } from './use-effects.js';
import { useTimes } from './use-times.js';

/** The number that a block is coloured by, and where it stands on the scale. */
interface Shade {
  readonly share: number;
  readonly text: string;
}
interface Shading {
  readonly of: (block: PictureBlock) => Shade | undefined;
  readonly scale: ScaleKind;
  readonly low: string;
  readonly high: string;
}

/** By what the board shows at the token in focus, on the board's scale. */
const boardShading = (app: App): Shading => {
  const [board, at] = [app.results.board(), app.focus()];
  const { measure, ends, scale } = shownMeasure(app);
  return {
    of: ({ id }) => {
      const cell = board?.cells[board.rows.indexOf(id)]?.[at?.position ?? 0];
      const value = cell && measure.of(cell);
      if (value === null || value === undefined) return undefined;
      return { share: onScale(value, ends, measure.isLog), text: measure.show(value) };
    },
    scale,
    low: measure.show(ends[0]),
    high: measure.show(ends[1]),
  };
};

const effectShading = (effects: ReadonlyMap<string, number | null>): Shading => {
  const most = Math.max(1e-9, ...[...effects.values()].map((x) => x ?? 0));
  return {
    of: (block) => {
      const kl = effects.get(layerName(block) ?? '');
      return kl === null || kl === undefined ? undefined : { share: kl / most, text: compact(kl) };
    },
    scale: 'sequential',
    low: '0',
    high: compact(most),
  };
};

/** Milliseconds of each part of the model; of a layer that runs twice both times. */
const timeShading = (times: TimesResult | undefined): Shading => {
  const ms = new Map<string, number>();
  for (const segment of times?.segments ?? []) {
    const name = segment.name.replace(/#\d+$/, '');
    ms.set(name, (ms.get(name) ?? 0) + segment.ms);
  }
  const most = Math.max(1e-9, ...ms.values());
  return {
    of: ({ id }) => {
      const own = ms.get(id);
      return own === undefined ? undefined : { share: own / most, text: `${compact(own)} ms` };
    },
    scale: 'sequential',
    low: '0',
    high: times ? `${compact(most)} ms` : '',
  };
};

/** The panel that shows what a part does. */
const tabOf = (part: PicturePart): string => {
  switch (part.kind) {
    case 'attention':
      return 'attention';
    case 'mlp':
    case 'experts':
      return 'neurons';
    default:
      return 'residual';
  }
};

const blockName = (app: App, block: PictureBlock): string => {
  const t = app.t().picture;
  const layer = layerName(block);
  if (layer !== undefined) return t.layer(layer);
  if (block.kind === 'embed') return t.embed;
  return block.kind === 'norm' ? t.norm : t.head;
};

/** Skips or repeats a layer: an edit of the experiment, switched. */
const LayerButtons = (props: { readonly layer: string }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().picture;
  const button = (edit: string, label: string, sign: string): JSX.Element => (
    <button
      class="plain layer-button"
      aria-pressed={app.experiment.has(edit)}
      aria-label={label}
      title={label}
      onClick={() => app.experiment.toggle(edit)}
    >
      {sign}
    </button>
  );
  return (
    <>
      {button(skipEdit(props.layer), t().skip(props.layer), '⊘')}
      {button(repeatEdit(props.layer), t().repeat(props.layer), '⟳')}
    </>
  );
};

interface BlockProps {
  readonly block: PictureBlock;
  readonly shading: Shading;
}

const Block = (props: BlockProps): JSX.Element => {
  const app = useApp();
  const t = () => app.t().picture;
  const layer = () => layerName(props.block);
  const shade = () => props.shading.of(props.block);
  const isFocus = () => app.focus()?.after === props.block.id;
  const has = (edit: (layer: string) => string): boolean => {
    const name = layer();
    return name !== undefined && app.experiment.has(edit(name));
  };
  const form = () => app.model()?.picture.forms[props.block.form];
  const color = () => {
    const of = shade();
    return of && colorAt(app.palette()[props.shading.scale], of.share);
  };
  const style = () => {
    const of = color();
    return of ? { background: css(of), color: inkOn(of) } : {};
  };
  const told = (): string =>
    [blockName(app, props.block), t().parameters(count(props.block.parameters, app.view.language)), shade()?.text]
      .filter((text) => text !== undefined)
      .join(' · ');
  const go = (part?: PicturePart): void => {
    if (props.block.kind !== 'head') app.look({ after: props.block.id, head: undefined });
    if (part) app.setView({ tab: tabOf(part) });
    else if (props.block.kind === 'head') app.setView({ tab: 'sampling' });
  };
  return (
    <li class={`block ${props.block.kind}`} classList={{ focus: isFocus(), skipped: has(skipEdit) }}>
      <div class="block-line">
        <button
          class="block-bar"
          style={style()}
          aria-label={told()}
          aria-current={isFocus()}
          onClick={() => go()}
          onPointerEnter={() => app.point(told())}
          onPointerLeave={() => app.point(undefined)}
        >
          <span>
            {layer() === undefined ? blockName(app, props.block) : `L${layer()?.replace(/^\w+\./, '') ?? ''}`}
          </span>
          <Show when={has(skipEdit)}>
            <span class="small">{t().skipped}</span>
          </Show>
          <Show when={has(repeatEdit)}>
            <span class="small">{t().repeated}</span>
          </Show>
          <span class="number small">{shade()?.text ?? ''}</span>
        </button>
        <Show when={layer()}>{(name) => <LayerButtons layer={name()} />}</Show>
      </div>
      <Show when={isFocus() && props.block.kind === 'block' && form()}>
        {(of) => <BlockPicture form={of()} label={blockName(app, props.block)} go={go} />}
      </Show>
    </li>
  );
};

const Stack = (props: { readonly column: Column; readonly shading: Shading }): JSX.Element => {
  const app = useApp();
  const title = () => props.column.stack && app.t().picture[props.column.stack];
  return (
    <div class="stack">
      <Show when={title()}>{(text) => <h3>{text()}</h3>}</Show>
      <ol aria-label={title() ?? app.t().picture.label}>
        <For each={props.column.blocks}>{(block) => <Block block={block} shading={props.shading} />}</For>
      </ol>
    </div>
  );
};

/** The architecture as the model's graph has it; a click goes there, a layer is skipped or repeated by one. */
export const PicturePanel = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().picture;
  const colour = () => app.view.panels.picture ?? 'board';
  const setColour = (by: string): void => {
    const picture = by === 'skip' || by === 'time' ? by : undefined;
    app.setView({ panels: withPanel(app.view.panels, { picture }) });
  };
  const columns = createMemo(() => {
    const picture = app.model()?.picture;
    return picture ? columnsOf(picture) : [];
  });
  const layers = createMemo(() =>
    columns().flatMap((c) => [...c.blocks].reverse().flatMap((block) => layerName(block) ?? [])),
  );
  const { effects, progress } = useEffects(layers, () => colour() === 'skip');
  const times = useTimes(() => colour() === 'time');
  const shading = createMemo(() => {
    switch (colour()) {
      case 'skip':
        return effectShading(effects());
      case 'time':
        return timeShading(times());
      case 'board':
        return boardShading(app);
    }
  });
  const tools = (
    <label class="small soft">
      {t().colour}{' '}
      <select id="picture-colour" value={colour()} onChange={(e) => setColour(e.currentTarget.value)}>
        <option value="board">{t().byBoard(app.t().board.measures[app.view.measure])}</option>
        <option value="skip">{t().bySkip}</option>
        <option value="time">{t().byTime}</option>
      </select>
    </label>
  );
  return (
    <Panel id="picture" title={t().title} help={t().help} differs={colour() === 'board'} grows tools={tools}>
      <div class="scrolls">
        <div class="stacks">
          <For each={columns()}>{(column) => <Stack column={column} shading={shading()} />}</For>
        </div>
      </div>
      <div class="legend small">
        <Show when={progress()}>{(at) => <span class="soft">{t().measuring(at().done, at().total)}</span>}</Show>
        <Show when={colour() === 'time' && times()}>
          {(found) => <span class="soft">{t().timed(compact(found().ms), found().repeats)}</span>}
        </Show>
        <span class="number">{shading().low}</span>
        <ScaleStrip kind={shading().scale} />
        <span class="number">{shading().high}</span>
      </div>
    </Panel>
  );
};
