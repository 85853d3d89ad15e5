// Message and frames point at each other: with the mouse or the focus on one, the other is lit.

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
  log.addEventListener('keydown', event => step(event, log), { signal: ending.signal });
  return () => { light(null, [], log); ending.abort(); };
}

// Only while the panel is open: the arrow keys walk from message to message, so that the keyboard can point too.
function step(event, log) {
  const forward = event.key === 'ArrowDown';
  if (!forward && event.key !== 'ArrowUp') return;
  const messages = [...log.querySelectorAll('.message')];
  const at = messages.indexOf(document.activeElement.closest('.message'));
  const next = at === -1 ? messages.at(-1) : messages[at + (forward ? 1 : -1)];
  if (!next) return;
  event.preventDefault();
  next.tabIndex = -1;
  next.focus({ preventScroll: true });
  bringIntoView(next, log);
}

// Only what is out of view moves.
function bringIntoView(node, view) {
  const box = node.getBoundingClientRect();
  const frame = view.getBoundingClientRect();
  if (box.top >= frame.top && box.top < frame.bottom - 24) return;
  view.scrollTop += box.top - frame.top - (view.clientHeight - box.height) / 2;
}
