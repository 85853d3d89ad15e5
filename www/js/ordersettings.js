// In the settings of those who keep order: who is muted or banned; in the owner's also the book of what was done.

import { ask } from './api.js';
import { inLocalTime } from './clock.js';
import { el } from './dom.js';
import { load, saying, section, sideButton, tried } from './settings.js';
import { words } from './words.js';

const say = words.order;
const when = time => new Date(time).toLocaleString(words.language, { dateStyle: 'medium', timeStyle: 'short' });

/** Who is muted or banned, to be lifted. */
export function sanctions() {
  const said = saying();
  const list = el('div', { class: 'entries' });
  const draw = async () => {
    const all = await ask('GET', '/api/sanctions');
    list.replaceChildren(...(all.length ? all.map(entry) : [el('p', {}, say.nobody)]));
  };
  const entry = ({ name, penalty, until, reason, by }) => el('div', { class: 'entry', data: { sanction: penalty, name } },
    el('span', {}, el('bdi', {}, name), ` · ${say.penalties[penalty]}`,
      el('small', {}, [until ? say.until(when(until)) : say.untilLifted, say.by(by), reason].filter(Boolean).join(' · '))),
    el('button', { class: 'quiet', type: 'button', 'aria-label': say.liftOf(name), onclick: () => lift(name, penalty) }, say.lift));
  const lift = (name, penalty) => tried(said, async () => {
    await ask('DELETE', `/api/people/${encodeURIComponent(name)}/${penalty}`);
    await draw();
  });
  load(tried(said, draw));
  return section('sanctions', say.sanctions, list, said);
}

/** What was done to keep order, the newest first. */
export function book() {
  const said = saying();
  const list = el('ol', { class: 'entries book' });
  const more = sideButton(say.earlier, () => tried(said, draw), { id: 'book-earlier', hidden: true });
  let before = null;
  const draw = async () => {
    const page = await ask('GET', `/api/audit?limit=20${before ? `&before=${before}` : ''}`);
    list.append(...page.deeds.map(entry));
    before = page.deeds.at(-1)?.id ?? before;
    more.hidden = !page.more;
    if (!list.children.length) list.append(el('li', {}, el('p', {}, say.nothing)));
  };
  const entry = ({ id, at, by, act, whom, room, detail, reason }) => el('li', { class: 'entry', data: { deed: id, act } },
    el('span', {}, el('bdi', {}, by), ' ', say.acts[act] ?? act, whom ? ' ' : '', whom ? el('bdi', {}, whom) : '',
      el('small', {}, [when(at), room && `#${room}`, detail && inLocalTime(detail), reason && `“${reason}”`].filter(Boolean).join(' · '))));
  load(tried(said, draw));
  return section('book', say.book, el('p', {}, say.bookText), list, more, said);
}
