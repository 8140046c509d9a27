import { createEffect, type JSX } from 'solid-js';
import { useApp } from '../app.js';
import { clearedContext } from '../look/canvas.js';
import { colorAt, css, type ScaleKind } from '../look/color.js';

const size = { width: 160, height: 10 };

/** A scale of colours as a strip, for legends. */
export const ScaleStrip = (props: { readonly kind: ScaleKind }): JSX.Element => {
  const app = useApp();
  let canvas: HTMLCanvasElement | undefined;
  createEffect(() => {
    const colors = app.palette()[props.kind];
    const c = canvas && clearedContext(canvas, size);
    for (let x = 0; c && x < size.width; x++) {
      c.fillStyle = css(colorAt(colors, x / (size.width - 1)));
      c.fillRect(x, 0, 1, size.height);
    }
  });
  return <canvas ref={canvas} class="legend-scale" aria-hidden="true" />;
};
