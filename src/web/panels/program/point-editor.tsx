import { createEffect, createSignal, on, onMount, Show, type JSX } from 'solid-js';
import type { KnownSite } from '../../../language/index.js';
import type { SessionPoint } from '../../../protocol/index.js';
import { useApp } from '../../app.js';
import { changedPoint } from '../../state/points.js';
import { ExpressionInput } from './expression-input.jsx';
import { mistakeOf } from './expressions.js';
import { placeName } from './point-name.js';

interface Fields {
  readonly condition: string;
  readonly hits: string;
  readonly log: string;
}

const fieldsOf = ({ condition = '', hits = '', log = '' }: SessionPoint): Fields => ({ condition, hits, log });

const isWell = ({ condition, hits, log }: Fields): boolean =>
  [mistakeOf('condition', condition), mistakeOf('hits', hits), mistakeOf('log', log)].every((m) => m === undefined);

const Editor = (props: { readonly point: SessionPoint; readonly sites: readonly KnownSite[] }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().program;
  let form: HTMLFormElement | undefined;
  const [fields, setFields] = createSignal(fieldsOf(props.point));
  createEffect(on([() => props.point.id], () => setFields(fieldsOf(props.point)), { defer: true }));
  onMount(() => form?.querySelector('input')?.focus());
  const change = (field: keyof Fields, text: string): void => void setFields((all) => ({ ...all, [field]: text }));
  const close = (): void => {
    app.debugging.edit(undefined);
    document.getElementById('listing')?.focus();
  };
  const apply = (): void => {
    if (!isWell(fields())) return;
    app.debugging.set((all) => changedPoint(all, props.point.id, fields()));
    close();
  };
  const shared = () => ({ sites: props.sites, enter: apply, escape: close });
  return (
    <form
      ref={form}
      id="point-editor"
      class="point-editor"
      aria-label={t().editPoint(placeName(props.point, t(), app.debugging.tokens()))}
      onSubmit={(event) => {
        event.preventDefault();
        apply();
      }}
    >
      <strong class="small">{placeName(props.point, t(), app.debugging.tokens())}</strong>
      <Show when={props.point.watch === undefined}>
        <label>
          <span class="small soft">{t().condition}</span>
          <ExpressionInput
            {...shared()}
            kind="condition"
            value={fields().condition}
            label={t().condition}
            placeholder={t().conditionExample}
            change={(text) => change('condition', text)}
          />
        </label>
      </Show>
      <label>
        <span class="small soft">{t().hits}</span>
        <ExpressionInput
          {...shared()}
          kind="hits"
          value={fields().hits}
          label={t().hits}
          placeholder={t().hitsExample}
          change={(text) => change('hits', text)}
        />
      </label>
      <Show when={props.point.watch === undefined}>
        <label>
          <span class="small soft">{t().logText}</span>
          <ExpressionInput
            {...shared()}
            kind="log"
            value={fields().log}
            label={t().logText}
            placeholder={t().logExample}
            change={(text) => change('log', text)}
          />
        </label>
      </Show>
      <div class="point-editor-end">
        <button type="submit" disabled={!isWell(fields())}>
          {t().apply}
        </button>
        <button type="button" class="plain" onClick={close}>
          {t().cancel}
        </button>
      </div>
    </form>
  );
};

/** Writes when a breakpoint stops, and what it logs; there while one is chosen. */
export const PointEditor = (props: { readonly sites: readonly KnownSite[] }): JSX.Element => {
  const app = useApp();
  const point = () => app.debugging.settings().points.find(({ id }) => id === app.debugging.editing());
  return <Show when={point()}>{(at) => <Editor point={at()} sites={props.sites} />}</Show>;
};
