// Who is in the open room: names in a small one, the count alone in a big one.

import { avatar } from './avatar.js';
import { byId, el, keyed, text } from './dom.js';
import { words } from './words.js';

/** `talk` is asked to begin a talk with the person of that name. */
export function showPeople(chat, talk) {
  const draw = room => {
    if (room !== chat.room) return;
    const names = room.members ? [...room.members].sort(meFirst(chat.me)) : [];
    const note = room.members ? '' : room.count > 0 ? words.people.crowd(room.count) : words.people.unknown;
    text(byId('people-count'), room.count > 0 ? words.people.count(room.count) : '');
    byId('open-people').setAttribute('aria-label', words.people.button(room.count));
    byId('open-people').title = words.people.button(room.count);
    byId('people-note').hidden = note === '';
    text(byId('people-note'), note);
    keyed(byId('people-list'), names, { key: name => `${name === chat.me} ${name}`, sign: name => name === chat.me, make: person, update: markMe });
    function person(name) {
      const shown = el('bdi', { class: 'person-name' }, name);
      const label = words.people.talk(name);
      return el('li', { class: 'person', title: name, data: { name } }, avatar(name),
        name === chat.me ? shown : el('button', { class: 'person-talk', type: 'button', title: label, 'aria-label': label, onclick: () => talk(name) }, shown),
        el('span', { class: 'you' }));
    }
    function markMe(node, name) {
      text(node.lastChild, name === chat.me ? words.me.you : '');
    }
  };
  chat.on('people', draw);
  chat.on('room', () => draw(chat.room));
}

const meFirst = me => (a, b) => (b === me) - (a === me) || a.localeCompare(b);
