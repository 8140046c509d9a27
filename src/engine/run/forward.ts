import { EngineError } from '../../base/index.js';
import type { Program } from '../../graph/index.js';
import type { Compilations } from './compiled.js';
import { capturedIn, formOf, type FormRequest } from './instance-form.js';
import { Pass } from './pass.js';
import type { ForwardRequest, ForwardResult } from './request.js';

/**
 * Runs the model once over new tokens.
 * @throws EngineError ENGINE_FAILED
 */
export const forward = (
  model: { readonly program: Program; readonly compilations: Compilations },
  request: ForwardRequest,
): Promise<ForwardResult> => {
  if (request.cache && request.ids.length !== 1)
    throw new EngineError('a cache holds one sequence', {
      code: 'ENGINE_FAILED',
      hint: 'Run the sequences one by one.',
    });
  return new Pass(model.program, model.compilations, request).run();
};

/** Compiles what a pass will need, so that the first one is as fast as the next. */
export const prepareForward = async (
  model: { readonly compilations: Compilations },
  request: FormRequest & Pick<ForwardRequest, 'onSegment'> & { readonly capture?: ReadonlySet<string> },
): Promise<void> => {
  for (const instance of request.variant.order) {
    await request.onSegment?.(instance.name);
    const captured = capturedIn(instance, request.capture ?? new Set());
    await model.compilations.get(instance.segment, formOf(instance, captured, request));
  }
};
