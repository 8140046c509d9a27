import type { JSX } from 'solid-js';
import { useApp } from '../app.js';

interface Props {
  /** Where it stands, as a share of the window's width, or of the height of what it is in. */
  readonly value: number;
  readonly least: number;
  readonly most: number;
  readonly change: (value: number) => void;
  /** Between what stands one above the other. */
  readonly isLevel?: boolean;
}

const step = 0.02;

/** The line between two columns, or in one: dragged, or moved with the arrow keys. */
export const Splitter = (props: Props): JSX.Element => {
  const app = useApp();
  const to = (x: number): void => props.change(Math.min(props.most, Math.max(props.least, x)));
  const at = (event: PointerEvent & { readonly currentTarget: HTMLElement }): number => {
    if (!props.isLevel) return event.clientX / innerWidth;
    const { top, height } = (event.currentTarget.parentElement ?? document.body).getBoundingClientRect();
    return (event.clientY - top) / height;
  };
  const keys = (): readonly [string, string] =>
    props.isLevel ? ['ArrowUp', 'ArrowDown'] : ['ArrowLeft', 'ArrowRight'];
  return (
    <div
      class="splitter"
      classList={{ level: props.isLevel ?? false }}
      role="separator"
      tabindex="0"
      aria-orientation={props.isLevel ? 'horizontal' : 'vertical'}
      aria-label={props.isLevel ? app.t().page.resizeRows : app.t().page.resize}
      aria-valuenow={Math.round(100 * props.value)}
      aria-valuemin={Math.round(100 * props.least)}
      aria-valuemax={Math.round(100 * props.most)}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) to(at(event));
      }}
      onKeyDown={(event) => {
        const [less, more] = keys();
        const by = event.key === less ? -step : event.key === more ? step : 0;
        if (by === 0) return;
        event.preventDefault();
        to(props.value + by);
      }}
    />
  );
};
