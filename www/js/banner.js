// The banner: what is wrong with the line, when it is tried again, and that nothing is lost meanwhile. It ticks, so
// announcer.js is what tells a screen reader.

import { byId, el, text } from './dom.js';
import { words } from './words.js';

const GRACE = 800;   // a first connection this quick needs no banner

export class Banner {
  #chat;
  #banner = byId('banner');
  #status = el('span');
  #again = el('span');
  #kept = el('span', { class: 'banner-kept' });
  #button = el('button', { id: 'try-now', class: 'quiet', type: 'button' });
  #notice = '';
  #ticking;
  #began = Date.now();

  constructor(chat) {
    this.#chat = chat;
    this.#banner.append(el('p', {}, this.#status, ' ', this.#again, ' ', this.#kept), this.#button);
    this.#button.addEventListener('click', () => this.#pressed());
    chat.on('line', () => this.#draw());
    chat.on('notice', notice => { this.#notice = notice; this.#draw(); });
    setTimeout(() => this.#draw(), GRACE);
  }

  #pressed() {
    if (this.#notice) this.#notice = '';
    else this.#chat.line.tryNow();
    this.#draw();
  }

  #draw() {
    const { line, outbox } = this.#chat;
    const first = line.state === 'connecting' && line.ended === null && Date.now() - this.#began < GRACE;
    const broken = line.state === 'waiting' || (line.state === 'connecting' && !first);
    clearInterval(this.#ticking);
    this.#banner.hidden = !broken && !this.#notice;
    this.#banner.dataset.state = broken ? line.state : 'notice';
    if (this.#banner.hidden) return;
    text(this.#status, broken ? this.#state() : this.#notice);
    this.#tick();
    text(this.#kept, broken ? words.banner.kept(outbox.waiting) : '');
    text(this.#button, broken ? words.banner.now : words.banner.dismiss);
    // The button keeps its place while connecting, so that the text does not jump.
    this.#button.disabled = line.state === 'connecting';
    if (line.state === 'waiting') this.#ticking = setInterval(() => this.#tick(), 250);
  }

  #tick() {
    const { line } = this.#chat;
    const seconds = Math.max(1, Math.ceil((line.retryAt - Date.now()) / 1000));
    text(this.#again, line.state === 'waiting' && seconds < Infinity ? words.banner.again(seconds) : '');
  }

  #state() {
    const { line, scolded } = this.#chat;
    if (line.state === 'connecting') return words.banner.connecting;
    return scolded ? words.banner.stopped(scolded) : words.banner.gone;
  }
}
