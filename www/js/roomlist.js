// The list of rooms: this person's, with their unread counts, and the rest. Links, so that history and new tabs work.

import { byId, el, keyed, text } from './dom.js';
import { words } from './words.js';

export function showRooms(chat) {
  const draw = () => {
    const others = chat.rooms.others();
    list(byId('rooms-mine'), chat.rooms.mine(), chat.room);
    list(byId('rooms-others'), others, chat.room);
    byId('rooms-rest').hidden = others.length === 0;
  };
  chat.on('rooms', draw);
  chat.on('room', draw);
}

function list(parent, rooms, open) {
  keyed(parent, rooms, {
    key: room => room.name,
    sign: room => [room.title, room.unread, room.mine, room === open].join('\n'),
    make: room => el('li', {}, el('a', { class: 'room', href: `#${room.name}`, data: { room: room.name } },
      el('span', { class: 'room-name', dir: 'auto' }), el('span', { class: 'unread' }))),
    update: (node, room) => update(node.firstChild, room, room === open),
  });
}

function update(link, room, open) {
  const [name, count] = link.children;
  const unread = room.mine ? room.unread : 0;
  text(name, room.title);
  text(count, unread === 0 ? '' : unread > 99 ? '99+' : String(unread));
  link.title = room.title;
  link.dataset.unread = unread;
  link.setAttribute('aria-label', unread > 0 ? `${room.title}, ${words.rooms.unread(unread)}` : room.title);
  if (open) link.setAttribute('aria-current', 'page');
  else link.removeAttribute('aria-current');
}
