import type { DebugProtocol } from '@vscode/debugprotocol';

/** What works, and nothing else. */
export const capabilities: DebugProtocol.Capabilities = {
  supportsConfigurationDoneRequest: true,
  supportsFunctionBreakpoints: true,
  supportsConditionalBreakpoints: true,
  supportsHitConditionalBreakpoints: true,
  supportsLogPoints: true,
  supportsBreakpointLocationsRequest: true,
  supportsEvaluateForHovers: true,
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
  exceptionBreakpointFilters: [
    {
      filter: 'nan',
      label: 'NaN',
      description: 'Stop before the operation that first gives a number that is not a number.',
      default: false,
      supportsCondition: true,
      conditionDescription: 'an expression, such as layer > 2',
    },
  ],
};
