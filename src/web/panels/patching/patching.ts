import type { App } from '../../app.js';
import { manyPairs } from '../trials/many-pairs.js';
import { likeliestOf } from '../trials/pair-fields.jsx';
import { corruptOf, corruptText, measuredOf } from '../trials/pair.js';
import { makeTrial, type Trial } from '../trials/trial.js';
import { askedOf, needsCorrupt } from './data.js';

/** Patching as it was run last, whoever shows it. */
export const patchingOf = (app: App): Trial<'patch'> =>
  app.kept('patching', () =>
    makeTrial(app, 'patch', {
      settings: ({ corrupt, answer, wrong, metric, method, sites, by, direction, subject, receivers, pairs }) => ({
        ...{ answer, wrong, metric, method, sites, by, direction, corrupt, subject, receivers, pairs },
      }),
      asked: async (run, settings, signal) => {
        const [client, state] = [app.session.client(), app.state()];
        const { likeliest, isLabels } = likeliestOf(app);
        const own = { ...askedOf(settings), ...measuredOf(settings, likeliest, isLabels) };
        const many = manyPairs(run, settings);
        if (many) return { ...own, ...many };
        if (!client || !state || !needsCorrupt(settings)) return own;
        const vocab = app.model()?.summary.vocab;
        return { ...own, ...(await corruptOf(client, run, { text: corruptText(state, settings), vocab, signal })) };
      },
    }),
  );
