import { createEffect, createSignal, onCleanup, onMount, type Accessor } from 'solid-js';
import { watchSize } from './canvas.js';

export interface Size {
  readonly width: number;
  readonly height: number;
}

interface Options<Scene> {
  /** What is to be drawn, given the room there is; undefined: nothing yet. Whatever it reads, a change of it draws again. */
  readonly scene: (size: Size) => Scene | undefined;
  readonly draw: (canvas: HTMLCanvasElement, scene: Scene) => void;
}

/**
 * A picture on a canvas as large as what it stands in. However many changes come, it is drawn once a frame, the latest.
 * @returns where to put the canvas, and the room there is
 */
export const usePicture = <Scene>({
  scene,
  draw,
}: Options<Scene>): { readonly ref: (canvas: HTMLCanvasElement) => void; readonly size: Accessor<Size> } => {
  let canvas: HTMLCanvasElement | undefined;
  let frame: number | undefined;
  let latest: Scene | undefined;
  const [size, setSize] = createSignal<Size>({ width: 0, height: 0 }, { equals: sameSize });
  onMount(() => {
    if (canvas?.parentElement) onCleanup(watchSize(canvas.parentElement, setSize));
  });
  createEffect(() => {
    latest = size().width > 0 ? scene(size()) : undefined;
    if (latest === undefined || frame !== undefined) return;
    frame = requestAnimationFrame(() => {
      frame = undefined;
      if (canvas && latest !== undefined) draw(canvas, latest);
    });
  });
  onCleanup(() => {
    if (frame !== undefined) cancelAnimationFrame(frame);
  });
  return { ref: (element) => (canvas = element), size };
};

export const sameSize = (a: Size, b: Size): boolean => a.width === b.width && a.height === b.height;
