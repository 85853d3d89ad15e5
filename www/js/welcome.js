// The dialog at the door: as a guest by name alone, or with an account, or making one. It cannot be dismissed: without a name
// there is no chat.

import { Refused } from './api.js';
import { inLocalTime } from './clock.js';
import { byId, el, text } from './dom.js';
import { begin, door, hadAccount, register, rememberedName, signIn } from './session.js';
import { words } from './words.js';

const INVITED = /^#invite=([0-9a-f]{1,128})$/;

/** The token of an invitation that this page was opened with, or null. */
export const invitation = () => location.hash.match(INVITED)?.[1] ?? null;

/**
 * Asks until the server takes a name; resolves with the session. `problem` is shown at the field from the start.
 * `as`: {name, role} of somebody who is in already and may make an account, or go on as before; then it resolves with null.
 */
export async function askForName(problem = '', { as = null } = {}) {
  const rules = { ...await door().catch(() => ({ join: 'open', guests: true })), as };
  const dialog = byId('welcome');
  // A second account needs another name.
  byId('name-input').value = as && as.role !== 'guest' ? '' : rememberedName();
  byId('password-input').value = '';
  become(as ? 'register' : firstMode(rules), rules);
  complain('name', problem);
  if (!dialog.open) dialog.showModal();
  const first = byId('name-input').value && dialog.dataset.mode !== 'guest' ? byId('password-input') : byId('name-input');
  first.focus();
  first.select();

  return new Promise(resolve => {
    dialog.oncancel = event => { if (!as) event.preventDefault(); };
    // Chromium closes on a second Escape whatever one says.
    dialog.onclose = () => {
      if (!as) return dialog.showModal();
      forgetInvitation();
      resolve(null);
    };
    for (const field of ['name', 'password']) byId(`${field}-input`).oninput = () => complain(field, '');
    byId('welcome-form').onsubmit = async event => {
      event.preventDefault();
      const session = await enter(dialog.dataset.mode);
      if (!session) return;
      dialog.onclose = null;
      dialog.close();
      byId('password-input').value = '';
      forgetInvitation();
      resolve(session);
    };
  });
}

function forgetInvitation() {
  if (invitation()) history.replaceState(null, '', location.pathname);
}

function firstMode({ guests }) {
  if (invitation()) return 'register';
  return hadAccount() || !guests ? 'signIn' : 'guest';
}

function become(mode, rules) {
  const say = words.welcome[mode];
  const invited = invitation() !== null;
  byId('welcome').dataset.mode = mode;
  text(byId('welcome-title'), mode === 'register' && invited ? words.welcome.invited : say.title);
  text(byId('welcome-text'), mode === 'register' && invited && rules.as ? toOneWhoIsIn(rules.as) : say.text);
  text(byId('join'), say.join);
  byId('password-part').hidden = mode === 'guest';
  byId('name-input').autocomplete = mode === 'guest' ? 'nickname' : 'username';
  byId('password-input').autocomplete = mode === 'register' ? 'new-password' : 'current-password';
  complain('name', '');
  complain('password', '');
  const isMember = rules.as && rules.as.role !== 'guest';
  const open = { guest: rules.guests && !rules.as, signIn: !isMember, register: invited || rules.join === 'open' };
  const others = ['guest', 'signIn', 'register'].filter(other => other !== mode && open[other]);
  byId('welcome-ways').replaceChildren(
    ...(rules.as ? [way('stay', words.welcome.stay(rules.as.name), () => byId('welcome').close())] : []),
    ...others.map(other => way(other, words.welcome[other].way, () => turnTo(other, rules))));
}

const way = (mode, label, onclick) => el('button', { type: 'button', class: 'link', data: { mode }, onclick }, label);

const toOneWhoIsIn = ({ name, role }) => words.welcome[role === 'guest' ? 'invitedGuest' : 'invitedMember'](name);

function turnTo(mode, rules) {
  become(mode, rules);
  byId('name-input').focus();
}

async function enter(mode) {
  const name = byId('name-input').value.trim();
  const password = byId('password-input').value;
  if (name === '') return complain('name', words.welcome.empty);
  if (mode === 'register' && [...password].length < 8) return complain('password', words.welcome.short);
  if (mode !== 'guest' && password === '') return complain('password', words.welcome.noPassword);
  byId('join').disabled = true;
  try {
    if (mode === 'guest') return await begin(name);
    if (mode === 'signIn') return await signIn(name, password);
    return await register(name, password, invitation() ?? undefined);
  } catch (problem) {
    complain(mode === 'signIn' && problem instanceof Refused ? 'password' : 'name', problem.message);
  } finally {
    byId('join').disabled = false;
  }
}

function complain(field, problem) {
  text(byId(`${field}-error`), inLocalTime(problem));
  byId(`${field}-input`).setAttribute('aria-invalid', problem !== '');
  if (problem) byId(`${field}-input`).focus();
}
