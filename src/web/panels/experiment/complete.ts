/** How edits begin, as a start to write on from. */
const beginnings = [
  'drop head 0.0',
  'skip layer 0',
  'repeat layer 0',
  'swap layers 0 1',
  'scale SITE by 0.5',
  'set SITE = zero',
  'set SITE = mean',
  'add 4 * direction(" a" - " b") at SITE',
  'temperature 0.7',
];

const most = 40;

/** Texts that begin as this one does: kinds of edits, and, where a site is being written, the model's sites. */
export const completions = (text: string, sites: readonly string[]): readonly string[] => {
  const [, head = '', part = ''] = /^((?:set|scale) |add .* at )([\w.#]*)$/.exec(text) ?? [];
  if (head !== '') {
    const tail = head === 'scale ' ? ' by 0.5' : head === 'set ' ? ' = zero' : '';
    return sites
      .filter((site) => site.includes(part))
      .slice(0, most)
      .map((site) => `${head}${site}${tail}`);
  }
  const site = sites.find((name) => name.endsWith('.attn.z')) ?? 'blocks.0.attn.z';
  return beginnings.map((b) => b.replace('SITE', site)).filter((b) => b.startsWith(text) && b !== text);
};
