import { For, type JSX } from 'solid-js';
import type { TargetFrame } from '../../../protocol/index.js';
import { useApp } from '../../app.js';

/** What the run is inside of, innermost first; choosing one turns listing, values and board to it. */
export const Frames = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().program;
  const { view, frameIndex, chooseFrame } = app.debugging;
  const name = ({ kind, name: told, begins }: TargetFrame): string => {
    if (kind === 'generation') return t().generation;
    return kind === 'step' ? t().stepName(begins.step, view().state?.tokens.length ?? 0) : told;
  };
  return (
    <ol class="frames" id="frames" aria-label={t().frames}>
      <For each={view().state?.frames}>
        {(frame, i) => (
          <li>
            <button
              class="plain frame-name"
              aria-current={i() === frameIndex() ? 'true' : undefined}
              title={name(frame)}
              onClick={() => chooseFrame(i())}
            >
              <span class="soft small">{t().frameNames[frame.kind]}</span>
              <span class="mono">{name(frame)}</span>
            </button>
          </li>
        )}
      </For>
    </ol>
  );
};
