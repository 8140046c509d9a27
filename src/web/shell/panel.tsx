import { createSignal, Show, type JSX } from 'solid-js';
import { useApp } from '../app.js';

interface Props {
  readonly id: string;
  readonly title: string;
  /** Two sentences and the formula, behind a question mark. */
  readonly help: string;
  readonly tools?: JSX.Element;
  /** Of what shows a run: whether it shows how two differ, where that is what is looked at, or the first of them then. */
  readonly differs?: boolean;
  /** Takes the height that is left. */
  readonly grows?: boolean;
  readonly children: JSX.Element;
}

/** The question mark of a panel, and what it says. */
export const Help = (props: { readonly title: string; readonly text: string }): JSX.Element => {
  const app = useApp();
  const [place, setPlace] = createSignal<{ readonly x: number; readonly y: number }>();
  const open = (event: MouseEvent & { currentTarget: HTMLElement }): void => {
    const { left, bottom } = event.currentTarget.getBoundingClientRect();
    setPlace(place() ? undefined : { x: Math.min(left, innerWidth - 380), y: bottom + 6 });
  };
  return (
    <>
      <button
        class="help"
        aria-label={app.t().page.help(props.title)}
        aria-expanded={place() !== undefined}
        onClick={open}
        onBlur={() => setPlace(undefined)}
        onKeyDown={(event) => event.key === 'Escape' && setPlace(undefined)}
      >
        ?
      </button>
      <Show when={place()}>
        {(at) => (
          <div class="popover" role="status" style={{ left: `${at().x}px`, top: `${at().y}px` }}>
            {props.text}
          </div>
        )}
      </Show>
    </>
  );
};

/** Of two runs, the one that a panel shows, or how they differ. */
const ShownRun = (props: { readonly differs: boolean }): JSX.Element => {
  const app = useApp();
  const shown = () => (app.side() === 'difference' && !props.differs ? 'a' : app.side());
  return (
    <Show when={app.session.store.state?.beside}>
      <span class="shown-run small" classList={{ soft: shown() !== app.side() }} title={app.t().beside.show}>
        {app.t().beside[shown()]}
      </span>
    </Show>
  );
};

/** A part of the page with a name, a question mark, and tools of its own. */
export const Panel = (props: Props): JSX.Element => (
  <section
    class="panel"
    classList={{ grows: props.grows ?? false }}
    aria-labelledby={`${props.id}-title`}
    id={props.id}
  >
    <header>
      <h2 id={`${props.id}-title`}>{props.title}</h2>
      <Help title={props.title} text={props.help} />
      <Show when={props.differs !== undefined}>
        <ShownRun differs={props.differs ?? false} />
      </Show>
      <span class="panel-space" />
      {props.tools}
    </header>
    {props.children}
  </section>
);
