import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { gpt2 } from './command.js';

/** For what a test file writes; it goes when the file's tests are over. */
export const scratch = mkdtempSync(path.join(tmpdir(), 'cutaway-cli-'));
afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
});

/** Writes a text into the scratch folder. @returns its path */
export const write = (name: string, text: string): string => {
  const file = path.join(scratch, name);
  writeFileSync(file, text);
  return file;
};

/** A fresh copy of a model's own files, to be broken. */
export const copyOf = (model: string = gpt2): string => {
  const folder = mkdtempSync(path.join(scratch, 'model-'));
  cpSync(model, folder, { recursive: true, filter: (file) => !/(golden|edits)\.(json|safetensors)$/.test(file) });
  return folder;
};

/** A copy with another config: fields changed, or left out where undefined. */
export const withConfig = (fields: Readonly<Record<string, unknown>>, model: string = gpt2): string => {
  const folder = copyOf(model);
  const file = path.join(folder, 'config.json');
  const config = { ...(JSON.parse(readFileSync(file, 'utf8')) as object), ...fields };
  writeFileSync(file, JSON.stringify(config));
  return folder;
};

interface TensorEntry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}
export type Header = Record<string, TensorEntry>;

/** The entry of a tensor that must be there. */
export const entry = (header: Header, name: string): TensorEntry => {
  const found = header[name];
  if (!found) throw new Error(`no ${name} in ${Object.keys(header).join()}`);
  return found;
};

/** A copy whose safetensors file has another header, and other data where that is given. */
export const withTensors = (change: (header: Header, data: Buffer) => void): string => {
  const folder = copyOf();
  const file = path.join(folder, 'model.safetensors');
  const bytes = readFileSync(file);
  const headerEnd = 8 + Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.toString('utf8', 8, headerEnd)) as Header;
  const data = Buffer.from(bytes.subarray(headerEnd));
  change(header, data);
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  writeFileSync(file, Buffer.concat([length, text, data]));
  return folder;
};
