// Where people write. The draft is kept by room; sending works without a connection too, see outbox.js. What is written may
// be new, answer a message, or take the place of one's own.

import { Completion } from './completion.js';
import { byId, text } from './dom.js';
import { firstLine } from './format.js';
import { icon } from './icons.js';
import { browser } from './keep.js';
import { pause, silence } from './standing.js';
import { words } from './words.js';

const WARN_BELOW = 512;   // bytes left at which the counter appears
const NARROW = 760;       // px, as in css/layout.css
const FITS = 16;          // letters of a room's title beside a thumb

const encoder = new TextEncoder();

export class Composer {
  #chat;
  #input = byId('composer-input');
  #send = byId('send');
  #counter = byId('counter');
  #refused = false;
  #completion;
  #about = null;   // {kind: 'edit' | 'reply', message}
  #queue = null;   // what is on its way to being sent
  #ticking = null;

  constructor(chat) {
    this.#chat = chat;
    this.#completion = new Completion(chat, this.#input);
    this.#input.addEventListener('input', () => this.#edited());
    this.#input.addEventListener('keydown', event => this.#key(event));
    byId('composer').addEventListener('submit', event => { event.preventDefault(); this.#submit(); });
    byId('composer-stop').addEventListener('click', () => { this.#stop(); this.focus(); });
    byId('skip').addEventListener('click', () => this.focus());
    chat.on('room', () => this.#show());
    chat.on('rooms', () => { this.#name(); this.#measure(); });
    chat.on('standing', () => { this.#name(); this.#measure(); });
    chat.on('log', room => { if (room === chat.room && room.slow) this.#measure(); });
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

  /** What is written next answers that message. */
  replyTo(message) {
    if (this.#about?.kind === 'edit') this.#stop();
    this.#begin({ kind: 'reply', message });
  }

  /** That message is written anew; what was being written waits. */
  edit(message) {
    this.#begin({ kind: 'edit', message });
    this.#set(message.body);
    this.#input.setSelectionRange(message.body.length, message.body.length);
  }

  #begin(about) {
    this.#about = about;
    this.#drawAbout();
    this.focus();
  }

  // Back to the draft.
  #stop() {
    const edited = this.#about?.kind === 'edit';
    this.#about = null;
    this.#drawAbout();
    if (edited) this.#set(this.#draft());
  }

  #drawAbout() {
    const { kind, message } = this.#about ?? {};
    byId('composer-about').hidden = !kind;
    byId('send').setAttribute('aria-label', kind === 'edit' ? words.composer.save : words.composer.send);
    if (!kind) return;
    const own = message.from === this.#chat.me;
    text(byId('composer-about-what'), kind === 'reply' ? words.composer.replying(message.from)
      : own ? words.composer.editing : words.composer.editingOthers(message.from));
    text(byId('composer-about-said'), kind === 'reply' ? firstLine(message.body) : '');
    const { parentElement } = byId('composer-about-said');
    parentElement.title = parentElement.textContent;
    byId('composer-about-icon').replaceChildren(icon(kind));
  }

  #key(event) {
    if (this.#completion.key(event)) return event.preventDefault();
    if (event.key === 'Escape' && this.#about && !event.isComposing) {
      // The panel that Escape would close stays.
      event.stopPropagation();
      return this.#stop();
    }
    if (event.key === 'ArrowUp' && this.#input.value === '' && !this.#about && this.#chat.room.lastOwn) {
      event.preventDefault();
      return this.edit(this.#chat.room.lastOwn);
    }
    // While an IME composes, Enter picks a word. 229 is how some browsers say so.
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    this.#submit();
  }

  #submit() {
    const body = this.#body();
    if (body === '' || this.#chat.room.missing || silence(this.#chat, this.#chat.room)) return;
    // Slow rooms are for the next thought; what is being mended need not wait.
    if (this.#about?.kind !== 'edit' && pause(this.#chat, this.#chat.room) > 0) return;
    if (size(body) > this.#chat.limits.body) {
      this.#refused = true;
      return this.#measure();
    }
    this.#completion.close();
    const { kind, message } = this.#about ?? {};
    const { room } = this.#chat;
    if (kind === 'edit') {
      // What cannot be sent now stays here.
      if (!room.live) return this.#chat.emit('notice', words.log.offline);
      if (body !== message.body) this.#sending(body, signed => this.#chat.edit(message.seq, signed, room));
      this.#stop();
    } else {
      this.#sending(body, signed => this.#chat.post(signed, message?.seq, room));
      this.#stop();
      this.#set('');
    }
    this.focus();
  }

  // One after the other: the names of emoji may have to be fetched first.
  #sending(body, send) {
    const signed = this.#completion.signed(body);
    if (typeof signed === 'string' && !this.#queue) return send(signed);
    const queue = Promise.all([signed, this.#queue]).then(([signed]) => send(signed)).finally(() => { if (this.#queue === queue) this.#queue = null; });
    this.#queue = queue;
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
    if (this.#about?.kind === 'edit') { /* the draft waits */ }
    else if (draft) browser.write(key, draft);
    else browser.remove(key);
    this.#fit();
    this.#measure();
  }

  #show() {
    this.#refused = false;
    this.#about = null;
    this.#drawAbout();
    this.#completion.close();
    this.#input.value = this.#draft();
    this.#name();
    this.#fit();
    this.#measure();
  }

  #draft() {
    return browser.read(`draft.${this.#chat.room.name}`, '');
  }

  #name() {
    this.#input.placeholder = words.composer.placeholder(shortened(this.#chat.room.title));
    const closed = silence(this.#chat, this.#chat.room);
    byId('composer').hidden = this.#chat.room.missing || closed !== '';
    byId('archived').hidden = closed === '' || this.#chat.room.missing;
    text(byId('archived'), closed);
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
    const waits = this.#wait();
    this.#send.disabled = body === '' || over || waits;
    this.#input.setAttribute('aria-invalid', over);
    this.#counter.classList.toggle('over', over);
    if (over) text(this.#counter, this.#refused ? words.composer.refused(-left, limit) : words.composer.over(-left));
    else text(this.#counter, left < WARN_BELOW ? words.composer.left(left) : '');
  }

  // Counts down in a slow room. True: the next message has to wait.
  #wait() {
    const left = this.#about?.kind === 'edit' ? 0 : pause(this.#chat, this.#chat.room);
    clearTimeout(this.#ticking);
    if (left > 0) this.#ticking = setTimeout(() => this.#measure(), left % 1000 || 1000);
    text(byId('pause'), left > 0 ? words.order.wait(Math.ceil(left / 1000)) : '');
    return left > 0;
  }

  // The end is trimmed, the beginning is not: it may be indented code.
  #body() {
    const body = this.#input.value.trimEnd();
    return body.trim() === '' ? '' : body.replace(/^\n+/, '');
  }
}

// A placeholder that is too long is cut by the browser without a sign of it; the whole stands above the log.
function shortened(title) {
  const letters = [...title];
  return innerWidth < NARROW && letters.length > FITS ? `${letters.slice(0, FITS).join('').trimEnd()}…` : title;
}

// The limit is in bytes of UTF-8, as the server counts.
const size = body => encoder.encode(body).length;
