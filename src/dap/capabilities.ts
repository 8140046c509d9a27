import type { DebugProtocol } from '@vscode/debugprotocol';
import type { TargetAbilities } from '../protocol/index.js';

const filter = (
  name: string,
  {
    label,
    description,
    condition,
  }: { readonly label: string; readonly description: string; readonly condition?: string },
): DebugProtocol.ExceptionBreakpointsFilter => ({
  ...{ filter: name, label, description, default: false },
  ...(condition === undefined ? {} : { supportsCondition: true, conditionDescription: condition }),
});

/** What works, and nothing else. */
export const capabilities: DebugProtocol.Capabilities = {
  supportsConfigurationDoneRequest: true,
  supportsFunctionBreakpoints: true,
  supportsConditionalBreakpoints: true,
  supportsHitConditionalBreakpoints: true,
  supportsLogPoints: true,
  supportsBreakpointLocationsRequest: true,
  supportsEvaluateForHovers: true,
  supportsClipboardContext: true,
  supportsStepBack: true,
  supportsSetVariable: true,
  supportsSetExpression: true,
  supportsRestartFrame: true,
  supportsRestartRequest: true,
  supportsGotoTargetsRequest: true,
  supportsCompletionsRequest: true,
  supportsExceptionInfoRequest: true,
  supportsExceptionFilterOptions: true,
  supportsSteppingGranularity: true,
  supportsLoadedSourcesRequest: true,
  supportsReadMemoryRequest: true,
  supportsCancelRequest: true,
  supportsTerminateRequest: true,
  supportsDelayedStackTraceLoading: true,
  supportsDataBreakpoints: true,
  supportsWriteMemoryRequest: true,
  supportsInstructionBreakpoints: true,
  supportsDisassembleRequest: true,
  supportsStepInTargetsRequest: true,
  supportsModulesRequest: true,
  additionalModuleColumns: [{ attributeName: 'sites', label: 'Values', type: 'number' }],
  exceptionBreakpointFilters: [
    filter('nan', { label: 'NaN', description: 'the operation in which a number that is not a number first arises' }),
    filter('inf', { label: 'Infinity', description: 'the operation in which infinity first arises' }),
    filter('overflow16', {
      label: 'Overflow of float16',
      description: 'the operation in which a number beyond float16 first arises',
    }),
    filter('repetition', { label: 'Repetition', description: 'the same tokens are generated again and again' }),
    filter('entropy', {
      label: 'Entropy collapses',
      description: 'the next token is all but settled',
      condition: 'nats, 0.1 if left out',
    }),
    filter('lost', {
      label: 'Token lost',
      description: 'a token ranks worse than at the step before',
      condition: 'the token: its text in quotes, or its id',
    }),
    filter('exploding', {
      label: 'Exploding gradient',
      description: 'on a way back the gradient of a layer is longer than a bound',
      condition: 'its norm, 1000 if left out',
    }),
    filter('vanishing', {
      label: 'Vanishing gradient',
      description: 'on a way back the gradient of a layer is shorter than a bound',
      condition: 'its norm, 1e-8 if left out',
    }),
  ],
};

const processFilters = [filter('error', { label: 'Python exception', description: 'an exception leaves a module' })];

const filtersOf = (catches: readonly string[]): DebugProtocol.ExceptionBreakpointsFilter[] =>
  [...(capabilities.exceptionBreakpointFilters ?? []), ...processFilters].filter((f) => catches.includes(f.filter));

/** What a client is to be told that a target cannot do; undefined where it can do all. */
export const capabilitiesOf = ({
  back,
  change,
  again = back,
  catches,
}: TargetAbilities): DebugProtocol.Capabilities | undefined => {
  if (back && change) return undefined;
  return {
    ...(back ? {} : { supportsStepBack: false, supportsRestartFrame: again, supportsGotoTargetsRequest: false }),
    ...(back || catches === undefined ? {} : { supportsRestartRequest: false }),
    ...(change ? {} : { supportsSetVariable: false, supportsSetExpression: false, supportsWriteMemoryRequest: false }),
    ...(catches === undefined ? {} : { exceptionBreakpointFilters: filtersOf(catches) }),
  };
};
