import { For, Show, type JSX } from 'solid-js';
import { useApp } from '../../app.js';

/** The path of the module that a frame is of: `model.layers.1.mlp (LlamaMLP)`. */
export const moduleOf = (frame: string): string => frame.replace(/ \([^()]*\)$/, '');

/** Changes of a module as edits, by the words that they are offered with. */
export const moduleChanges = (path: string) =>
  ({
    skip: `skip module ${path}`,
    zero: `set ${path} = zero`,
    half: `scale ${path} by 0.5`,
    mean: `set ${path} = mean`,
    gradient: `set grad(${path}) = zero`,
  }) as const;

type Change = keyof ReturnType<typeof moduleChanges>;

/** Makes an edit of the module of the chosen frame. */
export const ModuleChanges = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().live;
  const path = (): string | undefined => {
    const frame = app.debugging.frame();
    const isModule = frame?.kind === 'module' || frame?.kind === 'layer';
    return isModule && app.debugging.about()?.can.change ? moduleOf(frame.name) : undefined;
  };
  const changes: readonly Change[] = ['skip', 'zero', 'half', 'mean', 'gradient'];
  return (
    <Show when={path()}>
      {(of) => (
        <div class="add-menus" role="group" aria-label={app.t().adding.label}>
          <select
            class="small module-changes"
            id="module-changes"
            aria-label={t().change(of())}
            onChange={(event) => {
              const { value } = event.currentTarget;
              event.currentTarget.value = '';
              const edit = moduleChanges(of())[value as Change] as string | undefined;
              if (edit !== undefined) app.experiment.add(edit);
            }}
          >
            <option value="">{t().change(of())}</option>
            <For each={changes}>{(change) => <option value={change}>{t().changes[change]}</option>}</For>
          </select>
        </div>
      )}
    </Show>
  );
};
