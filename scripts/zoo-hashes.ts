/**
 * Writes zoo/models/hashes.json: the SHA-256 of every file of every model of the zoo.
 *
 *     npx tsx scripts/zoo-hashes.ts
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const zoo = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../zoo/models');
const sha256 = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');
const models = readdirSync(zoo).filter((name) => statSync(path.join(zoo, name)).isDirectory());
const hashes = Object.fromEntries(
  models.sort().map((model) => {
    const files = readdirSync(path.join(zoo, model)).sort();
    return [model, Object.fromEntries(files.map((file) => [file, sha256(path.join(zoo, model, file))]))];
  }),
);
writeFileSync(path.join(zoo, 'hashes.json'), `${JSON.stringify(hashes, null, 2)}\n`);
