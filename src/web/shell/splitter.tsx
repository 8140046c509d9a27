import type { JSX } from 'solid-js';
import { useApp } from '../app.js';

interface Props {
  /** Where it stands, as a share of the window's width. */
  readonly value: number;
  readonly least: number;
  readonly most: number;
  readonly change: (value: number) => void;
}

const step = 0.02;

/** The line between two columns: dragged, or moved with the arrow keys. */
export const Splitter = (props: Props): JSX.Element => {
  const app = useApp();
  const to = (x: number): void => props.change(Math.min(props.most, Math.max(props.least, x)));
  return (
    <div
      class="splitter"
      role="separator"
      tabindex="0"
      aria-orientation="vertical"
      aria-label={app.t().page.resize}
      aria-valuenow={Math.round(100 * props.value)}
      aria-valuemin={Math.round(100 * props.least)}
      aria-valuemax={Math.round(100 * props.most)}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) to(event.clientX / innerWidth);
      }}
      onKeyDown={(event) => {
        const by = event.key === 'ArrowLeft' ? -step : event.key === 'ArrowRight' ? step : 0;
        if (by !== 0) to(props.value + by);
      }}
    />
  );
};
