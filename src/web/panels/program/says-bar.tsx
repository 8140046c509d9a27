import type { JSX } from 'solid-js';

/** A share, as a cell of a table of words. */
export const SaysBar = (props: { readonly share: number }): JSX.Element => (
  <td class="says-bar">
    <span style={{ width: `${100 * props.share}%` }} />
  </td>
);
