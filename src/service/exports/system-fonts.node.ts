import { readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';

/** Where systems keep fonts. */
const folders = [
  '/usr/share/fonts',
  '/usr/local/share/fonts',
  path.join(homedir(), '.local/share/fonts'),
  '/System/Library/Fonts',
  '/Library/Fonts',
  path.join(process.env['WINDIR'] ?? 'C:\\Windows', 'Fonts'),
];

/** Characters that DejaVu has not, and files of fonts that have them, the usual ones of Linux, macOS and Windows. */
const scripts: readonly { readonly has: RegExp; readonly files: RegExp }[] = [
  {
    has: /[\u3000-\u303f\uff00-\uffef]|\p{Script=Han}|\p{Script=Hiragana}|\p{Script=Katakana}/u,
    files: /^(NotoSansCJK|NotoSansSC|NotoSansJP|SourceHanSans|wqy-|DroidSansFallback|PingFang|Hiragino|STHeiti|msyh|simsun|YuGoth|Arial Unicode)/i, // prettier-ignore
  },
  {
    has: /\p{Script=Hangul}/u,
    files: /^(NotoSansCJK|NotoSansKR|SourceHanSans|NanumGothic|AppleSDGothic|malgun|Arial Unicode)/i,
  },
  { has: /\p{Script=Devanagari}/u, files: /^(NotoSansDevanagari|Lohit-Devanagari|Kohinoor|Nirmala|Arial Unicode)/i },
  { has: /\p{Script=Bengali}/u, files: /^(NotoSansBengali|Lohit-Bengali|Nirmala|Arial Unicode)/i },
  { has: /\p{Script=Tamil}/u, files: /^(NotoSansTamil|Lohit-Tamil|Nirmala|Arial Unicode)/i },
  { has: /\p{Script=Telugu}/u, files: /^(NotoSansTelugu|Lohit-Telugu|Nirmala|Arial Unicode)/i },
  { has: /\p{Script=Thai}/u, files: /^(NotoSansThai|Garuda|Loma|Thonburi|LeelawUI|tahoma|Arial Unicode)/i },
  { has: /\p{Emoji_Presentation}/u, files: /^(NotoEmoji|Symbola|seguisym)/i },
];

const filesOf = async (folder: string): Promise<readonly string[]> => {
  try {
    const found = await readdir(folder, { recursive: true });
    return found.filter((file) => /\.(ttf|ttc|otf)$/i.test(file)).map((file) => path.join(folder, file));
  } catch {
    return []; // other systems' folders are not there
  }
};

/** The system's fonts for what a text has and ours have not; `missing` where there is none for something. */
export const systemFonts = async (text: string): Promise<{ fonts: readonly Uint8Array[]; missing: boolean }> => {
  const needed = scripts.filter(({ has }) => has.test(text));
  if (needed.length === 0) return { fonts: [], missing: false };
  const files = (await Promise.all(folders.map(filesOf))).flat();
  const chosen = needed.map(({ files: names }) => files.find((file) => names.test(path.basename(file))));
  const distinct = [...new Set(chosen.flatMap((file) => file ?? []))];
  return { fonts: await Promise.all(distinct.map((f) => readFile(f))), missing: chosen.includes(undefined) };
};
