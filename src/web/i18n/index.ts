import type { Language } from '../state/view.js';
import { en, type Words } from './en.js';

/** One table a language; they have the same entries, which the compiler checks. */
export const languages: Readonly<Record<Language, Words>> = { en, zh: en };
export type { Words };
