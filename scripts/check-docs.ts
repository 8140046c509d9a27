/** `npm run check:docs`: every relative link and anchor of the Markdown files leads somewhere. */
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { brokenLinks } from './doc-links.js';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const broken = brokenLinks(root);
for (const { file, line, link, reason } of broken) console.error(`${file}:${line}: ${link}: ${reason}`);
if (broken.length > 0) process.exitCode = 1;
