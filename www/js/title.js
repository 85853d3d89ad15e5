// The window's title and favicon: how much is unread, in which room one is.

import { byId } from './dom.js';
import { words } from './words.js';

export function showTitle(chat) {
  const draw = () => {
    const unread = chat.rooms.unread;
    const mark = unread > 0 ? '/favicon-unread.svg' : '/favicon.svg';
    document.title = words.title(unread, chat.room.title);
    if (byId('favicon').getAttribute('href') !== mark) byId('favicon').href = mark;
    byId('room-title').textContent = chat.room.title;
    byId('room-lock').hidden = chat.room.kind !== 'private';
    byId('room-topic').textContent = chat.room.topic;
    byId('room-topic').title = chat.room.topic;
    byId('room-title').title = chat.room.kind === 'public' ? `${chat.room.title} (#${chat.room.name})` : chat.room.title;
  };
  chat.on('rooms', draw);
  chat.on('room', draw);
}
