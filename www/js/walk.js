// The keyboard in the log: the arrows walk from message to message, and what a message has (its links, its menu) follows
// with Tab.

export function walk(log) {
  log.addEventListener('keydown', event => {
    const forward = event.key === 'ArrowDown';
    if ((!forward && event.key !== 'ArrowUp') || event.ctrlKey || event.metaKey || event.altKey) return;
    const messages = [...log.querySelectorAll('.message')];
    const at = messages.indexOf(document.activeElement.closest('.message'));
    const next = at === -1 ? messages.at(-1) : messages[at + (forward ? 1 : -1)];
    if (!next) return;
    event.preventDefault();
    next.focus({ preventScroll: true });
    bringIntoView(next, log);
  });
}

/** Only what is out of view moves. */
export function bringIntoView(node, view) {
  const box = node.getBoundingClientRect();
  const frame = view.getBoundingClientRect();
  if (box.top >= frame.top && box.top < frame.bottom - 24) return;
  view.scrollTop += box.top - frame.top - (view.clientHeight - box.height) / 2;
}
