import { createEffect, createMemo, createSignal, For, on, Show, type JSX } from 'solid-js';
import { useApp, type App } from '../../app.js';
import { layerOf } from '../../look/names.js';
import { visible } from '../../look/token-text.js';
import { offersOf, subjects, type Offer, type Place, type Subject } from './offers.js';

/** Names of the model's weights, asked for once a model. */
const useWeights = () => {
  const app = useApp();
  const [weights, setWeights] = createSignal<readonly string[]>([]);
  createEffect(
    on([() => app.model()?.name], ([model]) => {
      if (model === undefined) return;
      app.session
        .client()
        ?.request('list', { model, show: ['weights'] })
        .then(
          ({ weights: found = [] }) => setWeights(found.filter((w) => w.shape.length > 1).map((w) => w.name)),
          () => setWeights([]), // weights are then not offered
        );
    }),
  );
  return weights;
};

const placeOf = (app: App, weights: readonly string[]): Place | undefined => {
  const [at, model, result] = [app.focus(), app.model(), app.results.compare()];
  if (!at || !model) return undefined;
  const word = app.results.word();
  const isEncoder = at.after.startsWith('encoder.');
  return {
    ...{ after: at.after, position: at.position, head: at.head ?? (layerOf(at.after) === undefined ? undefined : 0) },
    layers: (isEncoder ? model.summary.encoderLayers : undefined) ?? model.summary.layers,
    word,
    other: result?.after.next.find((token) => token.id !== word?.id),
    hasTokenizer: model.reads.tokenizer,
    ...{ weights, config: model.reads.config },
  };
};

const subjectName = (app: App, subject: Subject, place: Place): string => {
  const t = app.t().adding;
  const layer = layerOf(place.after) ?? '';
  switch (subject) {
    case 'head':
      return t.head(`${layer}.${place.head ?? 0}`);
    case 'layer':
      return t.layer(layer);
    case 'token':
      return t.token(place.position, visible(app.results.board()?.tokens[place.position]?.text ?? ''));
    case 'neuron':
      return t.neuron(`${layer}.0`);
    default:
      return t[subject];
  }
};

const offerName = (app: App, { name, arguments: args }: Offer): string => {
  const text = app.t().adding[name];
  const [first = '', second = ''] = args.map(visible);
  return typeof text === 'string' ? text : text(first, second);
};

/** One menu: what can be done with a head, a layer, a token ... */
const Menu = (props: { readonly subject: Subject; readonly place: Place }): JSX.Element => {
  const app = useApp();
  const offers = () => offersOf(props.subject, props.place);
  const choose = (i: number): void => {
    const chosen = offers()[i];
    if (!chosen) return;
    const input = document.getElementById('add-edit');
    if (chosen.isDraft && input instanceof HTMLInputElement) {
      input.value = chosen.edit;
      input.dispatchEvent(new InputEvent('input', { bubbles: true }));
      input.focus();
    } else app.experiment.add(chosen.edit);
  };
  return (
    <Show when={offers().length > 0}>
      <select
        class="small"
        data-subject={props.subject}
        title={subjectName(app, props.subject, props.place)}
        aria-label={`${app.t().adding.label} ${subjectName(app, props.subject, props.place)}`}
        onChange={(event) => {
          const { value } = event.currentTarget;
          event.currentTarget.value = '';
          if (value !== '') choose(Number(value));
        }}
      >
        <option value="">{subjectName(app, props.subject, props.place)}</option>
        <For each={offers()}>{(one, i) => <option value={i()}>{offerName(app, one)}</option>}</For>
      </select>
    </Show>
  );
};

/** A menu for each thing in focus that an edit can be of. */
export const AddMenus = (): JSX.Element => {
  const app = useApp();
  const weights = useWeights();
  const place = createMemo(() => placeOf(app, weights()));
  return (
    <Show when={place()}>
      {(at) => (
        <div class="add-menus" role="group" aria-label={app.t().adding.label}>
          <For each={subjects}>{(subject) => <Menu subject={subject} place={at()} />}</For>
        </div>
      )}
    </Show>
  );
};
