// One message of the log as DOM.

import { avatar } from './avatar.js';
import { fullTime, shortTime } from './clock.js';
import { attribute, el } from './dom.js';
import { formatted } from './format.js';
import { icon } from './icons.js';
import { words } from './words.js';

const drawn = new WeakMap();   // body element → the text it shows

/** The frame of a message; `updateMessage` fills it and mends it later, so that nothing moves when a post is confirmed. */
export function makeMessage(row) {
  return el('article', { class: 'message', data: { key: row.key, id: row.message.id } },
    el('div', { class: 'message-side' }),
    el('div', { class: 'message-main' }, el('div', { class: 'message-head' }), el('div', { class: 'body', dir: 'auto' })),
    el('span', { class: 'state' }));
}

export function updateMessage(node, { message, at, state, reason, own, first }, actions) {
  const [side, main, mark] = node.children;
  const [head, body] = main.children;
  node.classList.toggle('first', first);
  node.dataset.state = state;
  attribute(node, 'data-seq', message.seq);
  attribute(node, 'data-own', own);

  const time = el('time', { datetime: message.at, title: fullTime(at) }, shortTime(at));
  side.replaceChildren(first ? avatar(message.from) : time);
  const author = el('bdi', { class: first ? 'author' : 'visually-hidden' }, message.from);
  head.replaceChildren(author, ...(first ? [' ', time] : []));

  // Formatted only when it changed: a selection in it survives everything else.
  if (drawn.get(body) !== message.body) body.replaceChildren(...formatted(message.body));
  drawn.set(body, message.body);

  mark.replaceChildren(...(own ? [stateMark(state, reason)] : []));
  main.querySelector('.failure')?.remove();
  if (state === 'failed') main.append(failure(message, reason, actions));
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
