// The one dialog for everything that a person sets: theme, name, password, picture, sessions; and, for those who run the
// place, invitations and roles. Loaded when it is first opened; what it shows is asked for each time.

import { ask } from './api.js';
import { avatar } from './avatar.js';
import { el, text } from './dom.js';
import { icon } from './icons.js';
import { browser } from './keep.js';
import { book, sanctions } from './ordersettings.js';
import { loadPictures } from './pictures.js';
import { programs } from './programs.js';
import { qrCode } from './qr.js';
import { group, ways } from './settingsnav.js';
import { theme, THEMES, showTheme } from './theme.js';
import { words } from './words.js';

const say = words.settings;
const PICTURE = 256;         // pixels, each way
const LARGEST = 64 * 1024;   // bytes that the server takes
const PATIENCE = 500;        // so long what is asked for may take before the dialog opens without it

const dialog = el('dialog', { id: 'settings', class: 'dialog settings', 'aria-labelledby': 'settings-title' });

// What is still being asked for: nothing should move below the pointer once the dialog is open.
let loading = [];

/** Opens it. `me` is {name, role}; `on.register()` is asked for by a guest who wants an account. */
export async function openSettings(me, on) {
  loading = [];
  const account = me.role !== 'guest';
  const moderates = me.role === 'moderator' || me.role === 'owner';
  const close = el('button', { class: 'icon-button', type: 'button', 'aria-label': words.close, title: words.close, onclick: () => dialog.close() });
  close.append(icon('close'));
  const groups = [
    group('general', look(), ...('Notification' in window && isSecureContext ? [notifications()] : [])),
    group('you', ...(account ? [identity(me), password(), sessions()] : [guest(me, on)])),
    group('people', ...(moderates ? [invitations(me)] : []), ...(me.role === 'owner' ? [roles(me)] : []),
      ...(moderates ? [sanctions()] : []), ...(me.role === 'owner' ? [book()] : [])),
    group('programs', ...(account ? programs(me, { section, saying, tried, sideButton, when, wait: work => loading.push(work) }) : [])),
  ].filter(Boolean);
  dialog.replaceChildren(
    el('header', { class: 'settings-head' }, el('h2', { id: 'settings-title' }, say.title), close, ways(dialog, groups)), ...groups);
  if (!dialog.isConnected) document.body.append(dialog);
  await Promise.race([Promise.all(loading), new Promise(done => setTimeout(done, PATIENCE))]);
  if (dialog.open) return;
  dialog.showModal();
  dialog.scrollTop = 0;
}

/** What is still being asked for before the dialog opens. */
export const load = work => loading.push(work);

/** A part of the dialog. */
export function section(id, title, ...children) {
  return el('section', { id: `settings-${id}`, 'aria-labelledby': `settings-${id}-title` },
    el('h4', { id: `settings-${id}-title` }, title), ...children);
}

/** A line below what was done that says how it went. */
export function saying() {
  return el('p', { class: 'said', role: 'status' });
}

/** Does it, and says how it went. */
export async function tried(said, work, done = '') {
  text(said, '');
  delete said.dataset.bad;
  try {
    await work();
    text(said, done);
    return true;
  } catch (problem) {
    said.dataset.bad = '';
    text(said, problem.message);
    return false;
  }
}

function field(label, attributes) {
  const input = el('input', attributes);
  return [el('label', { for: attributes.id }, label), input];
}

export const sideButton = (label, onclick, more = {}) => el('button', { class: 'side-button', type: 'button', onclick, ...more }, label);

function look() {
  const choice = name => el('label', { class: 'choice' },
    el('input', { type: 'radio', name: 'theme', value: name, checked: theme() === name, onchange: () => showTheme(name) }), say.themes[name]);
  return section('theme', say.theme, el('div', { role: 'radiogroup', 'aria-labelledby': 'settings-theme-title' }, ...THEMES.map(choice)));
}

