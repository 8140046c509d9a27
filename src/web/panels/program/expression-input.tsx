import { createSignal, createUniqueId, For, Show, type JSX } from 'solid-js';
import type { Completion, KnownSite } from '../../../language/index.js';
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

/** Writes an expression, with completion; what is wrong with it is told below, with the column. */
export const ExpressionInput = (props: Props): JSX.Element => {
  const id = createUniqueId();
  let input: HTMLInputElement | undefined;
  const [offers, setOffers] = createSignal<readonly Completion[]>([]);
  const [at, setAt] = createSignal(0);
  const mistake = () => mistakeOf(props.kind, props.value);
  const offer = (): void => {
    const cursor = input?.selectionStart ?? props.value.length;
    setOffers(offersAt(props.kind, { text: props.value, cursor }, props.sites));
    setAt(0);
  };
  const take = (chosen: Completion | undefined): void => {
    if (!chosen || !input) return;
    const next = withOffer({ text: props.value, cursor: input.selectionStart ?? props.value.length }, chosen);
    props.change(next.text);
    input.value = next.text;
    input.setSelectionRange(next.cursor, next.cursor);
    setOffers([]);
  };
  const moved = (by: number): void => void setAt((i) => (i + by + offers().length) % offers().length);
  const choosing: Readonly<Record<string, () => void>> = {
    ArrowDown: () => moved(1),
    ArrowUp: () => moved(-1),
    Tab: () => take(offers()[at()]),
    Enter: () => take(offers()[at()]),
    Escape: () => setOffers([]),
  };
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
        aria-expanded={offers().length > 0}
        aria-controls={`offers-${id}`}
        aria-activedescendant={offers().length > 0 ? `offers-${id}-${at()}` : undefined}
        onInput={(event) => {
          props.change(event.currentTarget.value);
          offer();
        }}
        onBlur={() => setOffers([])}
        onKeyDown={(event) => {
          const act = (offers().length > 0 ? choosing : plain)[event.key];
          if (!act) return;
          event.preventDefault();
          event.stopPropagation();
          act();
        }}
      />
      <Show when={offers().length > 0}>
        <Offers id={`offers-${id}`} offers={offers()} at={at()} take={take} />
      </Show>
      <Show when={mistake()}>
        <p class="mistake" role="alert">
          {mistake()}
        </p>
      </Show>
    </div>
  );
};
