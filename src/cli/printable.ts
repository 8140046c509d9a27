const pictureOf = (character: string): string => {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? '␡' : '�';
};

/** A text from a file, safe for a terminal: control characters as pictures, line ends and tabs as they are. */
export const printable = (text: string): string => text.replaceAll(/[\0-\x08\x0b-\x1f\x7f-\x9f]/g, pictureOf);

/** A token's text with its spaces and line ends visible: `·Paris`, `⏎`. */
export const visible = (text: string): string =>
  printable(text.replaceAll(' ', '·').replaceAll('\n', '⏎').replaceAll('\r', '␍').replaceAll('\t', '⇥'));
