// The dialog with a private room's members: all see who they are, and who may changes it.

import { avatar } from './avatar.js';
import { byId, el, keyed, text } from './dom.js';
import { words } from './words.js';

export class MembersDialog {
  #chat;
  #room = null;
  #dialog = byId('members-dialog');
  #input = byId('invite-input');

  constructor(chat) {
    this.#chat = chat;
    byId('members-close').addEventListener('click', () => this.#dialog.close());
    byId('invite-form').addEventListener('submit', event => { event.preventDefault(); this.#invite(); });
    this.#input.addEventListener('input', () => this.#complain(''));
    chat.on('gone', room => { if (room === this.#room) this.#dialog.close(); });
    chat.on('members', room => { if (room === this.#room && this.#dialog.open) this.#draw(); });
  }

  open() {
    this.#room = this.#chat.room;
    this.#input.value = '';
    this.#complain('');
    this.#show([]);
    byId('invite-form').hidden = !this.#chat.mayRun(this.#room);
    this.#dialog.showModal();
    this.#draw();
  }

  async #draw() {
    try {
      this.#show(await this.#chat.members(this.#room));
    } catch (problem) {
      this.#complain(problem.message);
    }
  }

  #show(names) {
    const mayRun = this.#chat.mayRun(this.#room);
    const member = name => el('li', { class: 'member', data: { name } },
      avatar(name), el('bdi', { class: 'person-name' }, name),
      name === this.#chat.me ? el('span', { class: 'you' }, words.me.you) : mayRun && this.#removal(name));
    keyed(byId('members-list'), names, { key: name => name, sign: () => '', make: member });
  }

  #removal(name) {
    const label = words.members.remove(name);
    return el('button', { class: 'link', type: 'button', 'aria-label': label, onclick: () => this.#remove(name) }, words.members.removal);
  }

  async #invite() {
    const name = this.#input.value.trim();
    if (name === '') return this.#complain(words.members.empty);
    byId('invite-send').disabled = true;
    try {
      await this.#chat.invite(this.#room, name);
      this.#input.value = '';
      this.#complain('');
      this.#input.focus();
    } catch (problem) {
      this.#complain(problem.code === 'bad_field' ? words.members.nobody(name) : problem.message);
      this.#input.focus();
    } finally {
      byId('invite-send').disabled = false;
    }
  }

  async #remove(name) {
    try {
      await this.#chat.expel(this.#room, name);
      this.#input.focus();
    } catch (problem) {
      this.#complain(problem.message);
    }
  }

  #complain(problem) {
    text(byId('members-error'), problem);
    this.#input.setAttribute('aria-invalid', problem !== '');
  }
}
