import { createSignal, Show, type Accessor, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import type { Board } from '../../state/board.js';
import { BoardMenu, type Asked } from './board-menu.jsx';
import type { Layout, Place } from './layout.js';
import { placeAt } from './layout.js';
import { layerNumber, marginAt } from './margins.js';

interface Given {
  readonly layout: Accessor<Layout | undefined>;
  readonly canvas: () => HTMLCanvasElement | undefined;
  /** The cell in focus. */
  readonly focused: (board: Board) => Place | undefined;
}

/** Breakpoints by the mouse and by keyboard: a click beside the cells sets one, a menu is there for each cell. */
export const useBreaks = ({ layout, canvas, focused }: Given) => {
  const app = useApp();
  const [asked, setAsked] = createSignal<Asked>();
  const margin = ({ offsetX, offsetY }: MouseEvent): Partial<Place> | undefined => {
    const at = layout();
    return at && marginAt(at, offsetX, offsetY);
  };
  const ask = (place: Partial<Place> | undefined, { x, y }: { readonly x: number; readonly y: number }): void =>
    void setAsked(place && { place, x, y });
  return {
    /** Sets or removes a breakpoint at the layer or the token whose name was clicked. @returns whether one was */
    click: (event: MouseEvent): boolean => {
      const at = margin(event);
      const layer = at?.row === undefined ? undefined : layerNumber(app.results.board()?.rows[at.row]);
      if (layer !== undefined) app.debugging.toggle({ layer });
      if (at?.position !== undefined) app.debugging.toggle({ token: at.position });
      return at !== undefined;
    },
    menu: (event: MouseEvent): void => {
      event.preventDefault();
      const at = layout();
      if (event.button === 2 && at) ask(placeAt(at, event.offsetX, event.offsetY) ?? margin(event), event);
    },
    /** By keyboard, the menu is of the cell in focus. */
    key: (event: KeyboardEvent): void => {
      const [board, box] = [app.results.board(), canvas()?.getBoundingClientRect()];
      const isMenu = event.key === 'ContextMenu' || (event.shiftKey && event.key === 'F10');
      if (isMenu && board && box) ask(focused(board), { x: box.x + box.width / 3, y: box.y + box.height / 3 });
    },
    Menu: (): JSX.Element => (
      <Show when={asked()} keyed>
        {(at) => <BoardMenu asked={at} close={() => setAsked((now) => (now === at ? undefined : now))} />}
      </Show>
    ),
  };
};
