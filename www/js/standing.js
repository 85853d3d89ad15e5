// Whether this person may write in a room, and if not, why: pure, of what chat and room know.

import { words } from './words.js';

/** The sentence that stands where one would write, or '' where one may. */
export function silence(chat, room) {
  if (room.archived) return words.room.archivedNote;
  if (chat.muted) return words.order.mutedNote(chat.muted.until ? shortly(chat.muted.until) : '', chat.muted.reason ?? '');
  if (room.readOnly && !chat.looksAfter(room)) return words.order.readOnlyNote;
  return '';
}

/** How long this person has to wait before the next message in a slow room, in ms. */
export function pause(chat, room) {
  if (!room.slow || chat.looksAfter(room)) return 0;
  return Math.max(0, room.spokeAt + room.slow * 1000 - Date.now());
}

/** A moment of today by its time, another one with its day. */
function shortly(time) {
  const at = new Date(time);
  const today = at.toDateString() === new Date().toDateString();
  return at.toLocaleString(words.language, today ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' });
}
