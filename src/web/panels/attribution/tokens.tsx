import { For, type JSX } from 'solid-js';
import type { AttributedRow, AttributedUnit, AttributeResult } from '../../../protocol/index.js';
import { useApp } from '../../app.js';
import { colorAt, css, inkOn } from '../../look/color.js';
import { compact } from '../../look/numbers.js';
import { visible } from '../../look/token-text.js';
import { boardSide, scaleOf } from './data.js';

/** The colour of a score on the diverging scale, and what is read on it; none where there is no score. */
const useColours = () => {
  const app = useApp();
  return (score: number | null, scale: number): JSX.CSSProperties => {
    if (score === null) return {};
    const colour = colorAt(app.palette().diverging, 0.5 + score / scale / 2);
    return { background: css(colour), color: inkOn(colour) };
  };
};

/** Moves everybody's focus to a unit, where the board shows its side. */
const useFocus = (result: () => AttributeResult) => {
  const app = useApp();
  const isHere = ({ side }: AttributedUnit): boolean => side === boardSide(result());
  return {
    isAt: (unit: AttributedUnit): boolean => isHere(unit) && unit.positions.includes(app.focus()?.position ?? -1),
    go: (unit: AttributedUnit): void => {
      if (isHere(unit)) app.look({ position: unit.positions.at(-1) ?? 0 });
    },
  };
};

interface Props {
  readonly result: AttributeResult;
  readonly row: AttributedRow;
}

/** The text, each unit on the colour of its score; a click moves the focus. */
export const ColouredTokens = (props: Props): JSX.Element => {
  const app = useApp();
  const colours = useColours();
  const focus = useFocus(() => props.result);
  const told = (unit: AttributedUnit, i: number): string =>
    app.t().attribution.score(visible(unit.text), compact(props.row.scores[i]));
  return (
    <div class="attributed" id="attributed">
      <For each={props.result.units}>
        {(unit, i) => (
          <button
            classList={{ alone: (props.row.scores[i()] ?? null) === null }}
            style={colours(props.row.scores[i()] ?? null, scaleOf(props.result.rows))}
            aria-pressed={focus.isAt(unit)}
            aria-label={told(unit, i())}
            onClick={() => focus.go(unit)}
            onPointerEnter={() => app.point(told(unit, i()))}
            onPointerLeave={() => app.point(undefined)}
          >
            {visible(unit.text)}
          </button>
        )}
      </For>
    </div>
  );
};

/** A table of the units with their scores and, where they were drawn, their errors. */
export const ScoreTable = (props: Props): JSX.Element => {
  const app = useApp();
  const focus = useFocus(() => props.result);
  const share = (i: number): number => Math.abs(props.row.scores[i] ?? 0) / scaleOf(props.result.rows);
  const colour = (i: number): string =>
    css(colorAt(app.palette().diverging, (props.row.scores[i] ?? 0) < 0 ? 0.15 : 0.85));
  return (
    <table class="parts attribution-table">
      <thead>
        <tr>
          <th>{app.t().attribution.unit}</th>
          <th class="number">{app.t().attribution.scored}</th>
          <th />
        </tr>
      </thead>
      <tbody>
        <For each={props.result.units}>
          {(unit, i) => (
            <tr aria-selected={focus.isAt(unit)}>
              <td>
                <button class="plain mono" onClick={() => focus.go(unit)}>
                  {visible(unit.text)}
                </button>
              </td>
              <td class="number">
                {compact(props.row.scores[i()])}
                {props.row.errors ? ` ± ${compact(props.row.errors[i()])}` : ''}
              </td>
              <td>
                <div class="bar-cell">
                  <div class="bar" style={{ width: `${(100 * share(i())).toFixed(1)}%`, background: colour(i()) }} />
                </div>
              </td>
            </tr>
          )}
        </For>
      </tbody>
    </table>
  );
};

/** Of generated text: a row a token that came out, a column a unit that was read. */
export const Grid = (props: {
  readonly result: AttributeResult;
  readonly chosen: number;
  readonly choose: (row: number) => void;
}): JSX.Element => {
  const app = useApp();
  const colours = useColours();
  const scale = (): number => scaleOf(props.result.rows);
  const name = (row: AttributedRow): string => visible(row.token?.text ?? row.of);
  return (
    <div class="head-grid">
      <table class="attribution-grid" id="attribution-grid">
        <thead>
          <tr>
            <th />
            <For each={props.result.units}>
              {(unit) => (
                <th>
                  <span>{visible(unit.text)}</span>
                </th>
              )}
            </For>
          </tr>
        </thead>
        <tbody>
          <For each={props.result.rows}>
            {(row, r) => (
              <tr aria-selected={props.chosen === r()}>
                <th>
                  <button class="plain" onClick={() => props.choose(r())}>
                    {name(row)}
                  </button>
                </th>
                <For each={row.scores}>
                  {(score, i) => (
                    <td
                      style={colours(score, scale())}
                      onPointerEnter={() =>
                        app.point(
                          app
                            .t()
                            .attribution.score(
                              `${name(row)} ← ${visible(props.result.units[i()]?.text ?? '')}`,
                              compact(score),
                            ),
                        )
                      }
                      onPointerLeave={() => app.point(undefined)}
                      onClick={() => props.choose(r())}
                    />
                  )}
                </For>
              </tr>
            )}
          </For>
        </tbody>
      </table>
    </div>
  );
};
