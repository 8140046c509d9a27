import { createEffect, createSignal, on, type Accessor } from 'solid-js';
import { isTargetOnly, type ModelPicture, type ModelReads, type ModelSummary } from '../../protocol/index.js';
import type { Session } from './session.js';

/** What is known of a model before anything ran. */
export interface ModelInfo {
  /** As the session names it. */
  readonly name: string;
  readonly summary: ModelSummary;
  readonly picture: ModelPicture;
  readonly reads: ModelReads;
}

/** What the session's model is, asked for when it changes; undefined until that is known, or where it cannot be opened. */
export const makeModel = (session: Session, name: Accessor<string | undefined>): Accessor<ModelInfo | undefined> => {
  const [info, setInfo] = createSignal<ModelInfo>();
  createEffect(
    on([name, () => session.store.link, () => session.store.host.alive], ([model, link, alive]) => {
      const client = session.client();
      if (model === undefined || isTargetOnly(model) || link !== 'open' || !alive || !client || info()?.name === model)
        return;
      client.request('list', { model, show: ['picture', 'reads'] }).then(
        ({ model: summary, picture, reads }) => {
          if (name() === model && picture && reads) setInfo({ name: model, summary, picture, reads });
        },
        () => name() === model && setInfo(undefined), // the run's own error tells why
      );
    }),
  );
  return () => (info()?.name === name() ? info() : undefined);
};
