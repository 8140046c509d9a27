import { createSignal, For, type JSX } from 'solid-js';
import { DebuggerError } from '../../../base/index.js';
import type { Evaluated } from '../../../protocol/index.js';
import { useApp, type App } from '../../app.js';
import { ExpressionInput } from '../program/expression-input.jsx';
import { mistakeOf } from '../program/expressions.js';
import { useLook } from '../program/use-look.js';
import { TreeItem } from './tree.jsx';

type Watched = { readonly item: Evaluated } | { readonly mistake: string };

/** What an expression gives here; one that cannot be evaluated says why, and the others are shown. */
const evaluated = async (app: App, expression: string, signal: AbortSignal): Promise<Watched> => {
  try {
    return { item: await app.debugging.look({ ask: 'evaluate', expression }, signal) };
  } catch (error) {
    if (error instanceof DebuggerError)
      return { mistake: app.t().told.error({ ...error.info, message: error.message }).message };
    throw error;
  }
};

interface RowProps {
  readonly watch: string;
  readonly found: Watched | undefined;
  readonly remove: () => void;
}

const Row = (props: RowProps): JSX.Element => {
  const app = useApp();
  const mistake = () => (props.found && 'mistake' in props.found ? props.found.mistake : undefined);
  const item = () =>
    props.found && 'item' in props.found
      ? props.found.item
      : { name: props.watch, value: mistake() ?? (app.debugging.isOpen() ? '…' : '') };
  return (
    <TreeItem
      item={item()}
      name={props.watch}
      path={['watches', props.watch]}
      isMistake={mistake() !== undefined}
      end={
        <button class="plain" aria-label={app.t().program.removeWatch(props.watch)} onClick={() => props.remove()}>
          ×
        </button>
      }
    />
  );
};

/** Expressions, evaluated wherever the run stands. */
export const Watches = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().program;
  const [text, setText] = createSignal('');
  const watches = () => app.debugging.settings().watches;
  const looked = useLook(
    async (signal) => {
      const all = new Map<string, Watched>();
      for (const watch of watches()) all.set(watch, await evaluated(app, watch, signal));
      return all;
    },
    () => watches().join('\n'),
  ); // what is in the list: the list itself stays the same
  const add = (): void => {
    const given = text().trim();
    if (given === '' || mistakeOf('condition', given) !== undefined) return;
    if (!watches().includes(given)) app.debugging.set((all) => ({ ...all, watches: [...all.watches, given] }));
    setText('');
  };
  const remove = (watch: string): void =>
    app.debugging.set((all) => ({ ...all, watches: all.watches.filter((other) => other !== watch) }));
  return (
    <div class="watches" id="watches">
      <ul class="tree" role="tree" aria-label={t().watches}>
        <For each={watches()}>
          {(watch) => <Row watch={watch} found={looked().value?.get(watch)} remove={() => remove(watch)} />}
        </For>
      </ul>
      <ExpressionInput
        id="add-watch"
        kind="condition"
        value={text()}
        sites={app.program.sites()}
        label={t().addWatchExpression}
        placeholder={t().watchExample}
        change={setText}
        enter={add}
      />
    </div>
  );
};
