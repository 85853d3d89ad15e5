// Who is in the open room: names in a small one, the count alone in a big one.

import { avatar } from './avatar.js';
import { badge } from './bots.js';
import { byId, el, keyed, text } from './dom.js';
import { icon } from './icons.js';
import { words } from './words.js';

/** `talk` is asked to begin a talk with the person of that name, `act(name, button)` what else can be done. */
export function showPeople(chat, talk, act) {
  const draw = room => {
    if (room !== chat.room) return;
    const names = room.members ? [...room.members].sort(meFirst(chat.me)) : [];
    const note = room.members ? '' : room.count > 0 ? words.people.crowd(room.count) : words.people.unknown;
    text(byId('people-count'), room.count > 0 ? words.people.count(room.count) : '');
    byId('open-people').setAttribute('aria-label', words.people.button(room.count));
    byId('open-people').title = words.people.button(room.count);
    byId('people-note').hidden = note === '';
    text(byId('people-note'), note);
    keyed(byId('people-list'), names, { key: name => `${name === chat.me} ${name}`, sign: name => `${name === chat.me} ${chat.keepsOrder}`, make: person, update: markMe });
    function person(name) {
      const shown = el('bdi', { class: 'person-name' }, name);
      const label = words.people.talk(name);
      return el('li', { class: 'person', title: name, data: { name } }, avatar(name),
        name === chat.me ? shown : el('button', { class: 'person-talk', type: 'button', title: label, 'aria-label': label, onclick: () => talk(name) }, shown),
        badge(name), moreOf(name), el('span', { class: 'you' }));
    }
    function moreOf(name) {
      const label = words.order.about(name);
      return el('button', { class: 'icon-button person-more', type: 'button', 'aria-label': label, title: label, onclick: ({ currentTarget }) => act(name, currentTarget) }, icon('more'));
    }
    function markMe(node, name) {
      node.querySelector('.person-more').hidden = name === chat.me || !chat.keepsOrder;
      text(node.lastChild, name === chat.me ? words.me.you : '');
    }
  };
  chat.on('people', draw);
  chat.on('room', () => draw(chat.room));
  chat.on('me', () => draw(chat.room));
}

const meFirst = me => (a, b) => (b === me) - (a === me) || a.localeCompare(b);
