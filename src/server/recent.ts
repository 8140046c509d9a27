import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';

const kept = z.object({ models: z.array(z.string().max(4000)).max(100) });

/** How many models are remembered. */
const most = 12;

/** The models that were opened last, latest first, also in earlier sessions. What cannot be kept is no error. */
export class RecentModels {
  #models: readonly string[] = [];
  #read: Promise<void> | undefined;

  /** @param folder where they are kept; nowhere where left out */
  constructor(readonly folder?: string) {}

  get #file(): string | undefined {
    return this.folder === undefined ? undefined : path.join(this.folder, 'recent.json');
  }

  /** Those that are still there. */
  async list(): Promise<readonly string[]> {
    await (this.#read ??= this.#load());
    return this.#models.filter((model) => existsSync(model));
  }

  /** A model was opened. Those of the zoo are always to be had, and not counted. */
  async add(model: string): Promise<void> {
    if (model.startsWith('zoo:') || !existsSync(model)) return;
    await (this.#read ??= this.#load());
    const file = path.resolve(model);
    if (this.#models[0] === file) return;
    this.#models = [file, ...this.#models.filter((other) => other !== file)].slice(0, most);
    await this.#save().catch(() => undefined); // a folder that cannot be written is no reason to stop
  }

  async #load(): Promise<void> {
    if (this.#file === undefined) return;
    const text = await readFile(this.#file, 'utf8').catch(() => '');
    const parsed = kept.safeParse(parseJson(text));
    this.#models = parsed.success ? parsed.data.models : [];
  }

  /** Beside it first, then in its place: two servers may do so at once. */
  async #save(): Promise<void> {
    if (this.folder === undefined || this.#file === undefined) return;
    await mkdir(this.folder, { recursive: true, mode: 0o700 });
    const partial = `${this.#file}.${process.pid}.partial`;
    await writeFile(partial, JSON.stringify({ models: this.#models }), { mode: 0o600 });
    await rename(partial, this.#file);
  }
}

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};
