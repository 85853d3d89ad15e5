// Parlor's page. Frames come in by line.js, chat.js turns them into rooms (model.js), and the views draw those:
//
//   line.js ⇄ chat.js ⇄ model.js, outbox.js       no DOM
//               │ events
//   roomlist · log · composer · typing · people · banner · title · announcer · wire
//
// This file introduces them to each other.

import { announce } from './announcer.js';
import { avatar } from './avatar.js';
import { Banner } from './banner.js';
import { Chat } from './chat.js';
import { Composer } from './composer.js';
import { byId, furnish, text } from './dom.js';
import { Drawers } from './drawers.js';
import { EmojiPicker } from './emojipicker.js';
import { tab } from './keep.js';
import { firstLine } from './format.js';
import { listKeysOnDemand } from './keys.js';
import { Log } from './log.js';
import { MessageMenu } from './messagemenu.js';
import { LOBBY } from './model.js';
import { notify } from './notify.js';
import { Outbox } from './outbox.js';
import { Palette } from './palette.js';
import { showPeople } from './people.js';
import { loadPictures, meet, showPicture } from './pictures.js';
import { isSlug, RoomDialog } from './roomdialog.js';
import { showRooms } from './roomlist.js';
import { roomMenu } from './roommenu.js';
import { roomRules } from './roomrules.js';
import { Search } from './search.js';
import * as session from './session.js';
import { showTheme } from './theme.js';
import { showTitle } from './title.js';
import { showTyping } from './typing.js';
import { makeRoomForKeyboard } from './viewport.js';
import { askForName, invitation } from './welcome.js';
import { WireToggle } from './wire.js';
import { sentence, words } from './words.js';

furnish(document);
showTheme();

const address = new URL('/ws', location.href.replace(/^http/, 'ws'));
const chat = new Chat({ url: address.href, outbox: new Outbox(tab), renew });
const roomDialog = new RoomDialog(chat);
const drawers = new Drawers();
let me = { name: '', role: 'guest' };
let registering = false;
const composer = new Composer(chat);
const log = new Log(chat, {
  retry: id => chat.retry(id),
  discard: id => chat.discard(id),
  edit: id => { composer.takeBack(chat.outbox.find(id).body); chat.discard(id); },
  create: name => roomDialog.open(name),
  react,
});
const picker = new EmojiPicker();
new MessageMenu(chat, log, {
  react,
  pick: (message, button) => picker.open(button, emoji => react(message, emoji, true)),
  reply: message => composer.replyTo(message),
  edit: message => composer.edit(message),
  remove: confirmRemoval,
  author: (message, beside) => keepOrder(message.from, beside),
  permalink: message => `${location.origin}${location.pathname}#${chat.room.name}/${message.seq}`,
});
new Banner(chat);
const wire = new WireToggle(chat, log);
const search = new Search(chat, goTo);
new Palette(chat, {
  room: name => { location.hash = name; },
  person: name => talkWith(name),
  message: goTo,
  search: query => search.open(query),
});
showRooms(chat);
showPeople(chat, name => talkWith(name), keepOrder);
showTyping(chat);
showTitle(chat);
roomMenu(chat, leaveRoom);
roomRules(chat);
announce(chat);
notify(chat);
makeRoomForKeyboard();
listKeysOnDemand();

chat.attending = () => log.atEnd && !document.hidden;
document.addEventListener('visibilitychange', () => (document.hidden ? chat.settle() : chat.look()));

chat.on('room', () => {
  drawers.close();
});
chat.on('gone', room => { if (location.hash === `#${room.name}`) location.hash = LOBBY; });
chat.on('line', () => { byId('app').dataset.line = chat.line.state; });
chat.on('line', askIfBanned);
chat.on('me', showMe);
chat.on('came', meet);
chat.on('picture', showPicture);
chat.on('signedOut', signedOut);

addEventListener('hashchange', followHash);
byId('new-room').addEventListener('click', () => { drawers.close(); roomDialog.open(); });
byId('sign-out').addEventListener('click', signOut);
byId('open-settings').addEventListener('click', openSettings);
start();

