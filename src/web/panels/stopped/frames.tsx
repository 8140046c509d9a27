import { For, Show, type JSX } from 'solid-js';
import type { TargetFrame } from '../../../protocol/index.js';
import { useApp } from '../../app.js';

/** What the run is inside of, innermost first; choosing one turns listing, values and board to it. */
export const Frames = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().program;
  const { view, frameIndex, chooseFrame } = app.debugging;
  const name = ({ kind, name: told, begins }: TargetFrame): string => {
    if (app.debugging.about()?.kind === 'process') return told;
    if (kind === 'generation') return t().generation;
    return kind === 'step' ? t().stepName(begins.step, view().state?.tokens.length ?? 0) : told;
  };
  /** A process goes back in no other way. */
  const canAgain = ({ kind }: TargetFrame): boolean => {
    const about = app.debugging.about();
    const isInside = kind === 'module' || kind === 'layer';
    return about?.kind === 'process' && about.can.again === true && isInside && view().phase === 'stopped';
  };
  return (
    <ol class="frames" id="frames" aria-label={t().frames}>
      <For each={view().state?.frames}>
        {(frame, i) => (
          <li class="frame-line">
            <button
              class="plain frame-name"
              aria-current={i() === frameIndex() ? 'true' : undefined}
              title={name(frame)}
              onClick={() => chooseFrame(i())}
            >
              <span class="soft small">{t().frameNames[frame.kind]}</span>
              <span class="mono">{name(frame)}</span>
            </button>
            <Show when={canAgain(frame)}>
              <button
                class="plain small frame-again"
                aria-label={app.t().live.runAgain(frame.name)}
                title={app.t().live.runAgain(frame.name)}
                onClick={() => app.debugging.move({ kind: 'goto', position: { ...frame.begins } })}
              >
                ↻
              </button>
            </Show>
          </li>
        )}
      </For>
    </ol>
  );
};
