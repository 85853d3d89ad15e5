// The menu of the open room: what of it this person may do.

import { EditDialog } from './editdialog.js';
import { byId, text } from './dom.js';
import { LeaveDialog } from './leavedialog.js';
import { MembersDialog } from './membersdialog.js';
import { LOBBY } from './model.js';
import { sentence, words } from './words.js';

/** `leave` is asked to leave a room that everybody may come back to. */
export function roomMenu(chat, leave) {
  const [edit, members, quit] = [new EditDialog(chat), new MembersDialog(chat), new LeaveDialog(chat)];
  const menu = byId('room-menu');

  const draw = () => {
    const { room } = chat;
    const may = chat.mayRun(room);
    byId('room-menu-button').hidden = room.missing || room.kind === 'direct';
    byId('edit-room').hidden = !may;
    byId('members-room').hidden = room.kind !== 'private';
    byId('archive-room').hidden = !may || room.name === LOBBY;
    text(byId('menu-topic'), room.topic);
    text(byId('archive-word'), room.archived ? words.room.reopen : words.room.archive);
    byId('leave-room').disabled = room.name === LOBBY;
    byId('leave-room').title = room.name === LOBBY ? words.room.stay : '';
  };
  chat.on('room', draw);
  chat.on('rooms', draw);

  const choose = (id, act) => byId(id).addEventListener('click', () => { menu.hidePopover(); act(); });
  choose('edit-room', () => edit.open());
  choose('members-room', () => members.open());
  choose('archive-room', () => {
    chat.change(chat.room, { archived: !chat.room.archived }).catch(({ message }) => chat.emit('notice', sentence(message)));
  });
  choose('leave-room', () => (chat.room.closed ? quit.open() : leave(chat.room)));

  // The menu hangs below its button.
  menu.addEventListener('beforetoggle', () => {
    const { bottom, left } = byId('room-menu-button').getBoundingClientRect();
    menu.style.top = `${bottom + 4}px`;
    menu.style.left = `${Math.max(8, Math.min(left, innerWidth - 232))}px`;
  });
}
