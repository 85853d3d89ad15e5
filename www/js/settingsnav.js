// The way through the settings: they stand in a few groups, one below the other, and at the head of the dialog a button
// leads to each.

import { el } from './dom.js';
import { words } from './words.js';

const say = words.settings;
const FEW = 2;   // groups that are found without a way to them

/** Sections under one heading; null if there are none. */
export function group(id, ...sections) {
  if (!sections.length) return null;
  return el('div', { class: 'settings-group', role: 'group', 'aria-labelledby': `settings-group-${id}`, data: { group: id } },
    el('h3', { id: `settings-group-${id}`, tabindex: '-1' }, say.groups[id]), ...sections);
}

/** The buttons that lead to the groups of the dialog, the one that is looked at marked; null if they are few. */
export function ways(dialog, groups) {
  if (groups.length <= FEW) return null;
  const button = each => {
    const id = each.dataset.group;
    return el('button', { type: 'button', data: { way: id }, onclick: () => lead(dialog, each) }, say.groups[id]);
  };
  const buttons = groups.map(button);
  // The last group may be too short to reach the top.
  const atEnd = () => dialog.scrollTop > 0 && dialog.scrollTop + dialog.clientHeight >= dialog.scrollHeight - 1;
  const looked = () => atEnd() ? groups.length - 1
    : Math.max(0, groups.findLastIndex(each => each.getBoundingClientRect().top <= top(dialog) + 1));
  const mark = () => buttons.forEach((button, at) => button.setAttribute('aria-current', String(at === looked())));
  dialog.onscroll = mark;
  buttons[0].setAttribute('aria-current', 'true');
  return el('nav', { class: 'settings-ways', 'aria-label': say.ways }, ...buttons);
}

// Where the groups begin to be seen: below the head, which stays.
const top = dialog => dialog.querySelector('.settings-head').getBoundingClientRect().bottom;

// With Tab one goes on from there.
function lead(dialog, each) {
  dialog.scrollTop += each.getBoundingClientRect().top - top(dialog);
  each.querySelector('h3').focus({ preventScroll: true });
}
