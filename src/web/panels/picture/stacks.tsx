import { For, Show, type JSX } from 'solid-js';
import type { PictureBlock, PicturePart } from '../../../protocol/index.js';
import { useApp, type App } from '../../app.js';
import { colorAt, css, inkOn, type ScaleKind } from '../../look/color.js';
import { count } from '../../look/numbers.js';
import { BlockPicture, type PartColors } from './block-picture.jsx';
import { layerName, repeatEdit, skipEdit, type Column } from './layers.js';

/** The number that a block is coloured by, and where it stands on the scale. */
export interface Shade {
  readonly share: number;
  readonly text: string;
}
export interface Shading {
  readonly of: (block: PictureBlock) => Shade | undefined;
  readonly scale: ScaleKind;
  readonly low: string;
  readonly high: string;
  /** The same of what is in a block, where that is known. */
  readonly ofPart?: (block: PictureBlock, part: PicturePart) => Shade | undefined;
  /** Something to know of a block or a part, which marks it. */
  readonly mark?: (block: PictureBlock, part?: PicturePart) => string | undefined;
  /** Where a click on a block or a part goes besides; the panels of the parts where left out. */
  readonly go?: (block: PictureBlock, part?: PicturePart) => void;
}

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

/** What a block's bar shows, and what a click does. */
const useBlock = (props: BlockProps) => {
  const app = useApp();
  const layer = () => layerName(props.block);
  const shade = () => props.shading.of(props.block);
  const mark = (part?: PicturePart) => props.shading.mark?.(props.block, part);
  const colorOf = (shade: Shade | undefined) => shade && colorAt(app.palette()[props.shading.scale], shade.share);
  return {
    layer,
    shade,
    mark,
    isFocus: () => app.focus()?.after === props.block.id,
    has: (edit: (layer: string) => string): boolean => {
      const name = layer();
      return name !== undefined && app.experiment.has(edit(name));
    },
    name: () => (layer() === undefined ? blockName(app, props.block) : `L${layer()?.replace(/^\w+\./, '') ?? ''}`),
    style: () => {
      const color = colorOf(shade());
      return color ? { background: css(color), color: inkOn(color) } : {};
    },
    colors: (part: PicturePart): PartColors | undefined => {
      const color = colorOf(props.shading.ofPart?.(props.block, part));
      return color && { fill: css(color), ink: inkOn(color) };
    },
    told: (): string => {
      const parameters = app.t().picture.parameters(count(props.block.parameters, app.view.language));
      return [blockName(app, props.block), parameters, shade()?.text, mark()]
        .filter((text) => text !== undefined)
        .join(' · ');
    },
    go: (part?: PicturePart): void => {
      if (props.block.kind !== 'head') app.look({ after: props.block.id, head: undefined });
      if (props.shading.go) props.shading.go(props.block, part);
      else if (part) app.setView({ tab: tabOf(part) });
      else if (props.block.kind === 'head') app.setView({ tab: 'sampling' });
    },
  };
};

const Bar = (props: { readonly at: ReturnType<typeof useBlock> }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().picture;
  return (
    <button
      class="block-bar"
      style={props.at.style()}
      aria-label={props.at.told()}
      aria-current={props.at.isFocus()}
      onClick={() => props.at.go()}
      onPointerEnter={() => app.point(props.at.told())}
      onPointerLeave={() => app.point(undefined)}
    >
      <span>{props.at.name()}</span>
      <Show when={props.at.mark()}>{(text) => <span class="small block-mark">◆ {text()}</span>}</Show>
      <Show when={props.at.has(skipEdit)}>
        <span class="small">{t().skipped}</span>
      </Show>
      <Show when={props.at.has(repeatEdit)}>
        <span class="small">{t().repeated}</span>
      </Show>
      <span class="number small">{props.at.shade()?.text ?? ''}</span>
    </button>
  );
};

const Block = (props: BlockProps): JSX.Element => {
  const app = useApp();
  const at = useBlock(props);
  const form = () => app.model()?.picture.forms[props.block.form];
  return (
    <li class={`block ${props.block.kind}`} classList={{ focus: at.isFocus(), skipped: at.has(skipEdit) }}>
      <div class="block-line">
        <Bar at={at} />
        <Show when={props.shading.go ? undefined : at.layer()}>{(name) => <LayerButtons layer={name()} />}</Show>
      </div>
      <Show when={at.isFocus() && props.block.kind === 'block' && form()}>
        {(of) => (
          <BlockPicture
            {...{ form: of(), label: blockName(app, props.block), go: at.go, colors: at.colors }}
            isMarked={(part) => at.mark(part) !== undefined}
          />
        )}
      </Show>
    </li>
  );
};

/** A stack of blocks, the last on top; that in focus is open. */
export const Stack = (props: { readonly column: Column; readonly shading: Shading }): JSX.Element => {
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
