// Reads out to screen readers, politely: new messages of the open room, one by one while they are few, never the
// history; and that the line broke, or is back.

import { byId } from './dom.js';
import { words } from './words.js';

const GATHER = 600;   // what comes within so many ms is said together
const FEW = 3;
const LONGEST = 300;

export function announce(chat) {
  let said = [];
  let broken = false;
  chat.on('line', () => {
    const { state } = chat.line;
    if (broken === (state === 'waiting') || state === 'connecting') return;
    broken = !broken;
    byId('announcer').textContent = broken ? words.banner.gone : words.banner.back;
  });
  chat.on('said', ({ room, message }) => {
    if (room !== chat.room) return;
    if (said.push(message) === 1) setTimeout(speak, GATHER);
  });

  function speak() {
    byId('announcer').textContent = said.length > FEW
      ? words.log.spokenMany(said.length)
      : said.map(({ from, body }) => words.log.spoken(from, body.slice(0, LONGEST))).join('. ');
    said = [];
  }
}
