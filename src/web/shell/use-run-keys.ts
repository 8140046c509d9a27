import { onCleanup, onMount } from 'solid-js';
import type { App } from '../app.js';
import { runKeyOf } from './run-keys.js';

/** The layer and token of the focus as a place to stop: on the board the layer, else the line where the run stands. */
const toggleHere = (app: App, target: EventTarget | null): void => {
  const isBoard = (target as HTMLElement | null)?.id === 'board-canvas';
  const layer = /blocks\.(\d+)/.exec(app.focus()?.after ?? '')?.[1];
  const line = app.debugging.frame()?.line;
  if (isBoard && layer !== undefined) app.debugging.toggle({ layer: Number(layer) });
  else if (!isBoard && app.view.tab === 'program' && line !== undefined) app.debugging.toggle({ line });
};

/** The keys of the run controls, wherever one is. */
export const useRunKeys = (app: App): void => {
  const press = (event: KeyboardEvent): void => {
    const action = event.defaultPrevented ? undefined : runKeyOf(event);
    if (!action) return;
    event.preventDefault(); // F5 would load the page anew, F11 fill the screen
    if (action === 'breakpoint') toggleHere(app, event.target);
    else app.debugging.do(action);
  };
  onMount(() => {
    addEventListener('keydown', press);
    onCleanup(() => removeEventListener('keydown', press));
  });
};
