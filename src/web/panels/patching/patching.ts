import type { App } from '../../app.js';
import { likeliestOf } from '../trials/pair-fields.jsx';
import { corruptOf, corruptText, measuredOf } from '../trials/pair.js';
import { makeTrial, type Trial } from '../trials/trial.js';
import { askedOf, needsCorrupt } from './data.js';

/** Patching as it was run last, whoever shows it. */
export const patchingOf = (app: App): Trial<'patch'> =>
  app.kept('patching', () =>
    makeTrial(app, 'patch', {
      settings: ({ corrupt, answer, wrong, metric, method, sites, by, direction }) => ({
        ...{ answer, wrong, metric, method, sites, by, direction, corrupt },
      }),
      asked: async (run, settings, signal) => {
        const [client, state] = [app.session.client(), app.state()];
        const { likeliest, isLabels } = likeliestOf(app);
        const own = { ...askedOf(settings), ...measuredOf(settings, likeliest, isLabels) };
        if (!client || !state || !needsCorrupt(settings)) return own;
        const vocab = app.model()?.summary.vocab;
        return { ...own, ...(await corruptOf(client, run, { text: corruptText(state, settings), vocab, signal })) };
      },
    }),
  );
