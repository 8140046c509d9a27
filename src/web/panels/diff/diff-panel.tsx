import { createMemo, For, Show, type JSX } from 'solid-js';
import { isProcess, type DiffResult, type PictureBlock, type PicturePart } from '../../../protocol/index.js';
import { useApp, type App } from '../../app.js';
import { shortName } from '../../look/model-name.js';
import { Panel } from '../../shell/panel.jsx';
import { ScaleStrip } from '../../shell/scale-strip.jsx';
import { columnsOf } from '../picture/layers.js';
import { Stack, type Shading } from '../picture/stacks.jsx';
import { setTrials } from '../trials/pair-fields.jsx';
import { RunBar } from '../trials/run-bar.jsx';
import { notYet } from '../trials/trial.js';
import { blockDifference, blockOf, differenceOf, differs, partOf, relativeText, shareOf, shownSites } from './data.js';
import { Findings } from './findings.jsx';
import { Rest, SitesTable } from './sites-table.jsx';
import { makeDiff, type Diff } from './use-diff.js';

/** What A is compared with. */
const Choice = (props: { readonly diff: Diff }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().diff;
  const beside = () => (app.view.trials.other ? undefined : props.diff.other());
  return (
    <div class="diff-choice">
      <input
        id="diff-other"
        class="mono"
        spellcheck={false}
        value={app.view.trials.other ?? ''}
        placeholder={beside() ? t().beside(shortName(beside()?.model ?? '')) : t().other}
        aria-label={t().other}
        title={t().other}
        onChange={(event) => setTrials(app, { other: event.currentTarget.value.trim() || undefined })}
      />
      <Show when={isProcess(props.diff.other()?.model ?? '')}>
        <input
          type="password"
          id="diff-token"
          autocomplete="off"
          placeholder={app.t().live.token}
          aria-label={app.t().live.token}
          value={props.diff.token()}
          onInput={(event) => props.diff.setToken(event.currentTarget.value)}
        />
      </Show>
    </div>
  );
};

const blocksOf = (app: App): readonly PictureBlock[] => app.model()?.picture.blocks ?? [];

/** The difference on the picture: a block by what it hands on, a part by the most that is in it. */
const shadingOf = (app: App, result: DiffResult): Shading => {
  const blocks = blocksOf(app);
  const first = result.findings[0]?.site;
  const formOf = (block: PictureBlock) => app.model()?.picture.forms[block.form];
  const shade = (x: number | undefined) => (x === undefined ? undefined : { share: shareOf(x, result), text: relativeText(Number.isFinite(x) ? x : null) }); // prettier-ignore
  return {
    of: (block) => shade(blockDifference(result, block, blocks)),
    ofPart: (block, part) => {
      const form = formOf(block);
      const own = result.sites.filter(({ site }) => form && partOf(site, block, form) === part.id);
      return own.length === 0
        ? undefined
        : shade(Math.max(...own.map((view) => differenceOf(result, view) ?? Infinity)));
    },
    mark: (block: PictureBlock, part?: PicturePart) => {
      const form = formOf(block);
      if (first === undefined || !form || blockOf(first, blocks)?.id !== block.id) return undefined;
      const isHere = part === undefined || partOf(first, block, form) === part.id;
      return isHere ? app.t().diff.first : undefined;
    },
    go: () => undefined, // the table shows what is in the block
    scale: 'sequential',
    low: relativeText(result.floor),
    high: relativeText(Math.max(...result.sites.map(({ relative }) => relative ?? 0), result.floor)),
  };
};

const Picture = (props: { readonly of: DiffResult }): JSX.Element => {
  const app = useApp();
  const columns = createMemo(() => {
    const picture = app.model()?.picture;
    return picture ? columnsOf(picture) : [];
  });
  const shading = createMemo(() => shadingOf(app, props.of));
  return (
    <div class="diff-picture" id="diff-picture">
      <div class="stacks">
        <For each={columns()}>{(column) => <Stack column={column} shading={shading()} />}</For>
      </div>
      <div class="legend small">
        <span class="soft">{app.t().diff.relativeShort}</span>
        <span class="number">≤ {shading().low}</span>
        <ScaleStrip kind="sequential" />
        <span class="number">{shading().high}</span>
      </div>
    </div>
  );
};

/** How many sites agree, by which floor. */
const Verdict = (props: { readonly of: DiffResult }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().diff;
  const apart = () => props.of.sites.filter((view) => differs(props.of, view)).length;
  return (
    <>
      <p class="verdict" id="diff-verdict" classList={{ agree: props.of.agree }} role="status">
        <b>
          {props.of.agree
            ? t().agree(props.of.sites.length, relativeText(props.of.floor))
            : t().apart(apart(), props.of.sites.length, relativeText(props.of.floor))}
        </b>
      </p>
      <Show when={props.of.otherTokens}>
        <p class="hint">{t().otherTokens}</p>
      </Show>
      <Show when={props.of.byLayer}>
        <p class="small soft">{t().byLayer}</p>
      </Show>
      <For each={props.of.notes}>{(note) => <p class="small soft">{app.t().told.note(note)}</p>}</For>
    </>
  );
};

const Result = (props: { readonly of: DiffResult }): JSX.Element => {
  const app = useApp();
  const focus = () => blocksOf(app).find(({ id }) => id === app.focus()?.after);
  const go = (site: string): void => {
    const block = blockOf(site, blocksOf(app));
    if (block && block.kind !== 'head') app.look({ after: block.id, head: undefined });
  };
  return (
    <div class="scrolls">
      <Verdict of={props.of} />
      <Findings of={props.of} go={go} />
      <Picture of={props.of} />
      <SitesTable of={props.of} sites={shownSites(props.of, focus(), blocksOf(app))} go={go} />
      <Rest of={props.of} />
    </div>
  );
};

/** Where two runs of one prompt part, which mistake explains it, and the difference on the model's picture. */
export const DiffPanel = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().diff;
  const diff = app.kept('diff', () => makeDiff(app));
  const missing = () => notYet(app) ?? (diff.other() ? undefined : t().nothing);
  return (
    <Panel id="diff" title={t().heading} help={t().help} grows>
      <Choice diff={diff} />
      <RunBar id="diff" name={t().run} trial={diff.trial} missing={missing()} />
      <Show when={diff.trial.result()}>{(result) => <Result of={result()} />}</Show>
    </Panel>
  );
};
