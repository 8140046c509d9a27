import { For, type JSX } from 'solid-js';

/** Numbers with their names, side by side. */
export const NumberList = (props: { readonly rows: readonly (readonly [string, string])[] }): JSX.Element => (
  <dl class="number-list small">
    <For each={props.rows}>
      {([name, value]) => (
        <>
          <dt class="soft">{name}</dt>
          <dd>{value}</dd>
        </>
      )}
    </For>
  </dl>
);
