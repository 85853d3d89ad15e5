// The list of rooms: this person's, with their unread counts, those of others, and the talks. Links, so that history and new tabs work.

import { avatar } from './avatar.js';
import { byId, el, keyed, text } from './dom.js';
import { icon } from './icons.js';
import { words } from './words.js';

export function showRooms(chat) {
  const draw = () => {
    const others = chat.rooms.others();
    const talks = chat.rooms.direct().filter(room => room.used || room === chat.room);
    list(byId('rooms-mine'), chat.rooms.mine().filter(room => room.kind !== 'direct'), chat.room);
    list(byId('rooms-others'), others, chat.room);
    list(byId('rooms-direct'), talks, chat.room);
    byId('rooms-rest').hidden = others.length === 0;
    byId('rooms-talks').hidden = talks.length === 0;
  };
  chat.on('rooms', draw);
  chat.on('room', draw);
}

function list(parent, rooms, open) {
  keyed(parent, rooms, {
    key: room => room.name,
    sign: room => [room.title, room.kind, room.archived, room.unread, room.mentions, room.mine, room === open].join('\n'),
    make: room => el('li', {}, el('a', { class: 'room', href: `#${room.name}`, data: { room: room.name } },
      el('span', { class: 'room-name', dir: 'auto' }), el('span', { class: 'mentions' }), el('span', { class: 'unread' }))),
    update: (node, room) => update(node.firstChild, room, room === open),
  });
}

function update(link, room, open) {
  const [name, mentions, count] = ['room-name', 'mentions', 'unread'].map(part => link.querySelector(`.${part}`));
  const unread = room.mine ? room.unread : 0;
  const spoken = room.mine ? room.mentions : 0;
  text(name, room.title);
  text(mentions, spoken === 0 ? '' : spoken > 99 ? '@99+' : `@${spoken}`);
  text(count, unread === 0 ? '' : unread > 99 ? '99+' : String(unread));
  link.querySelector('.room-mark')?.remove();
  const mark = markOf(room);
  if (mark) link.prepend(el('span', { class: 'room-mark' }, mark));
  link.title = room.title;
  link.dataset.unread = unread;
  link.classList.toggle('archived', room.archived);
  const said = [room.title, room.kind === 'private' && words.rooms.private, room.archived && words.rooms.archived,
    unread > 0 && words.rooms.unread(unread), spoken > 0 && words.rooms.mentions(spoken)];
  link.setAttribute('aria-label', said.filter(Boolean).join(', '));
  if (open) link.setAttribute('aria-current', 'page');
  else link.removeAttribute('aria-current');
}

function markOf(room) {
  if (room.kind === 'direct') return avatar(room.title);
  if (room.archived) return icon('archive');
  return room.kind === 'private' ? icon('lock') : null;
}
