// Asks before a private room is left: there is no way back without an invitation.

import { byId, text } from './dom.js';
import { words } from './words.js';

export class LeaveDialog {
  #chat;
  #room = null;
  #dialog = byId('leave-dialog');

  constructor(chat) {
    this.#chat = chat;
    byId('leave-cancel').addEventListener('click', () => this.#dialog.close());
    byId('leave-form').addEventListener('submit', event => { event.preventDefault(); this.#submit(); });
    chat.on('gone', room => { if (room === this.#room) this.#dialog.close(); });
  }

  open() {
    this.#room = this.#chat.room;
    text(byId('leave-dialog-title'), words.leave.title(this.#room.title));
    text(byId('leave-error'), '');
    this.#dialog.showModal();
    byId('leave-cancel').focus();
  }

  async #submit() {
    byId('leave-submit').disabled = true;
    try {
      await this.#chat.quit(this.#room);
      this.#dialog.close();
    } catch (problem) {
      text(byId('leave-error'), problem.message);
    } finally {
      byId('leave-submit').disabled = false;
    }
  }
}
