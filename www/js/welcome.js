// The dialog that asks for a name. It cannot be dismissed: without a name there is no chat.

import { byId, text } from './dom.js';
import { begin, Refused, rememberedName } from './session.js';
import { words } from './words.js';

/** Asks until the server takes a name; resolves with the session. `problem` is shown at the field from the start. */
export function askForName(problem = '') {
  const dialog = byId('welcome');
  const input = byId('name-input');
  input.value = rememberedName();
  complain(problem);
  if (!dialog.open) dialog.showModal();
  input.focus();
  input.select();

  return new Promise(resolve => {
    dialog.oncancel = event => event.preventDefault();
    // Chromium closes on a second Escape whatever one says.
    dialog.onclose = () => dialog.showModal();
    input.oninput = () => complain('');
    byId('welcome-form').onsubmit = async event => {
      event.preventDefault();
      const session = await enter(input);
      if (!session) return;
      dialog.onclose = null;
      dialog.close();
      resolve(session);
    };
  });
}

async function enter(input) {
  const name = input.value.trim();
  if (name === '') return complain(words.welcome.empty);
  byId('join').disabled = true;
  try {
    return await begin(name);
  } catch (problem) {
    complain(problem instanceof Refused ? problem.message : words.welcome.away);
    input.focus();
  } finally {
    byId('join').disabled = false;
  }
}

function complain(problem) {
  text(byId('name-error'), problem);
  byId('name-input').setAttribute('aria-invalid', problem !== '');
}
