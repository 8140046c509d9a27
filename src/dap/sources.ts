import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Target } from '../debugger/index.js';

/** The two texts that a run has lines in: the computation, and the tokens. */
export const references = { listing: 1, transcript: 2 } as const;
export type SourceName = keyof typeof references;

/** The listing as a file, so that every editor can open it and set breakpoints in it. */
export interface ListingFile {
  readonly name: string;
  readonly path: string;
}

const fileName = (model: string): string => path.basename(model).replaceAll(/[^\w.-]+/g, '_') || 'model';

export const listingText = ({ about }: Target): string => `${about.listing.map(({ text }) => text).join('\n')}\n`;

/** A line a token of the sequence so far. */
export const transcriptText = ({ state }: Target): string =>
  `${state.tokens.map(({ id, text }) => `${JSON.stringify(text)}  ${id}`).join('\n')}\n`;

const holds = (file: string, text: string): boolean => existsSync(file) && readFileSync(file, 'utf8') === text;

/**
 * Writes the listing; the same one has the same path each time, so that an editor's breakpoints stay with it. A file
 * that has it is left alone: an editor reads anew what was written anew, and may take the breakpoints away.
 */
export const writeListing = (model: string, target: Target): ListingFile => {
  const text = listingText(target);
  const stamp = createHash('sha256').update(text).digest('hex').slice(0, 12);
  const folder = path.join(tmpdir(), `cutaway-${userInfo().username}`, stamp);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const name = `${fileName(model)}.listing`;
  const file = path.join(folder, name);
  if (!holds(file, text)) writeFileSync(file, text);
  return { name, path: file };
};

/** The listing is a file and goes by its path alone: with a reference, clients show a copy that takes no breakpoints. */
export const sourceOf = (name: SourceName, listing: ListingFile): DebugProtocol.Source =>
  name === 'listing'
    ? { name: listing.name, path: listing.path, origin: 'the model' }
    : {
        name: listing.name.replace(/\.listing$/, '.transcript'),
        sourceReference: references.transcript,
        origin: 'the tokens so far',
      };

/** A client may write a path as a URI. */
const isPath = (given: string, file: string): boolean =>
  given === pathToFileURL(file).href || path.resolve(given) === file;

/** Which of the two a client means: by reference, or by path. */
export const namedSource = (
  {
    path: file,
    sourceReference,
  }: { readonly path?: string | undefined; readonly sourceReference?: number | undefined },
  listing: ListingFile,
): SourceName | undefined => {
  if (sourceReference === references.transcript) return 'transcript';
  if (sourceReference === references.listing) return 'listing';
  return file !== undefined && isPath(file, listing.path) ? 'listing' : undefined;
};
