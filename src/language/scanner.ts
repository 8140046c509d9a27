import { UsageError, type ErrorCode } from '../base/index.js';

/** Where a text comes from and what is said when it cannot be read. */
export interface Source {
  readonly code: ErrorCode;
  readonly hint: string;
  /** 1-based line of a file that the text is; left out where the text stands alone. */
  readonly line?: number;
  /** Whether `#` starts a comment. */
  readonly comments?: boolean;
}

const blanks = /\s*/y;
const integerLiteral = /[+-]?\d+(?!\w)/y;
const numberLiteral = /[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])/y;
const wordCharacter = /[\w-]/;

/** JSON's escapes of one letter, and both quotes. */
const escapes: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  '/': '/',
  '\\': '\\',
  '"': '"',
  "'": "'",
};

/** Minus nought is nought: no text form tells them apart. */
const plain = (value: number): number => (value === 0 ? 0 : value);

/**
 * Reads a text token by token, from left to right, never back; what a token is, the caller says. Blanks and comments
 * between tokens are skipped. Selectors, edits and expressions are read with it.
 */
export class Scanner {
  #at = 0;
  constructor(
    readonly text: string,
    readonly source: Source,
  ) {}

  /** 1-based place of the next token, in UTF-16 units. */
  get column(): number {
    this.#skip();
    return this.#at + 1;
  }

  /** Whether nothing but blanks and a comment is left. */
  get atEnd(): boolean {
    return this.column > this.text.length;
  }

  /** A scanner that goes on here and gives another hint in errors. */
  told(hint: string): Scanner {
    const next = new Scanner(this.text, { ...this.source, hint });
    next.#at = this.#at;
    return next;
  }

  /** The next token by a sticky pattern, or undefined and nothing read. */
  take(pattern: RegExp): RegExpExecArray | undefined {
    this.#skip();
    return this.takeHere(pattern);
  }

  /** As `take`, with no blank allowed before it. */
  takeHere(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text);
    if (!found) return undefined;
    this.#at = pattern.lastIndex;
    return found;
  }

  /** Whether the next character is `symbol`; nothing is read. */
  sees(symbol: string): boolean {
    this.#skip();
    return this.text.startsWith(symbol, this.#at);
  }

  /** Whether the next token fits a sticky pattern; nothing is read. */
  seesMatch(pattern: RegExp): boolean {
    this.#skip();
    const start = this.#at;
    const found = this.takeHere(pattern) !== undefined;
    this.#at = start;
    return found;
  }

  /** Reads a punctuation mark, or whole words (`skip layer`), if all of that is next. */
  eat(mark: string): boolean {
    const start = this.#at;
    const found = mark.split(' ').every((piece) => {
      if (!this.sees(piece)) return false;
      this.#at += piece.length;
      return !wordCharacter.test(piece[0] ?? '') || !wordCharacter.test(this.text[this.#at] ?? '');
    });
    if (!found) this.#at = start;
    return found;
  }

  expect(mark: string): void {
    if (!this.eat(mark)) throw this.error(`\`${mark}\``);
  }

  /** Reads a mark and then what it introduces. */
  after<T>(mark: string, scan: (s: Scanner) => T): T {
    this.expect(mark);
    return scan(this);
  }

  expectEnd(): void {
    if (!this.atEnd) throw this.error('the end of the line');
  }

  /** What is next by a pattern; `expected` says in the error what it is. */
  expectMatch(pattern: RegExp, expected: string): RegExpExecArray {
    const found = this.take(pattern);
    if (!found) throw this.error(expected);
    return found;
  }

  /** An integer that a float64 holds exactly. */
  integer(expected = 'an integer'): number {
    const column = this.column;
    const value = Number(this.expectMatch(integerLiteral, expected)[0]);
    if (!Number.isSafeInteger(value)) throw this.error('an integer of at most 15 digits', column);
    return plain(value);
  }

  /** An integer from 0. */
  count(expected: string): number {
    const column = this.column;
    const value = this.integer(expected);
    if (value < 0) throw this.error(`${expected}, from 0`, column);
    return value;
  }

  /** A finite number: `2`, `-0.5`, `1e-3`. */
  number(expected = 'a number'): number {
    const column = this.column;
    const value = Number(this.expectMatch(numberLiteral, expected)[0]);
    if (!Number.isFinite(value)) throw this.error(`${expected} that is finite`, column);
    return plain(value);
  }

  /** Whether a quoted text is next. */
  seesString(): boolean {
    return this.sees('"') || this.sees("'");
  }

  /** A text in double or single quotes, with JSON's escapes. */
  string(expected = 'a text in quotes'): string {
    if (!this.seesString()) throw this.error(expected);
    const open = this.#at;
    const quote = this.text[this.#at++];
    let value = '';
    while (this.#at < this.text.length) {
      const character = this.text[this.#at++] ?? '';
      if (character === quote) return value;
      value += character === '\\' ? this.#escape() : character;
    }
    throw this.error(`a closing ${quote === '"' ? 'double' : 'single'} quote`, open + 1);
  }

  /** The error at a place, by default at the next token; to be thrown. */
  error(expected: string, column = this.column): UsageError {
    const { line, code, hint } = this.source;
    const rest = this.text.slice(column - 1, column + 59);
    const found = /^(?:[\w.]+|\S)/u.exec(rest)?.[0].slice(0, 30);
    const place = `${line === undefined ? '' : `line ${line}, `}column ${column}`;
    const message = `${place}: expected ${expected}, found ${found === undefined ? 'the end' : `\`${found}\``}`;
    return new UsageError(message, { code, hint, details: { line, column, expected } });
  }

  #escape(): string {
    const column = this.#at;
    const letter = this.text[this.#at++] ?? '';
    if (letter === 'u') {
      const hex = this.takeHere(/[\da-fA-F]{4}/y);
      if (hex) return String.fromCharCode(parseInt(hex[0], 16));
    } else if (Object.hasOwn(escapes, letter)) return escapes[letter] ?? '';
    throw this.error('an escape of JSON such as \\n, \\" or \\u00e9', column);
  }

  #skip(): void {
    this.takeHere(blanks);
    if (this.source.comments === true && this.text[this.#at] === '#') this.#at = this.text.length;
  }
}
