import { printable } from '../printable.js';
import { sessionTold, type KeptSession } from '../../service/host/index.js';
import { wholeNumber, wrong, type Command } from './console.js';
import { shownStop } from './show.js';

const listed = (session: KeptSession, i: number): string =>
  printable(`${i + 1}  ${sessionTold(session)}${session.ended ? ', not saved' : ', ended abnormally'}`);

/** `restore` lists the earlier sessions of this model, `restore N` brings one back. */
export const restore: Command['run'] = async (rest, console) => {
  const { sessions } = console;
  const kept = (await sessions?.list()) ?? [];
  if (rest.trim() === '') return kept.map(listed).join('\n') || 'there are no sessions of this model';
  const session = kept[wholeNumber(rest, 'a session') - 1];
  if (!session || !sessions) throw wrong(`there is no session ${rest.trim()}`, '`restore` lists those that there are.');
  await sessions.restore(session);
  console.frame = 0;
  console.displays.splice(0, Infinity, ...session.displays);
  const { edits } = console.target.state;
  const made = edits.map((edit) => `  ${edit}`).join('\n');
  return `restored${made === '' ? '' : ', with\n'}${made}\n${shownStop(console.target, { reason: 'goto' })}`;
};
