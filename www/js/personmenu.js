// What those who keep order can do to a person: a menu on the person, and a dialog before anything is done. Loaded when it is
// first opened, for most people never need it.

import { ask } from './api.js';
import { byId, el, text } from './dom.js';
import { icon } from './icons.js';
import { place } from './messagemenu.js';
import { words } from './words.js';

const say = words.order;
const RANKS = ['guest', 'member', 'moderator', 'owner'];
const TIMES = { mute: [600, 3600, 86_400, 604_800, 0], ban: [3600, 86_400, 604_800, 2_592_000, 0] };

const menu = el('div', { id: 'person-menu', class: 'menu', role: 'dialog', 'aria-labelledby': 'person-menu-name', popover: true });

/** Opens the menu on the person of that name, beside an element. `on.talk(name)` begins a talk, `on.notice(text)` says what was done. */
export async function openPersonMenu(chat, name, beside, on) {
  const [people, sanctions] = await Promise.all([ask('GET', '/api/people'), ask('GET', '/api/sanctions')])
    .catch(({ message }) => { on.notice(message); return [null, null]; });
  if (!people) return;
  const role = people.find(person => person.name === name)?.role ?? 'guest';
  const may = RANKS.indexOf(role) < RANKS.indexOf(chat.role);
  const laid = penalty => sanctions.some(sanction => sanction.name === name && sanction.penalty === penalty);
  const item = (id, drawing, label, act) => el('button', { id, type: 'button', onclick: () => { menu.hidePopover(); act(); } },
    icon(drawing), el('span', {}, label));
  const lift = penalty => ask('DELETE', path(name, penalty)).then(() => on.notice(say.lifted[penalty](name)), ({ message }) => on.notice(message));
  const open = act => askFirst(act, name, on, chat.role === 'owner');
  menu.replaceChildren(
    el('p', { id: 'person-menu-name', class: 'person-menu-name' }, el('bdi', {}, name), el('small', {}, say.roles[role])),
    item('person-write', 'reply', say.write, () => on.talk(name)),
    ...(may ? [
      laid('mute') ? item('person-unmute', 'mute', say.unmute, () => lift('mute')) : item('person-mute', 'mute', say.mute, () => open('mute')),
      item('person-kick', 'leave', say.kick, () => open('kick')),
      laid('ban') ? item('person-unban', 'ban', say.unban, () => lift('ban')) : item('person-ban', 'ban', say.ban, () => open('ban')),
      item('person-purge', 'clear', say.purge, () => open('purge')),
    ] : [el('p', { class: 'menu-note' }, say.above)]));
  if (!menu.isConnected) {
    document.body.append(menu);
    menu.addEventListener('keydown', step);
  }
  menu.showPopover();
  if (beside?.isConnected) place(menu, beside);
  menu.querySelector('button').focus();
}

const path = (name, act) => `/api/people/${encodeURIComponent(name)}/${act}`;

// The arrow keys go round the buttons.
function step(event) {
  const ways = { ArrowDown: 1, ArrowUp: -1 };
  if (!(event.key in ways)) return;
  event.preventDefault();
  const buttons = [...menu.querySelectorAll('button')];
  buttons.at((buttons.indexOf(document.activeElement) + ways[event.key]) % buttons.length)?.focus();
}

/** Asks for how long and why, and does it. */
function askFirst(act, name, on, isOwner) {
  const dialog = el('dialog', { id: 'order-dialog', class: 'dialog order-dialog', 'aria-labelledby': 'order-title', data: { act } });
  const times = TIMES[act] && el('select', { id: 'order-time' }, ...TIMES[act].map(each =>
    el('option', { value: each }, each ? say.times(each) : say.untilLifted)));
  const reason = el('input', { id: 'order-reason', type: 'text', maxlength: 200, autocomplete: 'off' });
  const box = (id, label) => el('label', { class: 'order-box' }, el('input', { id, type: 'checkbox' }), el('span', {}, label));
  const boxes = act === 'ban' ? [box('order-addresses', say.addresses), box('order-purge', say.purgeToo)] : [];
  const error = el('p', { class: 'field-error', role: 'alert' });
  const submit = el('button', { id: 'order-yes', class: 'primary danger', type: 'submit' }, say.does[act]);
  const run = async event => {
    event.preventDefault();
    submit.disabled = true;
    text(error, '');
    const terms = { reason: reason.value.trim() || undefined, seconds: Number(times?.value) || undefined };
    try {
      if (act === 'ban') terms.addresses = byId('order-addresses').checked;
      const done = act === 'purge' ? null : await ask('POST', path(name, act), terms);
      const deleted = act === 'purge' || byId('order-purge')?.checked ? await purge(name, terms.reason, n => text(submit, say.deleted(n))) : 0;
      dialog.close();
      on.notice(say.done[act](name, deleted || done?.addresses?.length || 0));
    } catch ({ message }) {
      text(error, message);
      text(submit, say.does[act]);
    } finally {
      submit.disabled = false;
    }
  };
  dialog.append(el('form', { method: 'dialog', novalidate: true, onsubmit: run },
    el('h2', { id: 'order-title' }, say.titles[act](name)), el('p', { class: 'order-text' }, say.texts[act === 'purge' && isOwner ? 'purgeAll' : act]),
    ...(times ? [el('label', { for: 'order-time' }, say.howLong), times] : []),
    el('label', { for: 'order-reason', class: 'below' }, act === 'purge' ? say.whyNoted : say.why), reason, ...boxes, error,
    el('div', { class: 'dialog-actions' },
      el('button', { id: 'order-no', class: 'quiet', type: 'button', onclick: () => dialog.close() }, words.cancel), submit)));
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

// The server deletes for a while at a time; it is asked until nothing is left.
async function purge(name, reason, tell) {
  for (let deleted = 0; ;) {
    const step = await ask('POST', path(name, 'purge'), { reason });
    deleted += step.deleted;
    if (!step.more) return deleted;
    tell(deleted);
  }
}
