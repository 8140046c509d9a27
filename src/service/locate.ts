import { UsageError } from '../base/index.js';

/** The same error with the place in front: `edits.txt: line 3, column 25: expected a number`. */
const placed = (place: string, error: unknown): unknown =>
  error instanceof UsageError ? new UsageError(`${place}: ${error.message}`, { ...error.info, cause: error }) : error;

/** Does something; a caller's mistake in it is told with its place. */
export const locate = <T>(place: string, work: () => T): T => {
  try {
    return work();
  } catch (error) {
    throw placed(place, error);
  }
};

/** As `locate`, of something that takes time. */
export const locateAsync = async <T>(place: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    throw placed(place, error);
  }
};
