import { createEffect, createSignal, onCleanup, Show, type JSX } from 'solid-js';
import { useApp } from '../app.js';
import { bytes } from '../look/numbers.js';

/** Work that takes longer than this is told of. */
const quietMs = 600;

/** Whether something has been going on for a while. */
const useLong = (isOn: () => boolean) => {
  const [long, setLong] = createSignal(false);
  createEffect(() => {
    if (!isOn()) {
      setLong(false);
      return;
    }
    const timer = setTimeout(() => setLong(true), quietMs);
    onCleanup(() => clearTimeout(timer));
  });
  return long;
};

/** A long run: what it does, how far it is, and a way to end it. */
const Opening = (): JSX.Element => {
  const app = useApp();
  const long = useLong(app.results.busy);
  const text = (): string => {
    const at = app.results.progress();
    const t = app.t().notice;
    if (!at) return t.opening;
    const loaded = at.bytes && app.t().start.loaded(bytes(at.bytes.done), bytes(at.bytes.total));
    return [`${t.opening}: ${t.segments(at.done, at.total)}`, loaded].filter((part) => part !== undefined).join(', ');
  };
  return (
    <Show when={long()}>
      <div class="notice" role="status">
        <p>{text()}</p>
        <Show when={app.results.progress()} fallback={<progress />}>
          {(at) => <progress max={at().total} value={at().done} />}
        </Show>
        <button onClick={() => app.results.cancel()}>{app.t().status.cancel}</button>
      </div>
    </Show>
  );
};

/** What went wrong with the server or the process of the model, and what to do. */
export const Notices = (): JSX.Element => {
  const app = useApp();
  const { store } = app.session;
  const died = (): string => (store.host.error ? app.t().told.error(store.host.error).message : '');
  return (
    <>
      <Show when={store.link === 'lost'}>
        <div class="notice bad" role="alert">
          <p>{app.t().notice.lost}</p>
        </div>
      </Show>
      <Show when={store.link === 'open' && !store.host.alive && !app.runOnly()}>
        <div class="notice bad" role="alert" id="host-died">
          <p>{app.t().notice.hostDied(died())}</p>
          <button class="main-action" id="restart" onClick={() => app.session.send({ type: 'restart' })}>
            {app.t().notice.restart}
          </button>
        </div>
      </Show>
      <Opening />
      <Show when={app.results.cancelled() && !app.results.busy()}>
        <div class="notice" role="status" id="cancelled">
          <p>{app.t().notice.cancelled}</p>
          <button onClick={() => app.results.again()}>{app.t().notice.again}</button>
        </div>
      </Show>
    </>
  );
};
