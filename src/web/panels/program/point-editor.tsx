import { createEffect, createSignal, For, on, onMount, Show, type JSX } from 'solid-js';
import type { KnownSite } from '../../../language/index.js';
import { pointMoment, type SessionPoint } from '../../../protocol/index.js';
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

interface FieldProps {
  readonly field: keyof Fields;
  readonly fields: Fields;
  readonly change: (field: keyof Fields, text: string) => void;
  readonly sites: readonly KnownSite[];
  readonly enter: () => void;
  readonly escape: () => void;
}

const Field = (props: FieldProps): JSX.Element => {
  const app = useApp();
  const words = () => {
    const t = app.t().program;
    return {
      condition: { label: t.condition, example: t.conditionExample },
      hits: { label: t.hits, example: t.hitsExample },
      log: { label: t.logText, example: t.logExample },
    }[props.field];
  };
  return (
    <div class="field">
      <span class="small soft">{words().label}</span>
      <ExpressionInput
        id={`point-${props.field}`}
        kind={props.field}
        value={props.fields[props.field]}
        label={words().label}
        placeholder={words().example}
        sites={props.sites}
        change={(text) => props.change(props.field, text)}
        enter={props.enter}
        escape={props.escape}
      />
    </div>
  );
};

/** Of a model: whether a breakpoint stops a run, or a way back. */
const WayBackOnly = (props: { readonly point: SessionPoint }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().program;
  return (
    <label>
      <input
        type="checkbox"
        id="point-backward"
        checked={props.point.moment === 'backward'}
        onChange={(event) => {
          const moment = event.currentTarget.checked ? ('backward' as const) : undefined;
          app.debugging.set((all) => changedPoint(all, props.point.id, { moment }));
        }}
      />{' '}
      <span class="small">{t().wayBack.point}</span>
    </label>
  );
};

/** At which moment of its modules a breakpoint of a live process stops. */
const Moment = (props: { readonly point: SessionPoint }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().program;
  const usual = () => (props.point.sites === undefined ? 'before' : '');
  return (
    <label class="field">
      <span class="small soft">{t().moment}</span>
      <select
        id="point-moment"
        value={props.point.moment ?? usual()}
        onChange={(event) => {
          const moment = pointMoment.safeParse(event.currentTarget.value).data;
          app.debugging.set((all) => changedPoint(all, props.point.id, { moment }));
        }}
      >
        <Show when={props.point.sites !== undefined}>
          <option value="">{t().momentOfSite}</option>
        </Show>
        <For each={pointMoment.options}>{(moment) => <option value={moment}>{t().moments[moment]}</option>}</For>
      </select>
    </label>
  );
};

const Editor = (props: { readonly point: SessionPoint; readonly sites: readonly KnownSite[] }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().program;
  let form: HTMLFormElement | undefined;
  const [fields, setFields] = createSignal(fieldsOf(props.point));
  createEffect(on([() => props.point.id], () => setFields(fieldsOf(props.point)), { defer: true }));
  onMount(() => form?.querySelector('input')?.focus());
  const place = () => placeName(props.point, t(), app.debugging.tokens());
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
  // A data breakpoint has no condition, and writes nothing: it watches a comparison instead.
  const shown = (): readonly (keyof Fields)[] =>
    props.point.watch === undefined ? ['condition', 'hits', 'log'] : ['hits'];
  return (
    <form
      ref={form}
      id="point-editor"
      class="point-editor"
      aria-label={t().editPoint(place())}
      onSubmit={(event) => {
        event.preventDefault();
        apply();
      }}
    >
      <strong class="small">{place()}</strong>
      <Show when={app.debugging.lastAbout()?.kind === 'process' && props.point.watch === undefined}>
        <Moment point={props.point} />
      </Show>
      <For each={shown()}>
        {(field) => <Field {...{ field, change }} fields={fields()} sites={props.sites} enter={apply} escape={close} />}
      </For>
      <Show when={app.source() === 'model' && props.point.watch === undefined && props.point.token === undefined}>
        <WayBackOnly point={props.point} />
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
