import { createSignal, Show, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { readIds, writeIds } from './ids.js';
import { TextField } from './text-field.jsx';

interface Props {
  readonly id: string;
  readonly label: string;
  readonly ids: readonly number[] | undefined;
  /** Ids are below it. */
  readonly vocab: number | undefined;
  readonly change: (ids: number[]) => void;
}

/** Token ids, written as numbers; what is no id is told of and not taken. */
export const IdsField = (props: Props): JSX.Element => {
  const app = useApp();
  const [mistake, setMistake] = createSignal<string>();
  const take = (text: string): void => {
    const read = readIds(text, props.vocab);
    if ('ids' in read) {
      setMistake(undefined);
      props.change([...read.ids]);
    } else if ('wrong' in read) setMistake(app.t().ways.idsWrong(read.wrong));
    else setMistake(app.t().ways.idsBeyond(read.beyond, props.vocab ?? 0));
  };
  return (
    <>
      <TextField
        id={props.id}
        label={props.label}
        placeholder={app.t().ways.idsPlaceholder}
        value={writeIds(props.ids ?? [])}
        change={take}
        invalid={mistake() !== undefined}
        mono
      />
      <Show when={mistake()}>
        <p class="mistake">{mistake()}</p>
      </Show>
    </>
  );
};
