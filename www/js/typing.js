// Who is typing in the open room.

import { byId, el } from './dom.js';
import { words } from './words.js';

export function showTyping(chat) {
  const node = byId('typing');
  const draw = room => {
    if (room === chat.room) node.replaceChildren(...sentence([...room.typing.keys()]));
  };
  chat.on('typing', draw);
  chat.on('room', () => draw(chat.room));
}

function sentence(names) {
  if (names.length === 0) return [];
  if (names.length > 2) return [words.typing.many];
  const parts = names.length === 1 ? words.typing.one(names[0]) : words.typing.two(...names);
  return parts.map(part => (part.name ? el('bdi', { class: 'typing-name' }, part.name) : el('span', {}, part)));
}
