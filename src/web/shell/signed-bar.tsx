import type { JSX } from 'solid-js';
import { useApp } from '../app.js';
import { colorAt, css } from '../look/color.js';

interface Props {
  readonly value: number;
  /** The size of a value that fills its side. */
  readonly most: number;
}

/** A number as a bar from the middle: to the left below 0, to the right above. */
export const SignedBar = (props: Props): JSX.Element => {
  const app = useApp();
  const colour = (): string => css(colorAt(app.palette().diverging, props.value < 0 ? 0.1 : 0.9));
  const size = (): string => `${((100 * Math.abs(props.value)) / props.most).toFixed(1)}%`;
  const part = (isDown: boolean) => (props.value < 0 === isDown ? { width: size(), background: colour() } : {});
  return (
    <div class="part-bar">
      <span class="down" style={part(true)} />
      <span style={part(false)} />
    </div>
  );
};
