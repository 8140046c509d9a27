import { For, onMount, Show, type JSX } from 'solid-js';
import { useApp, type App } from '../../app.js';
import { pointAt, type PointPlace } from '../../state/points.js';
import { tokenName } from '../program/point-name.js';
import type { Place } from './layout.js';
import { layerNumber } from './margins.js';

/** A cell, or the name of a layer or of a token, and where on the screen it was asked about. */
export interface Asked {
  readonly place: Partial<Place>;
  readonly x: number;
  readonly y: number;
}

interface Choice {
  readonly name: string;
  readonly place: PointPlace;
}

const choicesAt = (app: App, { row, position }: Partial<Place>): readonly Choice[] => {
  const t = app.t().program.board;
  const board = app.results.board();
  const layer = row === undefined ? undefined : layerNumber(board?.rows[row]);
  const name = position === undefined ? '' : tokenName(board?.tokens ?? [], position);
  const both = layer === undefined || position === undefined ? [] : [{ layer, token: position }];
  return [
    ...(layer === undefined ? [] : [{ name: t.layer(layer), place: { layer } }]),
    ...(position === undefined ? [] : [{ name: t.token(name), place: { token: position } }]),
    ...both.map((place) => ({ name: t.cell(place.layer, name), place })),
  ];
};

const Item = (props: { readonly choice: Choice; readonly close: () => void }): JSX.Element => {
  const app = useApp();
  const isThere = () => pointAt(app.debugging.settings(), props.choice.place) !== undefined;
  return (
    <button
      class="plain"
      role="menuitemcheckbox"
      aria-checked={isThere()}
      onClick={() => {
        app.debugging.toggle(props.choice.place);
        props.close();
      }}
    >
      {isThere() ? app.t().program.board.remove(props.choice.name) : props.choice.name}
    </button>
  );
};

/** Room that the menu takes, so that it stays on the screen. */
const room = { width: 280, height: 130 };

/** Breakpoints at a cell of the board: on its layer, its token, or both. */
export const BoardMenu = (props: { readonly asked: Asked; readonly close: () => void }): JSX.Element => {
  const app = useApp();
  let menu: HTMLDivElement | undefined;
  const items = (): HTMLButtonElement[] => [...(menu?.querySelectorAll('button') ?? [])];
  const move = (by: number): void => {
    const all = items();
    all[(all.findIndex((item) => item === document.activeElement) + by + all.length) % all.length]?.focus();
  };
  const close = (): void => {
    props.close();
    document.getElementById('board-canvas')?.focus();
  };
  const keys: Readonly<Record<string, () => void>> = {
    Escape: close,
    ArrowDown: () => move(1),
    ArrowUp: () => move(-1),
  };
  onMount(() => items()[0]?.focus());
  // As it was asked: a board that is read anew meanwhile would take the item away that has the focus.
  const choices = choicesAt(app, props.asked.place);
  return (
    <div
      ref={menu}
      class="popover board-menu"
      id="board-menu"
      role="menu"
      aria-label={app.t().program.board.menu}
      style={{
        left: `${Math.min(props.asked.x, innerWidth - room.width)}px`,
        top: `${Math.min(props.asked.y, innerHeight - room.height)}px`,
      }}
      onFocusOut={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) props.close();
      }}
      onKeyDown={(event) => {
        const act = keys[event.key];
        if (!act) return;
        event.preventDefault();
        act();
      }}
    >
      <For each={choices}>{(choice) => <Item choice={choice} close={close} />}</For>
      <Show when={props.asked.place.position !== undefined}>
        <p class="soft small">{app.t().program.board.together}</p>
      </Show>
    </div>
  );
};
