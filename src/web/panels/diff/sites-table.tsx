import { For, Show, type JSX } from 'solid-js';
import type { DiffResult, SiteDifferenceView } from '../../../protocol/index.js';
import { useApp } from '../../app.js';
import { compact, percent } from '../../look/numbers.js';
import { visible } from '../../look/token-text.js';
import { differenceOf, differs, relativeText, shareOf } from './data.js';

interface Props {
  readonly of: DiffResult;
  readonly sites: readonly SiteDifferenceView[];
  readonly go: (site: string) => void;
}

/** How the difference grows from the input to the output. */
export const SitesTable = (props: Props): JSX.Element => {
  const app = useApp();
  const t = () => app.t().diff;
  const isFirst = (site: string): boolean => props.of.findings[0]?.site === site;
  return (
    <table class="diff-sites small" id="diff-sites">
      <thead>
        <tr class="soft">
          <th>{t().site}</th>
          <th colSpan={2}>{props.of.byLayer ? t().own : t().relativeShort}</th>
          <th class="number">{t().largest}</th>
          <th class="number">{t().cosine}</th>
        </tr>
      </thead>
      <tbody>
        <For each={props.sites}>
          {(view) => (
            <tr classList={{ differs: differs(props.of, view), 'first-site': isFirst(view.site) }}>
              <th scope="row">
                <button class="plain mono" onClick={() => props.go(view.site)}>
                  {isFirst(view.site) ? '◆ ' : ''}
                  {view.site}
                </button>
              </th>
              <td class="number">{relativeText(differenceOf(props.of, view))}</td>
              <td class="diff-bar">
                <span style={{ width: `${100 * shareOf(differenceOf(props.of, view) ?? Infinity, props.of)}%` }} />
              </td>
              <td class="number">{compact(view.largest)}</td>
              <td class="number">{view.cosine === null ? '–' : view.cosine.toFixed(5)}</td>
            </tr>
          )}
        </For>
      </tbody>
    </table>
  );
};

/** What both say in the end, and what in their files is not the same. */
export const Rest = (props: { readonly of: DiffResult }): JSX.Element => {
  const t = useApp().t;
  const said = (tokens: NonNullable<DiffResult['output']>['a']): string =>
    tokens.map(({ text, probability }) => `${visible(text)} ${percent(probability)}`).join('   ');
  const most = 8;
  return (
    <>
      <Show when={props.of.output}>
        {(output) => (
          <dl class="diff-said small">
            <dt>A</dt>
            <dd class="mono">{said(output().a)}</dd>
            <dt>B</dt>
            <dd class="mono">{said(output().b)}</dd>
            <dt>KL</dt>
            <dd>{t().diff.nats(relativeText(output().kl))}</dd>
          </dl>
        )}
      </Show>
      <Show when={props.of.config?.length}>
        <h3 class="small soft">{t().diff.config}</h3>
        <For each={props.of.config}>
          {({ field, a, b }) => (
            <p class="small mono">
              {field}: {JSON.stringify(a)} → {JSON.stringify(b)}
            </p>
          )}
        </For>
      </Show>
      <Show when={props.of.weights?.length}>
        <h3 class="small soft">{t().diff.weights}</h3>
        <For each={props.of.weights?.slice(0, most)}>
          {({ name, relative }) => (
            <p class="small mono">
              {name} {relativeText(relative)}
            </p>
          )}
        </For>
      </Show>
      <Show when={props.of.outliers.length > 0}>
        <h3 class="small soft">{t().diff.outliers}</h3>
        <For each={props.of.outliers.slice(0, most)}>
          {({ name, relative, median }) => (
            <p class="small mono">{t().diff.outlier(name, relativeText(relative), relativeText(median))}</p>
          )}
        </For>
      </Show>
    </>
  );
};