// What is asked of the browser is asked when the person says so, and never before.
function notifications() {
  const said = saying();
  const input = el('input', { id: 'settings-notify', type: 'checkbox', checked: notifies(), onchange: () => tried(said, change) });
  const change = async () => {
    const wanted = input.checked;
    input.checked = wanted && await Notification.requestPermission() === 'granted';
    browser.write('notify', input.checked);
    if (wanted && !input.checked) throw new Error(say.notAllowed);
  };
  return section('notifications', say.notifications, el('label', { class: 'choice' }, input, say.notify), said);
}

const notifies = () => browser.read('notify', true) && Notification.permission === 'granted';

function guest(me, on) {
  const register = () => { dialog.close(); on.register(); };
  return section('guest', say.guest(me.name), el('p', {}, say.guestText),
    el('div', { class: 'dialog-actions' }, el('button', { id: 'settings-register', class: 'primary', type: 'button', onclick: register }, say.register)));
}

function identity(me) {
  const said = saying();
  const shown = el('span', {}, avatar(me.name));
  const file = el('input', { type: 'file', accept: 'image/*', hidden: true, onchange: () => send() });
  const refresh = async () => { await loadPictures(); shown.replaceChildren(avatar(me.name)); };
  const send = () => tried(said, async () => {
    if (!file.files[0]) return;
    await ask('PUT', '/api/me/avatar', await shrunk(file.files[0]));
    await refresh();
  }, say.saved);
  const remove = () => tried(said, async () => { await ask('DELETE', '/api/me/avatar'); await refresh(); }, say.saved);
  const [label, input] = field(say.name, { id: 'settings-name', type: 'text', value: me.name, maxlength: 64, autocomplete: 'username', spellcheck: 'false' });
  const rename = event => {
    event.preventDefault();
    tried(said, async () => { me.name = (await ask('PATCH', '/api/me', { name: input.value.trim() })).name; await refresh(); }, say.saved);
  };
  return section('identity', say.you,
    el('div', { class: 'row' }, shown, sideButton(say.picture, () => file.click()), sideButton(say.noPicture, remove), file),
    el('form', { onsubmit: rename }, el('br'), label,
      el('div', { class: 'row' }, el('span', { class: 'grow' }, input), el('button', { class: 'side-button', type: 'submit' }, say.save))),
    said);
}

// The server takes small pictures alone, and a phone takes large ones.
async function shrunk(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Error(say.noImage);
  }
  const side = Math.min(bitmap.width, bitmap.height);
  const canvas = el('canvas', { width: PICTURE, height: PICTURE });
  canvas.getContext('2d').drawImage(bitmap, (bitmap.width - side) / 2, (bitmap.height - side) / 2, side, side, 0, 0, PICTURE, PICTURE);
  for (const quality of [0.9, 0.7, 0.4]) {
    const blob = await new Promise(done => canvas.toBlob(done, 'image/jpeg', quality));
    if (blob && blob.size <= LARGEST) return blob;
  }
  throw new Error(say.noImage);
}

function password() {
  const said = saying();
  const [oldLabel, old] = field(say.oldPassword, { id: 'settings-old', type: 'password', maxlength: 256, autocomplete: 'current-password' });
  const [newLabel, fresh] = field(say.newPassword, { id: 'settings-new', type: 'password', maxlength: 256, autocomplete: 'new-password' });
  const change = async event => {
    event.preventDefault();
    const done = await tried(said, async () => {
      if ([...fresh.value].length < 8) throw new Error(words.welcome.short);
      await ask('POST', '/api/me/password', { old: old.value, new: fresh.value });
    }, say.passwordChanged);
    if (done) old.value = fresh.value = '';
  };
  return section('password', say.password,
    el('form', { onsubmit: change }, oldLabel, old, el('br'), newLabel, fresh, el('br'),
      el('div', { class: 'dialog-actions' }, el('button', { class: 'side-button', type: 'submit' }, say.changePassword))),
    said);
}

