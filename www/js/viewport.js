// The phone's keyboard. Where it lies over the page instead of making it smaller (iOS), the page makes room itself.

import { byId } from './dom.js';

const KEYBOARD = 80;   // px; less than this is a browser bar that comes and goes

export function makeRoomForKeyboard() {
  const view = window.visualViewport;
  const fit = () => {
    const covered = view.scale === 1 && innerHeight - view.height > KEYBOARD;
    byId('app').style.height = covered ? `${view.height}px` : '';
    if (covered) scrollTo(0, 0);
  };
  view?.addEventListener('resize', fit);
}
