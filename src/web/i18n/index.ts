import type { Language } from '../state/view.js';
import { en, type Words } from './en.js';
import { zh } from './zh.js';

/** One table a language; they have the same entries, which the compiler checks. */
export const languages: Readonly<Record<Language, Words>> = { en, zh };
export type { Words };
