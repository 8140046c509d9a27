import { createEffect, createMemo, createSignal, on, type Accessor } from 'solid-js';
import type { KnownSite } from '../../language/index.js';
import { isTargetOnly } from '../../protocol/index.js';
import { linesOf, type Line } from '../panels/program/listing-lines.js';
import type { Debugging } from './debugging.js';
import type { Results } from './results.js';
import type { Session } from './session.js';

interface Listed {
  readonly model: string;
  readonly lines: readonly Line[];
  readonly sites: readonly KnownSite[];
}

interface Given {
  readonly session: Session;
  readonly results: Results;
  readonly debugging: Debugging;
}

export interface Program {
  readonly lines: Accessor<readonly Line[]>;
  readonly sites: Accessor<readonly KnownSite[]>;
}

/** The program of the run that is open, or of the session's model; and the model's sites, for completion. */
export const makeProgram = ({ session, results, debugging }: Given): Program => {
  const [listed, setListed] = createSignal<Listed>();
  const model = createMemo(() => session.store.state?.model);
  const isThere = createMemo(() => results.compare() !== undefined);
  createEffect(
    on([model, isThere], ([name, known]) => {
      const client = session.client();
      if (name === undefined || isTargetOnly(name) || !known || !client || listed()?.model === name) return;
      client.request('list', { model: name, show: ['sites', 'listing'] }).then(
        ({ listing = [], sites = [] }) => setListed({ model: name, lines: linesOf(listing), sites }),
        () => setListed(undefined), // what is wrong with the model is told elsewhere
      );
    }),
  );
  const [own, setOwn] = createSignal<readonly KnownSite[]>([]);
  const isOnly = createMemo(() => isTargetOnly(model() ?? ''));
  // What a process or a recording has, only it knows.
  createEffect(
    on([debugging.about, isOnly, debugging.isOpen], ([about, only, open]) => {
      if (!about || !only || !open) return;
      debugging.look({ ask: 'sites' }).then(
        ({ sites }) => setOwn(sites),
        () => setOwn([]), // names are then written without completion
      );
    }),
  );
  const lines = createMemo((): readonly Line[] => {
    if (isOnly()) return debugging.lastAbout()?.listing ?? [];
    return debugging.about()?.listing ?? listed()?.lines ?? [];
  });
  return { lines, sites: (): readonly KnownSite[] => (isOnly() ? own() : (listed()?.sites ?? [])) };
};
