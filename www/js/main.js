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
import { tab } from './keep.js';
import { Log } from './log.js';
import { LOBBY } from './model.js';
import { Outbox } from './outbox.js';
import { showPeople } from './people.js';
import { isSlug, RoomDialog } from './roomdialog.js';
import { showRooms } from './roomlist.js';
import * as session from './session.js';
import { showTitle } from './title.js';
import { showTyping } from './typing.js';
import { makeRoomForKeyboard } from './viewport.js';
import { askForName } from './welcome.js';
import { WireToggle } from './wire.js';
import { words } from './words.js';

furnish(document);

const address = new URL('/ws', location.href.replace(/^http/, 'ws'));
const chat = new Chat({ url: address.href, outbox: new Outbox(tab), renew });
const roomDialog = new RoomDialog(chat);
const drawers = new Drawers();
const composer = new Composer(chat);
const log = new Log(chat, {
  retry: id => chat.retry(id),
  discard: id => chat.discard(id),
  edit: id => { composer.takeBack(chat.outbox.find(id).body); chat.discard(id); },
  create: name => roomDialog.open(name),
});
new Banner(chat);
const wire = new WireToggle(chat, log);
showRooms(chat);
showPeople(chat);
showTyping(chat);
showTitle(chat);
announce(chat);
makeRoomForKeyboard();

chat.attending = () => log.atEnd && !document.hidden;
document.addEventListener('visibilitychange', () => (document.hidden ? chat.settle() : chat.look()));

chat.on('room', () => {
  drawers.close();
  byId('leave-room').disabled = chat.room.name === LOBBY;
  byId('leave-room').title = chat.room.name === LOBBY ? words.room.stay : '';
});
chat.on('line', () => { byId('app').dataset.line = chat.line.state; });
chat.on('signedOut', () => askAgain());

addEventListener('hashchange', followHash);
byId('new-room').addEventListener('click', () => { drawers.close(); roomDialog.open(); });
byId('sign-out').addEventListener('click', signOut);
byId('leave-room').addEventListener('click', leaveRoom);
placeRoomMenu();
start();

async function start() {
  try {
    const known = await session.resume();
    if (known) return enter(known);
    enter(await askForName());
  } catch (problem) {
    if (problem instanceof session.Refused) return enter(await askForName(problem.message));
    // The server is away. Whoever has been here before waits for it in the chat; a stranger at the door.
    if (session.rememberedName()) return enter({ name: session.rememberedName() });
    enter(await askForName());
  }
}

function enter({ name }) {
  chat.me = name;
  text(byId('me-name'), name);
  byId('me-avatar').replaceChildren(avatar(name));
  byId('app').hidden = false;
  followHash();
  wire.ready.then(() => chat.line.start());
  if (matchMedia('(hover: hover)').matches) composer.focus();
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

async function signOut() {
  drawers.close();
  chat.line.stop();
  await session.end();
  askAgain();
}

function leaveRoom() {
  const room = chat.room;
  byId('room-menu').hidePopover();
  location.hash = LOBBY;
  chat.open(LOBBY);
  chat.leave(room);
}

function followHash() {
  const name = location.hash.slice(1);
  chat.open(isSlug(name) ? name : LOBBY);
}

// The menu hangs below its button.
function placeRoomMenu() {
  byId('room-menu').addEventListener('beforetoggle', () => {
    const { bottom, left } = byId('room-menu-button').getBoundingClientRect();
    byId('room-menu').style.top = `${bottom + 4}px`;
    byId('room-menu').style.left = `${Math.max(8, Math.min(left, innerWidth - 232))}px`;
  });
}
