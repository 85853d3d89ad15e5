// Two lines of the room's menu for whoever looks after it: "Eyes on me", and how slow it is.

import { byId, el, text } from './dom.js';
import { icon } from './icons.js';
import { sentence, words } from './words.js';

const say = words.order;
const PAUSES = [0, 5, 10, 30, 60, 300, 900];

export function roomRules(chat) {
  const item = (id, drawing, onclick) => el('button', { id, type: 'button', hidden: true, onclick }, icon(drawing), el('span'));
  const change = what => chat.change(chat.room, what).catch(({ message }) => chat.emit('notice', sentence(message)));
  const quiet = item('read-only-room', 'eye', () => { byId('room-menu').hidePopover(); change({ read_only: !chat.room.readOnly }); });
  const slow = item('slow-room', 'pending', () => { byId('room-menu').hidePopover(); askHowSlow(chat); });
  byId('archive-room').before(quiet, slow);

  const draw = () => {
    const { room } = chat;
    quiet.hidden = slow.hidden = !chat.mayRun(room) || room.archived;
    text(quiet.lastChild, room.readOnly ? say.speak : say.eyes);
    text(slow.lastChild, room.slow ? say.slowNow(say.pauses(room.slow)) : say.slow);
  };
  chat.on('room', draw);
  chat.on('rooms', draw);
}

function askHowSlow(chat) {
  const { room } = chat;
  const dialog = el('dialog', { id: 'slow-dialog', class: 'dialog order-dialog', 'aria-labelledby': 'slow-title' });
  const steps = PAUSES.includes(room.slow) ? PAUSES : [...PAUSES, room.slow].sort((a, b) => a - b);
  const select = el('select', { id: 'slow-select' }, ...steps.map(each =>
    el('option', { value: each, selected: each === room.slow }, each ? say.pauses(each) : say.noPause)));
  const error = el('p', { class: 'field-error', role: 'alert' });
  const save = async event => {
    event.preventDefault();
    try {
      await chat.change(room, { slow: Number(select.value) });
      dialog.close();
    } catch ({ message }) {
      text(error, sentence(message));
    }
  };
  dialog.append(el('form', { method: 'dialog', novalidate: true, onsubmit: save },
    el('h2', { id: 'slow-title' }, say.slowTitle(room.title)), el('p', { class: 'order-text' }, say.slowText),
    el('label', { for: 'slow-select' }, say.slowLabel), select, error,
    el('div', { class: 'dialog-actions' },
      el('button', { class: 'quiet', type: 'button', onclick: () => dialog.close() }, words.cancel),
      el('button', { class: 'primary', type: 'submit' }, words.edit.save))));
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
