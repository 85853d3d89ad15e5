// The dialog that changes what is said of the open room: its name and its topic.

import { byId, text } from './dom.js';
import { words } from './words.js';

export class EditDialog {
  #chat;
  #room = null;
  #dialog = byId('edit-dialog');
  #title = byId('edit-title-input');
  #topic = byId('edit-topic-input');

  constructor(chat) {
    this.#chat = chat;
    byId('edit-cancel').addEventListener('click', () => this.#dialog.close());
    byId('edit-form').addEventListener('submit', event => { event.preventDefault(); this.#submit(); });
    this.#title.addEventListener('input', () => this.#complain(''));
    chat.on('gone', room => { if (room === this.#room) this.#dialog.close(); });
  }

  open() {
    this.#room = this.#chat.room;
    this.#title.value = this.#room.title;
    this.#topic.value = this.#room.topic;
    this.#complain('');
    this.#dialog.showModal();
    this.#topic.focus();
  }

  async #submit() {
    const [title, topic] = [this.#title.value.trim(), this.#topic.value.trim()];
    if (title === '') return this.#complain(words.create.noTitle);
    byId('edit-save').disabled = true;
    try {
      await this.#chat.change(this.#room, { title, topic });
      this.#dialog.close();
    } catch (problem) {
      this.#complain(problem.message);
    } finally {
      byId('edit-save').disabled = false;
    }
  }

  #complain(problem) {
    text(byId('edit-error'), problem);
    this.#title.setAttribute('aria-invalid', problem !== '');
    if (problem) this.#title.focus();
  }
}