async function start() {
  try {
    const known = invitation() ? await session.current() : await session.resume();
    if (known && !invitation()) return enter(known);
    // Whoever is in already is told what the link is for, and may go on without.
    enter((await askForName('', { as: known })) ?? known);
  } catch (problem) {
    if (problem instanceof session.Refused) return enter(await askForName(problem.message));
    // The server is away. Whoever has been here before waits for it in the chat; a stranger at the door.
    if (session.rememberedName()) return enter({ name: session.rememberedName(), role: session.hadAccount() ? 'member' : 'guest' });
    enter(await askForName());
  }
}

function enter(who) {
  chat.me = chat.rooms.me = who.name;
  showMe(who);
  loadPictures();
  byId('app').hidden = false;
  followHash();
  wire.ready.then(() => chat.line.start());
  if (matchMedia('(hover: hover)').matches) composer.focus();
}

// Who this is may change while one is here: a new name, a new role.
function showMe({ name, role }) {
  me = { name, role };
  session.remember(me);
  text(byId('me-name'), name);
  byId('me-name').title = name;
  byId('me-avatar').replaceChildren(avatar(name));
}

// Another tab may have signed in anew meanwhile: then there is nothing to ask.
async function signedOut(reason) {
  if (registering) return;
  const known = await session.current().catch(() => null);
  if (known) return enter(known);
  askAgain(reason ? sentence(reason) : '');
}

async function askAgain(problem) {
  enter(await askForName(problem));
}

// The handshake was refused, and a page is not told why. Perhaps the session is gone: get a new one quietly.
async function renew() {
  try {
    const before = await session.current();
    if (before) return 'wait';
    if (await session.resume()) return 'again';
  } catch (problem) {
    if (!(problem instanceof session.Refused)) return 'wait';
    askAgain(problem.message);
    return 'stop';
  }
  askAgain();
  return 'stop';
}

// Shown the door: whoever may not come back hears it there.
async function askIfBanned() {
  if (chat.line.state !== 'waiting' || !chat.scolded) return;
  try {
    await session.current();
  } catch (problem) {
    if (!(problem instanceof session.Refused) || chat.line.state !== 'waiting') return;
    chat.line.stop();
    askAgain(problem.message);
  }
}

async function keepOrder(name, beside) {
  const { openPersonMenu } = await import('./personmenu.js');
  openPersonMenu(chat, name, beside, { talk: talkWith, notice: notice => chat.emit('notice', notice) });
}

async function signOut() {
  drawers.close();
  chat.line.stop();
  await session.end();
  askAgain();
}

async function talkWith(name) {
  try {
    location.hash = await chat.direct([name]);
  } catch ({ message }) {
    chat.emit('notice', message);
  }
}

async function openSettings() {
  drawers.close();
  const settings = await import('./settings.js');
  settings.openSettings({ ...me }, { register });
}

// A guest makes an account, or somebody has opened an invitation: with the account the line begins anew.
async function register() {
  if (registering) return;
  registering = true;
  const account = await askForName('', { as: me });
  registering = false;
  if (!account) followHash();
  if (!account) return chat.line.start();
  chat.line.stop();
  enter(account);
}

function leaveRoom(room) {
  location.hash = LOBBY;
  chat.open(LOBBY);
  chat.leave(room);
}

// #room, or #room/seq for one message of it; or an invitation, opened while one is here or at the door.
function followHash() {
  if (invitation()) return byId('welcome').open ? location.reload() : register();
  const [name, seq] = location.hash.slice(1).split('/');
  chat.open(isSlug(name) ? name : LOBBY);
  if (isSlug(name) && /^[1-9]\d{0,14}$/.test(seq ?? '')) log.show(Number(seq));
}

// A message in its place; again, if one was just there.
function goTo(room, seq) {
  const place = `#${room}/${seq}`;
  if (location.hash === place) followHash();
  else location.hash = place;
}

function react(message, emoji, on) {
  chat.react(message.seq, emoji, on);
}

function confirmRemoval(message) {
  const dialog = byId('delete-dialog');
  text(byId('delete-said'), firstLine(message.body).slice(0, 200));
  dialog.onclose = () => { if (dialog.returnValue === 'yes') chat.remove(message.seq); };
  dialog.returnValue = '';
  dialog.showModal();
}
