import { For, Show, type JSX } from 'solid-js';
import { isProcess } from '../../../protocol/index.js';
import { useApp } from '../../app.js';
import { Mistake } from '../../shell/mistake.jsx';
import { Panel } from '../../shell/panel.jsx';
import { AttachForm } from './attach-form.jsx';

/** Why nothing is attached, and how to attach again. */
const Apart = (props: { readonly address: string }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().live;
  const { view } = app.debugging;
  return (
    <>
      <Show when={view().ended}>
        {(text) => (
          <p class="hint" role="status">
            {t().ended(text())}
          </p>
        )}
      </Show>
      <Mistake of={view().error} isAlert />
      <Show when={!view().ended && !view().error && isProcess(props.address)}>
        <p class="soft">{t().apart}</p>
      </Show>
      <Show when={isProcess(props.address)}>
        <AttachForm address={props.address} />
        <p class="soft small">
          <button id="attach-again" class="small" onClick={app.debugging.open}>
            {t().again}
          </button>{' '}
          {t().againHint}
        </p>
      </Show>
    </>
  );
};

/** What the session is of in a model's place: a live process, or a recording; and what the page has not of it. */
export const ProcessPanel = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().live;
  const address = () => app.session.store.state?.model ?? '';
  const isOff = () => app.debugging.view().phase === 'off';
  const title = () => (app.source() === 'process' ? t().process : t().recording);
  const about = () => app.debugging.lastAbout();
  return (
    <Panel id="process" title={title()} help={t().help}>
      <div class="process-line">
        <strong class="mono process-name" title={address()}>
          {address()}
        </strong>
        <span class="soft small" id="process-phase">
          {isProcess(address()) ? t().phases[app.debugging.view().phase] : ''}
        </span>
        <span class="space" />
        <Show when={!isOff() && isProcess(address())}>
          <button
            id="detach"
            class="small"
            disabled={!app.debugging.can('stop')}
            title={t().detachHint}
            onClick={() => app.debugging.do('stop')}
          >
            {t().detach}
          </button>
        </Show>
      </div>
      <Show when={isOff()}>
        <Apart address={address()} />
      </Show>
      <Show when={app.debugging.view().phase === 'stopped'}>
        <p class="process-about" id="process-place">
          {app.debugging.view().state?.place ?? t().between}
        </p>
      </Show>
      <Show when={about()}>
        {(of) => (
          <>
            <p class="small process-about">
              <b>{of().name}</b>{' '}
              <For each={of().can.limits}>{(limit) => <span class="soft">{app.t().told.note(limit)}. </span>}</For>
            </p>
            <For each={of().notes}>{(note) => <p class="soft small">{app.t().told.note(note)}</p>}</For>
          </>
        )}
      </Show>
      <details class="small soft">
        <summary>{t().missing}</summary>
        {isProcess(address()) ? t().missingWhy : t().missingOfRecording}
      </details>
    </Panel>
  );
};
