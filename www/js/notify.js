// Notifications of the browser, for one who is spoken to while the page is out of sight and who wants it. The browser is asked
// only after the person has said so: at the first mention, or never. Without HTTPS, but on localhost, browsers have none.

import { byId } from './dom.js';
import { browser } from './keep.js';
import { words } from './words.js';

const LONGEST = 200;

export function notify(chat) {
  const prompt = byId('notify');
  if (!('Notification' in window) || !isSecureContext) return;

  chat.on('said', ({ room, message, mention }) => {
    if (!mention) return;
    if (Notification.permission === 'granted') {
      if (document.hidden && browser.read('notify', true)) show(room, message);
    } else if (Notification.permission === 'default' && !browser.read('notify-asked')) prompt.hidden = false;
  });

  const answer = wanted => {
    prompt.hidden = true;
    browser.write('notify-asked', true);
    browser.write('notify', wanted);
    if (wanted) Notification.requestPermission();
  };
  byId('notify-yes').addEventListener('click', () => answer(true));
  byId('notify-no').addEventListener('click', () => answer(false));
}

function show(room, { from, body, seq }) {
  try {
    const shown = new Notification(words.notify.title(from, room.title), { body: body.slice(0, LONGEST), tag: `${room.name}/${seq}`, icon: '/favicon.svg' });
    shown.onclick = () => {
      window.focus();
      location.hash = `${room.name}/${seq}`;
      shown.close();
    };
  } catch { /* Chromium on a phone has them from a service worker alone */ }
}
