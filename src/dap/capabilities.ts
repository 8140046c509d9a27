import type { DebugProtocol } from '@vscode/debugprotocol';

const filter = (
  name: string,
  label: string,
  description: string,
  conditionDescription?: string,
): DebugProtocol.ExceptionBreakpointsFilter => ({
  ...{ filter: name, label, description, default: false },
  ...(conditionDescription === undefined ? {} : { supportsCondition: true, conditionDescription }),
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
  exceptionBreakpointFilters: [
    filter('nan', 'NaN', 'the operation in which a number that is not a number first arises'),
    filter('inf', 'Infinity', 'the operation in which infinity first arises'),
    filter('overflow16', 'Overflow of float16', 'the operation in which a number beyond float16 first arises'),
    filter('repetition', 'Repetition', 'the same tokens are generated again and again'),
    filter('entropy', 'Entropy collapses', 'the next token is all but settled', 'nats, 0.1 if left out'),
    filter(
      'lost',
      'Token lost',
      'a token ranks worse than at the step before',
      'the token: its text in quotes, or its id',
    ),
  ],
};
