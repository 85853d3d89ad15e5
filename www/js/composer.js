// Where people write. The draft is kept by room; sending works without a connection too, see outbox.js.

import { byId, text } from './dom.js';
import { browser } from './keep.js';
import { words } from './words.js';

const WARN_BELOW = 512;   // bytes left at which the counter appears

const encoder = new TextEncoder();

export class Composer {
  #chat;
  #input = byId('composer-input');
  #send = byId('send');
  #counter = byId('counter');
  #refused = false;

  constructor(chat) {
    this.#chat = chat;
    this.#input.addEventListener('input', () => this.#edited());
    this.#input.addEventListener('keydown', event => this.#key(event));
    byId('composer').addEventListener('submit', event => { event.preventDefault(); this.#submit(); });
    byId('skip').addEventListener('click', () => this.focus());
    chat.on('room', () => this.#show());
    chat.on('rooms', () => this.#name());
    new ResizeObserver(() => this.#fit()).observe(this.#input.parentElement);
  }

  focus() {
    this.#input.focus();
  }

  /** Puts a message that was not sent back for editing, before whatever is being written. */
  takeBack(body) {
    this.#set([body, this.#input.value].filter(Boolean).join('\n'));
    this.focus();
  }

  #key(event) {
    // While an IME composes, Enter picks a word. 229 is how some browsers say so.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.#submit();
  }

  #submit() {
    const body = this.#body();
    if (body === '' || this.#chat.room.missing) return;
    if (size(body) > this.#chat.limits.body) {
      this.#refused = true;
      return this.#measure();
    }
    this.#chat.post(body);
    this.#set('');
    this.focus();
  }

  #edited() {
    this.#refused = false;
    this.#changed();
    if (this.#body() !== '') this.#chat.typing();
  }

  #set(value) {
    this.#input.value = value;
    this.#changed();
  }

  #changed() {
    const draft = this.#input.value;
    const key = `draft.${this.#chat.room.name}`;
    if (draft) browser.write(key, draft);
    else browser.remove(key);
    this.#fit();
    this.#measure();
  }

  #show() {
    this.#refused = false;
    this.#input.value = browser.read(`draft.${this.#chat.room.name}`, '');
    this.#name();
    this.#fit();
    this.#measure();
  }

  #name() {
    this.#input.placeholder = words.composer.placeholder(this.#chat.room.title);
    byId('composer').hidden = this.#chat.room.missing;
  }

  // As high as its text; the CSS sets the limit, beyond which it scrolls.
  #fit() {
    this.#input.style.height = 'auto';
    this.#input.style.height = `${this.#input.scrollHeight}px`;
  }

  #measure() {
    const body = this.#body();
    const limit = this.#chat.limits.body;
    const left = limit - size(body);
    const over = left < 0;
    this.#send.disabled = body === '' || over;
    this.#input.setAttribute('aria-invalid', over);
    this.#counter.classList.toggle('over', over);
    if (over) text(this.#counter, this.#refused ? words.composer.refused(-left, limit) : words.composer.over(-left));
    else text(this.#counter, left < WARN_BELOW ? words.composer.left(left) : '');
  }

  // The end is trimmed, the beginning is not: it may be indented code.
  #body() {
    const body = this.#input.value.trimEnd();
    return body.trim() === '' ? '' : body.replace(/^\n+/, '');
  }
}

// The limit is in bytes of UTF-8, as the server counts.
const size = body => encoder.encode(body).length;
