import { UsageError } from '../../base/index.js';
import type { Edit, EditOf } from '../../language/index.js';
import type { PlacedSite } from './sites.js';
import type { PlannedEdit } from './value-edits.js';

type GradientEdit = EditOf<'set grad' | 'scale grad'>;

export const isGradientEdit = (edit: Edit): edit is GradientEdit =>
  edit.edit === 'set grad' || edit.edit === 'scale grad';

/**
 * A change of a site's gradient on its way back, as the change of a value that it is.
 * @throws UsageError EDIT_INVALID for a site that nothing reads by itself
 */
export const plannedGradient = ({ site, type, name }: PlacedSite, edit: GradientEdit): PlannedEdit => {
  if (site.partOf)
    throw new UsageError(`nothing goes back through ${name}: it is a summand that is made only to be looked at`, {
      code: 'EDIT_INVALID',
      hint: `Change the gradient of what it is made of: grad(${name.replace(/[^.]+$/, 'z')})[head=...].`,
    });
  const value = edit.edit === 'scale grad' ? edit.by : edit.to === 'zero' ? 0 : edit.to;
  return {
    ...{ site: site.name, shown: `grad(${edit.site})`, type, where: edit.where ?? {} },
    form: edit.edit === 'scale grad' ? 'scale' : 'replace',
    operand: { kind: 'number', value },
    steps: { from: 0, to: Infinity },
  };
};
