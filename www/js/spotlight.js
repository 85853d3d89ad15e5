// Message and frames point at each other: with the mouse or the focus on one, the other is lit.

import { bringIntoView } from './walk.js';

const STEADY = 180;   // ms of rest before the other side is scrolled to what is lit; passing over moves nothing

/**
 * Links the log with the panel's list. `find.messages(row)` gives the elements of the messages that a frame is
 * about, `find.frames(message)` the rows about a message, newest last. Returns a function that unlinks them.
 */
export function link(log, list, find) {
  const ending = new AbortController();
  let lit = [];
  let steady;

  const light = (source, others, view) => {
    clearTimeout(steady);
    for (const node of lit) node.classList.remove('lit');
    lit = others.length > 0 ? [source, ...others] : [];
    for (const node of lit) node.classList.add('lit');
    if (others.length > 0) steady = setTimeout(() => bringIntoView(others.at(-1), view), STEADY);
  };
  const listen = (root, selector, other, view) => {
    for (const kind of ['mouseover', 'focusin']) {
      root.addEventListener(kind, event => {
        const source = event.target.closest(selector);
        light(source, source ? other(source) : [], view);
      }, { signal: ending.signal });
    }
    for (const kind of ['mouseleave', 'focusout']) root.addEventListener(kind, () => light(null, [], view), { signal: ending.signal });
  };
  listen(log, '.message', find.frames, list);
  listen(list, '.frame', find.messages, log);
  return () => { light(null, [], log); ending.abort(); };
}
