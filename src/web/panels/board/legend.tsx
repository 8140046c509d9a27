import type { JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { visible } from '../../look/token-text.js';
import { ScaleStrip } from '../../shell/scale-strip.jsx';
import { measureId, type ShownMeasure } from './shown-measure.js';

/** What the colours mean: the scale with the numbers at its ends and in its middle. */
export const Legend = (props: ShownMeasure): JSX.Element => {
  const app = useApp();
  const at = (share: number): string => {
    const [low, high] = props.ends;
    const x = props.measure.isLog ? low * (high / low) ** share : low + share * (high - low);
    return props.measure.show(x);
  };
  const name = (): string => {
    const word = app.results.word();
    const { measures: names, units } = app.t().board;
    const of = ['probability', 'rank'].includes(measureId(app)) && word ? ` ${visible(word.text)}` : '';
    const unit = units[measureId(app)];
    const what = `${names[measureId(app)]}${of}${unit === '' ? '' : `, ${unit}`}`;
    return app.side() === 'difference' ? `${app.t().beside.difference}: ${what}` : what;
  };
  return (
    <div class="legend small" id="legend">
      <span class="soft">{name()}</span>
      <span class="number">{at(0)}</span>
      <ScaleStrip kind={props.scale} />
      <span class="number">{at(1)}</span>
    </div>
  );
};
