// What one can do with a message: two buttons on the one that is pointed at, and a menu with everything. With a mouse they
// come with it, with the keyboard by walking there (see walk.js), on a phone by a tap or a long press.

import { copy } from './copy.js';
import { byId, el, text } from './dom.js';
import { icon } from './icons.js';
import { words } from './words.js';

const QUICK = ['👍', '❤️', '😂', '🎉', '😮', '👀'];
const APART = 8;   // px between the menu and the window's edge

export class MessageMenu {
  #chat;
  #log;
  #act;
  #menu = byId('message-menu');
  #message = null;
  #opener = null;
  #tools = el('div', { class: 'tools', role: 'group', 'aria-label': words.message.tools },
    tool('react', 'smile', () => this.#act.pick(this.#message, this.#opener.closest('.message'))),
    tool('reply', 'reply', () => this.#act.reply(this.#message)),
    tool('more', 'more', () => this.#open(this.#opener)));

  /** `act`: {react(message, emoji, on), pick(message, button), reply, edit, remove, author(message, beside)} of a message; `permalink(message)` is its address. */
  constructor(chat, log, act) {
    this.#chat = chat;
    this.#log = log;
    this.#act = act;
    const view = log.element;
    for (const kind of ['mouseover', 'focusin']) view.addEventListener(kind, event => this.#offer(event.target));
    view.addEventListener('click', event => this.#tapped(event));
    view.addEventListener('contextmenu', event => this.#held(event));
    view.addEventListener('keydown', event => this.#key(event));
    this.#tools.addEventListener('click', event => {
      this.#opener = event.target.closest('button');
      this.#message = this.#of(this.#tools);
    }, true);
    this.#menu.addEventListener('keydown', event => step(event, this.#menu));
    byId('message-quick').append(...QUICK.map(emoji => el('button', { type: 'button', class: 'emoji', data: { emoji },
      onclick: () => this.#close(message => this.#act.react(message, emoji, !this.#gave(message, emoji))) }, emoji)));
    const item = (id, act) => byId(id).addEventListener('click', () => this.#close(act));
    byId('message-pick').addEventListener('click', () => {
      const beside = this.#opener.closest('.message');
      this.#close(message => this.#act.pick(message, beside));
    });
    item('message-reply', message => this.#act.reply(message));
    item('message-edit', message => this.#act.edit(message));
    item('message-delete', message => this.#act.remove(message));
    byId('message-author').addEventListener('click', () => {
      const beside = this.#opener;
      this.#close(message => this.#act.author(message, beside));
    });
    byId('message-link').addEventListener('click', async () => {
      text(byId('message-link').lastElementChild, (await copy(this.#act.permalink(this.#message))) ? words.log.copied : words.log.notCopied);
      setTimeout(() => this.#close(() => {}), 700);
    });
  }

  // The message that an element stands in, as it now is.
  #of(node) {
    const seq = node.closest('.message')?.dataset.seq;
    return seq ? this.#chat.room.find(Number(seq)) : undefined;
  }

  #gave(message, emoji) {
    return (message.reactions ?? []).some(reaction => reaction.emoji === emoji && reaction.people.includes(this.#chat.me));
  }

  #offer(target) {
    const node = target.closest('.message');
    const message = node && this.#of(node);
    if (!message || message.deleted || this.#tools.parentElement === node) return;
    // Where it stands is being used.
    if (this.#menu.matches(':popover-open')) return;
    node.append(this.#tools);
  }

  // On a phone a tap on a message, but not on what is in it.
  #tapped(event) {
    if (event.pointerType !== 'touch' || event.target.closest('a, button, pre') || getSelection().toString()) return;
    this.#openAt(event);
  }

  // A long press. The right button of a mouse has the browser's own menu.
  #held(event) {
    if (event.pointerType !== 'touch' && event.button !== -1 && event.button !== 0) return;
    if (this.#openAt(event)) event.preventDefault();
  }

  #key(event) {
    if (event.key !== 'Enter' || !event.target.matches('.message')) return;
    event.preventDefault();
    this.#openAt(event);
  }

  #openAt(event) {
    const node = event.target.closest('.message');
    this.#message = node && this.#of(node);
    if (!this.#message || this.#message.deleted) return false;
    this.#open(node);
    return true;
  }

  #open(opener) {
    const message = this.#message;
    if (!message) return;
    this.#opener = opener;
    const mine = this.#chat.mayChange(message);
    byId('message-edit').hidden = byId('message-delete').hidden = !mine;
    byId('message-author').hidden = !this.#chat.keepsOrder || message.from === this.#chat.me;
    text(byId('message-author').lastElementChild, words.order.about(message.from));
    text(byId('message-link').lastElementChild, words.message.link);
    for (const button of byId('message-quick').children) button.setAttribute('aria-pressed', this.#gave(message, button.dataset.emoji));
    this.#menu.showPopover();
    place(this.#menu, opener);
    this.#menu.querySelector('button').focus();
  }

  #close(then) {
    const message = this.#message;
    this.#menu.hidePopover();
    (this.#opener?.isConnected ? this.#opener.closest('.message') ?? this.#opener : null)?.focus({ preventScroll: true });
    // It may have changed, or gone, since the menu was opened.
    const now = message && this.#chat.room.find(message.seq);
    if (now && !now.deleted) then(now);
  }
}

function tool(name, drawing, onclick) {
  const label = words.message[name];
  return el('button', { class: 'icon-button', type: 'button', data: { tool: name }, 'aria-label': label, title: label, onclick }, icon(drawing));
}

/** Puts a popover that is shown beside an element, within the window. */
export function place(popover, beside) {
  const box = beside.getBoundingClientRect();
  const { width, height } = popover.getBoundingClientRect();
  const isWide = box.width > innerWidth / 2;
  const left = isWide ? box.left + 48 : box.right - width;
  const top = box.bottom + 4 + height + APART > innerHeight ? box.top - height - 4 : box.bottom + 4;
  popover.style.left = `${Math.max(APART, Math.min(left, innerWidth - width - APART))}px`;
  popover.style.top = `${Math.max(APART, Math.min(top, innerHeight - height - APART))}px`;
}

// The arrow keys go round the buttons.
function step(event, menu) {
  const ways = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
  if (!(event.key in ways)) return;
  event.preventDefault();
  const buttons = [...menu.querySelectorAll('button')].filter(button => button.checkVisibility());
  const at = buttons.indexOf(document.activeElement);
  buttons.at((at + ways[event.key]) % buttons.length)?.focus();
}
