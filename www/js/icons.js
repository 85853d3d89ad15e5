// Icons as path data on a 24-unit grid, drawn with the colour of the text around them.

const SVG = 'http://www.w3.org/2000/svg';

// The mark is filled; everything else is a line drawing.
const MARK = 'M3 10.5a9 9 0 1 1 9 9h-2.25L3 23.6z M12 6.4a4.1 4.1 0 1 0 0 8.2 4.1 4.1 0 1 0 0-8.2z';

const PATHS = {
  menu: 'M4 7h16M4 12h16M4 17h10',
  more: 'M6 12h.01M12 12h.01M18 12h.01',
  plus: 'M12 6v12M6 12h12',
  lock: 'M7 11h10a1 1 0 0 1 1 1v6.5a1 1 0 0 1-1 1H7a1 1 0 0 1-1-1V12a1 1 0 0 1 1-1zM8.5 11V8a3.5 3.5 0 0 1 7 0v3',
  edit: 'M5 19l.8-3.6L15.6 5.6a1.6 1.6 0 0 1 2.3 0l.5.5a1.6 1.6 0 0 1 0 2.3L8.6 18.2 5 19zM13.8 7.4l2.8 2.8',
  archive: 'M4.5 5h15v4h-15zM6 9v9.5a.5.5 0 0 0 .5.5h11a.5.5 0 0 0 .5-.5V9M10 13h4',
  search: 'M11 17.5a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13zM15.8 15.8L20 20',
  room: 'M9.5 5l-1.5 14M16 5l-1.5 14M5 9.5h14.5M4.5 14.5H19',
  close: 'M6.5 6.5l11 11M17.5 6.5l-11 11',
  leave: 'M10 5H6.5A1.5 1.5 0 0 0 5 6.5v11A1.5 1.5 0 0 0 6.5 19H10M14.5 8l4 4-4 4M18 12h-8.5',
  people: 'M9 11.5a3.25 3.25 0 1 0 0-6.5 3.25 3.25 0 0 0 0 6.5zM3 19c.4-3 2.8-4.75 6-4.75S14.6 16 15 19M15.75 5.3a3.25 3.25 0 0 1 0 5.9M17.5 14.7c2 .6 3.2 2.1 3.5 4.3',
  wire: 'M4 8.5h13M14 5l3.5 3.5L14 12M20 15.5H7M10 12l-3.5 3.5L10 19',
  down: 'M12 5v13M6.5 12.5L12 18l5.5-5.5',
  send: 'M12 19V6M6.5 11L12 5.5 17.5 11',
  pending: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM12 8v4.5l2.5 1.5',
  sent: 'M6 12.5l4 4 8-9',
  failed: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM12 8v5M12 16h.01',
  pause: 'M9 6v12M15 6v12',
  play: 'M8 5.5l10 6.5-10 6.5z',
  clear: 'M5 7h14M10 7V5h4v2M7 7l.8 12h8.4L17 7',
  settings: 'M4 7.5h9M17 7.5h3M4 16.5h3M11 16.5h9M15 9.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM9 18.5a2 2 0 1 0 0-4 2 2 0 0 0 0 4z',
  chevron: 'M9 6l6 6-6 6',
  reply: 'M10 7l-5 5 5 5M5.5 12H14a5 5 0 0 1 5 5v1',
  smile: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM9 10h.01M15 10h.01M8.8 14a3.8 3.8 0 0 0 6.4 0',
  edit: 'M5 19l.9-3.6L15.6 5.7a1.4 1.4 0 0 1 2 0l.7.7a1.4 1.4 0 0 1 0 2L8.6 18.1zM14 7.5l2.5 2.5',
  eye: 'M3 12c2-3.8 5.2-5.8 9-5.8s7 2 9 5.8c-2 3.8-5.2 5.8-9 5.8s-7-2-9-5.8zM12 14.6a2.6 2.6 0 1 0 0-5.2 2.6 2.6 0 0 0 0 5.2z',
  mute: 'M5 10v4h3l4 3.5v-11L8 10zM15.5 10l4 4M19.5 10l-4 4',
  ban: 'M12 20a8 8 0 1 0 0-16 8 8 0 0 0 0 16zM6.5 6.5l11 11',
  link: 'M10.5 13.5l3-3M9 11l-2.3 2.3a2.8 2.8 0 0 0 4 4L13 15M11 9l2.3-2.3a2.8 2.8 0 0 1 4 4L15 13',
};

/** An icon by name; `mark` is Parlor's own. Decorative: the button around it carries the name. */
export function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('class', name === 'mark' ? 'icon mark' : 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS(SVG, 'path');
  path.setAttribute('d', name === 'mark' ? MARK : PATHS[name]);
  svg.append(path);
  return svg;
}
