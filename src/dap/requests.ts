import { z } from 'zod';
import { attachArguments, attachOf, launchArguments, launchOf } from './launch.js';
import { capabilities } from './capabilities.js';
import { breakpointRequests } from './breakpoint-requests.js';
import { lookRequests } from './look-requests.js';
import { moveRequests } from './move-requests.js';
import { row, type Row } from './row.js';

const initialize = z.object({
  linesStartAt1: z.boolean().default(true),
  columnsStartAt1: z.boolean().default(true),
  supportsVariablePaging: z.boolean().default(false),
  supportsInvalidatedEvent: z.boolean().default(false),
  supportsMemoryEvent: z.boolean().default(false),
  supportsProgressReporting: z.boolean().default(false),
});

/** What a client can ask, by name. */
export const requests: ReadonlyMap<string, Row> = new Map<string, Row>([
  [
    'initialize',
    row('any', initialize, (session, given) => {
      session.client = {
        ...{ paged: given.supportsVariablePaging, invalidated: given.supportsInvalidatedEvent },
        ...{ memory: given.supportsMemoryEvent, progress: given.supportsProgressReporting },
        ...{ firstLine: given.linesStartAt1 ? 1 : 0, firstColumn: given.columnsStartAt1 ? 1 : 0 },
      };
      return capabilities;
    }),
  ],
  ['launch', row('any', launchArguments, (session, given, seq) => session.launch(launchOf(given), seq))],
  ['attach', row('any', attachArguments, (session, given, seq) => session.launch(attachOf(given), seq))],
  ['configurationDone', row('live', z.unknown(), (session) => session.start())],
  ['restart', row('live', z.unknown(), (session) => session.restart())],
  ['pause', row('live', z.unknown(), (session) => session.pause())],
  ['terminate', row('live', z.unknown(), (session) => session.finish())],
  ['disconnect', row('any', z.unknown(), (session) => session.dispose())],
  ...breakpointRequests,
  ...moveRequests,
  ...lookRequests,
]);
