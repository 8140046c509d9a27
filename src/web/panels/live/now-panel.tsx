import { Show, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { Panel } from '../../shell/panel.jsx';
import { Says } from '../program/says.jsx';
import { Transcript } from '../program/transcript.jsx';
import { Training } from './training.jsx';
import { useTraining } from './use-training.js';

/** What the run has come to: of a training loop its steps, else the tokens and what comes next. */
export const NowPanel = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().live;
  const training = useTraining();
  return (
    <Show
      when={training()}
      fallback={
        <Show when={app.debugging.isOpen()}>
          <Panel id="now" title={t().tokens} help={t().tokensHelp} grows>
            <div class="scrolls">
              <Transcript />
              <Says />
            </div>
          </Panel>
        </Show>
      }
    >
      {(of) => (
        <Panel id="training" title={t().training} help={t().trainingHelp} grows>
          <div class="scrolls">
            <Training of={of()} />
          </div>
        </Panel>
      )}
    </Show>
  );
};