function sessions() {
  const said = saying();
  const list = el('div', { class: 'entries' });
  const draw = async () => list.replaceChildren(...(await ask('GET', '/api/me/sessions')).map(entry));
  const entry = ({ id, agent, seen_at: seen, current }) => el('div', { class: 'entry', data: { session: id, current } },
    el('span', {}, device(agent), el('small', {}, current ? say.thisDevice : say.seen(when(seen)))),
    current ? null : el('button', { class: 'quiet', type: 'button', onclick: () => end(`/${id}`) }, say.revoke));
  const end = which => tried(said, async () => { await ask('DELETE', `/api/me/sessions${which}`); await draw(); }, say.revoked);
  loading.push(tried(said, draw));
  return section('sessions', say.sessions, list, sideButton(say.revokeOthers, () => end(''), { id: 'revoke-others' }), said);
}

// 'Firefox on Linux' is what people know of it.
function device(agent) {
  const browser = ['Firefox', 'Edg', 'OPR', 'Chrome', 'Safari'].find(name => agent.includes(name));
  const system = ['Android', 'iPhone', 'iPad', 'Windows', 'Mac OS', 'Linux'].find(name => agent.includes(name));
  const known = { Edg: 'Edge', OPR: 'Opera' }[browser] ?? browser;
  return known && system ? say.device(known, system) : agent || say.unknownDevice;
}

const when = time => new Date(time).toLocaleString(words.language, { dateStyle: 'medium', timeStyle: 'short' });

function invitations(me) {
  const said = saying();
  const list = el('div', { class: 'entries' });
  const made = el('div', { class: 'link-box', hidden: true });
  const role = el('select', { id: 'invite-role', 'aria-label': say.inviteRole },
    ...(me.role === 'owner' ? ['member', 'moderator'] : ['member']).map(name => el('option', { value: name }, say.roles[name])));
  const uses = el('select', { id: 'invite-uses', 'aria-label': say.inviteUses },
    ...[1, 10, 100].map(n => el('option', { value: n }, say.uses(n))));
  const draw = async () => list.replaceChildren(...(await ask('GET', '/api/invitations')).map(entry));
  const entry = one => el('div', { class: 'entry', data: { invitation: one.id } },
    el('span', {}, say.invited(say.roles[one.role], one.uses_left), el('small', {}, say.until(when(one.expires_at)))),
    el('button', { class: 'quiet', type: 'button', onclick: () => withdraw(one.id) }, say.withdraw));
  const withdraw = id => tried(said, async () => { await ask('DELETE', `/api/invitations/${id}`); made.hidden = true; await draw(); });
  const make = () => tried(said, async () => {
    const one = await ask('POST', '/api/invitations', { role: role.value, uses: Number(uses.value) });
    const link = el('input', { id: 'invite-link', type: 'text', readonly: true, value: one.link, 'aria-label': say.link, onfocus: event => event.target.select() });
    made.replaceChildren(link, ...(one.qr ? [qrCode(one.qr, say.qr)] : []));
    made.hidden = false;
    await draw();
    link.focus();
  }, say.linkOnce);
  loading.push(tried(said, draw));
  return section('invitations', say.invitations, list,
    el('div', { class: 'row' }, role, uses, sideButton(say.invite, make, { id: 'invite' })), made, said);
}

function roles(me) {
  const said = saying();
  const list = el('div', { class: 'entries' });
  const draw = async () => list.replaceChildren(...(await ask('GET', '/api/people')).map(entry));
  const entry = ({ name, role }) => {
    const choose = el('select', { 'aria-label': say.roleOf(name), onchange: () => give(name, choose.value) },
      ...['member', 'moderator', 'owner'].map(each => el('option', { value: each, selected: each === role }, say.roles[each])));
    return el('div', { class: 'entry', data: { person: name } }, el('bdi', {}, name, name === me.name ? ` (${words.me.you})` : ''), choose);
  };
  const give = async (name, role) => {
    await tried(said, () => ask('PATCH', `/api/people/${encodeURIComponent(name)}`, { role }), say.saved);
    await draw().catch(() => {});
  };
  loading.push(tried(said, draw));
  return section('roles', say.rolesTitle, list, said);
}
