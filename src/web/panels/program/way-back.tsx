import { createSignal, Show, type JSX } from 'solid-js';
import type { KnownSite } from '../../../language/index.js';
import { useApp } from '../../app.js';
import { compact } from '../../look/numbers.js';
import { ExpressionInput } from './expression-input.jsx';
import { mistakeOf } from './expressions.js';

/** The way back of a number, to be walked as the run is; while it is, of what it is, and how long the gradient is. */
export const WayBack = (props: { readonly sites: readonly KnownSite[] }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().program.wayBack;
  const [text, setText] = createSignal('');
  const state = () => app.debugging.view().state;
  const canGo = () =>
    app.debugging.can('continue') && text().trim() !== '' && mistakeOf('expression', text()) === undefined;
  const go = (): void => {
    if (canGo()) app.debugging.move({ kind: 'backward', of: text().trim() });
  };
  return (
    <Show when={app.source() === 'model'}>
      <Show
        when={app.debugging.view().phase === 'stopped' && state()?.backward}
        fallback={
          <div class="add-point" title={t().help}>
            <ExpressionInput
              id="way-back"
              kind="expression"
              value={text()}
              sites={props.sites}
              label={t().of}
              placeholder={t().example}
              change={setText}
              enter={go}
            />
            <button id="way-back-go" disabled={!canGo()} onClick={go}>
              {t().go}
            </button>
          </div>
        }
      >
        {(way) => (
          <p class="hint" id="way-back-at">
            {t().at(way().of, compact(way().value))} <span class="mono">grad({way().site})</span>
            <Show when={way().norm !== ''}>{t().norm(way().norm)}</Show>{' '}
            <button id="way-back-leave" onClick={() => app.debugging.move({ kind: 'backward' })}>
              {t().leave}
            </button>
          </p>
        )}
      </Show>
    </Show>
  );
};
