// Which people are programs. Known with the pictures, and shown as a word beside the name.

import { el } from './dom.js';
import { words } from './words.js';

const bots = new Set();

/** Takes note of who is one, and says so wherever a name stands. */
export function knowBots(people) {
  bots.clear();
  for (const { name, bot } of people) if (bot) bots.add(name);
  for (const node of document.querySelectorAll('.bot')) node.hidden = !bots.has(node.dataset.bot);
}

/** The word beside a name: seen if that is a bot's, now or as soon as it is known. */
export function badge(name) {
  return el('span', { class: 'bot', hidden: !bots.has(name), data: { bot: name } }, words.bot);
}
