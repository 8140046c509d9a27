import { createSignal, createUniqueId, For, Show, type JSX } from 'solid-js';
import type { Completion, KnownSite } from '../../../language/index.js';
import { useApp } from '../../app.js';
import { mistakeOf, offersAt, withOffer, type TextKind } from './expressions.js';

interface Props {
  readonly id?: string;
  readonly kind: TextKind;
  readonly value: string;
  readonly label: string;
  readonly placeholder: string;
  readonly sites: readonly KnownSite[];
  readonly change: (text: string) => void;
  /** Enter, where nothing is being completed. */
  readonly enter: () => void;
  readonly escape?: () => void;
}

/** The list under an input: what can be written where the cursor is. */
const Offers = (props: {
  readonly id: string;
  readonly offers: readonly Completion[];
  readonly at: number;
  readonly take: (offer: Completion) => void;
}): JSX.Element => (
  <ul class="offers" role="listbox" id={props.id}>
    <For each={props.offers}>
      {(offer, i) => (
        <li
          role="option"
          id={`${props.id}-${i()}`}
          aria-selected={i() === props.at}
          onPointerDown={(event) => {
            event.preventDefault(); // the input keeps the focus
            props.take(offer);
          }}
        >
          <span class="mono">{offer.text}</span>
          <span class="soft small">{offer.detail}</span>
        </li>
      )}
    </For>
  </ul>
);

/** What is offered, which of it is chosen, and how it gets into the input. */
const useOffers = (props: Props, input: () => HTMLInputElement | undefined) => {
  const [offers, setOffers] = createSignal<readonly Completion[]>([]);
  const [at, setAt] = createSignal(0);
  const now = () => ({ text: props.value, cursor: input()?.selectionStart ?? props.value.length });
  const close = (): void => void setOffers([]);
  const take = (chosen: Completion | undefined): void => {
    const element = input();
    if (!chosen || !element) return;
    const next = withOffer(now(), chosen);
    props.change(next.text);
    element.value = next.text;
    element.setSelectionRange(next.cursor, next.cursor);
    close();
  };
  const moved = (by: number): void => void setAt((i) => (i + by + offers().length) % offers().length);
  const offer = (): void => {
    setOffers(offersAt(props.kind, now(), props.sites));
    setAt(0);
  };
  const keys: Readonly<Record<string, () => void>> = {
    ArrowDown: () => moved(1),
    ArrowUp: () => moved(-1),
    Tab: () => take(offers()[at()]),
    Enter: () => take(offers()[at()]),
    Escape: close,
  };
  return { offers, at, take, close, offer, keys };
};

/** Writes an expression, with completion; what is wrong with it is told below, with the column. */
export const ExpressionInput = (props: Props): JSX.Element => {
  const app = useApp();
  const id = `offers-${createUniqueId()}`;
  let input: HTMLInputElement | undefined;
  const { offers, at, take, close, offer, keys } = useOffers(props, () => input);
  const isOpen = () => offers().length > 0;
  const mistake = () => mistakeOf(props.kind, props.value, app.t());
  const plain: Readonly<Record<string, () => void>> = {
    Enter: () => mistake() === undefined && props.enter(),
    Escape: () => props.escape?.(),
  };
  return (
    <div class="expression">
      <input
        ref={input}
        id={props.id}
        class="edit-text"
        role="combobox"
        autocomplete="off"
        spellcheck={false}
        value={props.value}
        placeholder={props.placeholder}
        aria-label={props.label}
        aria-invalid={mistake() !== undefined}
        aria-expanded={isOpen()}
        aria-controls={id}
        aria-activedescendant={isOpen() ? `${id}-${at()}` : undefined}
        onInput={(event) => {
          props.change(event.currentTarget.value);
          offer();
        }}
        onBlur={close}
        onKeyDown={(event) => {
          const act = (isOpen() ? keys : plain)[event.key];
          if (!act) return;
          event.preventDefault();
          event.stopPropagation();
          act();
        }}
      />
      <Show when={isOpen()}>
        <Offers id={id} offers={offers()} at={at()} take={take} />
      </Show>
      <Show when={mistake()}>
        <p class="mistake" role="alert">
          {mistake()}
        </p>
      </Show>
    </div>
  );
};
