// One message of the log as DOM.

import { avatar } from './avatar.js';
import { badge } from './bots.js';
import { fullTime, shortTime } from './clock.js';
import { attribute, el } from './dom.js';
import { firstLine, formatted } from './format.js';
import { icon } from './icons.js';
import { words } from './words.js';

const QUOTED = 140;            // characters of a quoted message that are shown
const drawn = new WeakMap();   // body element → what it shows

/** The frame of a message; `updateMessage` fills it and mends it later, so that nothing moves when a post is confirmed. */
export function makeMessage(row) {
  return el('article', { class: 'message', tabindex: '-1', data: { key: row.key, id: row.message.id } },
    el('div', { class: 'message-side' }),
    el('div', { class: 'message-main' }, el('div', { class: 'message-head' }), el('div', { class: 'quoted-place' }),
      el('div', { class: 'body', dir: 'auto' }), el('div', { class: 'reactions' })),
    el('span', { class: 'state' }));
}

export function updateMessage(node, { message, at, state, reason, own, first, quoted }, actions, room) {
  const [side, main, mark] = node.children;
  const [head, above, body, reactions] = main.children;
  node.classList.toggle('first', first);
  node.classList.toggle('deleted', !!message.deleted);
  node.dataset.state = state;
  attribute(node, 'data-seq', message.seq);
  attribute(node, 'data-own', own);

  const time = el('time', { datetime: message.at, title: fullTime(at) }, shortTime(at));
  side.replaceChildren(first ? avatar(message.from) : time);
  const author = el('bdi', { class: first ? 'author' : 'visually-hidden' }, message.from);
  head.replaceChildren(author, ...(first ? [' ', badge(message.from), ' ', time] : []));

  above.replaceChildren(...(message.reply_to && !message.deleted ? [quote(message.reply_to, quoted, actions)] : []));
  drawBody(body, message, room);
  drawReactions(reactions, message, room, actions);

  mark.replaceChildren(...(own ? [stateMark(state, reason)] : []));
  main.querySelector('.failure')?.remove();
  // Nothing can be done with it any more, see messagemenu.js.
  if (message.deleted) node.querySelector(':scope > .tools')?.remove();
  if (state === 'failed') main.append(failure(message, reason, actions));
}

// Formatted only when it changed: a selection in it survives everything else.
function drawBody(node, message, room) {
  const now = message.deleted ? null : message.body;
  if (drawn.get(node) !== now) {
    node.replaceChildren(...(message.deleted ? [words.log.deleted] : formatted(message.body, { known: room.known, me: room.me })));
  }
  drawn.set(node, now);
  attribute(node, 'data-edited', message.edited_at && !message.deleted ? words.log.edited : null);
  attribute(node, 'title', message.edited_at && !message.deleted ? words.log.editedAt(fullTime(new Date(message.edited_at))) : null);
}

// The message that this one answers: who wrote it, and its first line.
function quote(seq, quoted, actions) {
  const said = !quoted ? words.log.quoteFar : quoted.deleted ? words.log.deleted : firstLine(quoted.body).slice(0, QUOTED);
  return el('button', { class: 'quoted', type: 'button', title: words.log.toQuoted, onclick: () => actions.show(seq) },
    icon('reply'), quoted && el('bdi', { class: 'quoted-author' }, quoted.from), el('span', { class: 'quoted-text', dir: 'auto' }, said));
}

function drawReactions(node, message, room, actions) {
  const given = message.reactions ?? [];
  node.hidden = given.length === 0;
  node.replaceChildren(...given.map(({ emoji, people }) => {
    const mine = people.includes(room.me);
    const label = words.log.reaction(emoji, people);
    return el('button', { class: 'reaction', type: 'button', 'aria-pressed': String(mine), 'aria-label': words.log.reactions(emoji, people), title: label,
      data: { emoji }, onclick: () => actions.react(message, emoji, !mine) },
    el('span', { class: 'emoji' }, emoji), el('span', { class: 'reaction-count' }, String(people.length)));
  }));
}

function stateMark(state, reason) {
  const label = state === 'failed' ? words.log.failed(reason) : words.log[state];
  return el('span', { role: 'img', 'aria-label': label, title: label }, icon(state));
}

function failure(message, reason, actions) {
  const button = (name, act) =>
    el('button', { class: 'link', type: 'button', data: { action: name }, onclick: () => act(message.id) }, words.log[name]);
  return el('div', { class: 'failure', role: 'alert' },
    el('span', {}, words.log.failed(reason)),
    button('retry', actions.retry), button('edit', actions.edit), button('discard', actions.discard));
}
