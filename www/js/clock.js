// Times as people read them, in the reader's time zone and, where it is the page's language, in their habits.

import { words } from './words.js';

const locale = navigator.language?.startsWith(words.language) ? navigator.language : words.language;
const hours = new Intl.DateTimeFormat(undefined, { hour: 'numeric' }).resolvedOptions().hourCycle;

const formats = {
  time: new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hourCycle: hours }),
  full: new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'medium', hourCycle: hours }),
  date: new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' }),
  dateOfYear: new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year: 'numeric' }),
  day: new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' }),
  dayOfYear: new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' }),
};

export const shortTime = at => formats.time.format(at);

export const fullTime = at => formats.full.format(at);

/** The time of today, else the date, as short as may be. */
export function shortDate(at, now = new Date()) {
  if (at.toDateString() === now.toDateString()) return shortTime(at);
  return (at.getFullYear() === now.getFullYear() ? formats.date : formats.dateOfYear).format(at);
}

/** 'Today', 'Yesterday', or the date; with the year only if it is another one. */
export function dayName(at, now = new Date()) {
  if (at.toDateString() === now.toDateString()) return words.log.today;
  const yesterday = new Date(now);
  yesterday.setDate(now.getDate() - 1);
  if (at.toDateString() === yesterday.toDateString()) return words.log.yesterday;
  return (at.getFullYear() === now.getFullYear() ? formats.day : formats.dayOfYear).format(at);
}

/** What the server says, with the moments in it, as 2026-11-23 17:33:18 UTC, as they are here. */
export function inLocalTime(said, now = new Date()) {
  return said.replace(/\b(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC\b/g, (_, day, time) => {
    const at = new Date(`${day}T${time}Z`);
    return at.toDateString() === now.toDateString() ? shortTime(at) : `${shortDate(at, now)}, ${shortTime(at)}`;
  });
}

/** 14:02:11.073, for the wire panel. */
export function preciseTime(at) {
  const two = n => String(n).padStart(2, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}
