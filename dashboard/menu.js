/**
 * The menu of what concerns the whole broker. The browser opens it, closes it for Escape and a press elsewhere, and
 * gives the focus back; arrow keys, Home and End go through it.
 */
export function makeMenu() {
  const menu = document.getElementById('menu');
  const opener = document.getElementById('menu-open');
  const items = () => [...menu.querySelectorAll('[role="menuitem"]:not(:disabled)')];

  // Has the focus as soon as the menu is open.
  items()[0].autofocus = true;
  opener.onkeydown = (event) => {
    if (event.key !== 'ArrowDown') return;
    event.preventDefault();
    menu.showPopover();
  };
  menu.ontoggle = ({ newState }) => {
    opener.setAttribute('aria-expanded', String(newState === 'open'));
  };
  menu.onkeydown = (event) => {
    if (event.key === 'Tab') menu.hidePopover();
    const all = items();
    const at = all.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 + all.length, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    all[to % all.length]?.focus();
  };
  // Closed before the item acts: the question that it asks gives the focus back to the opener.
  menu.addEventListener('click', () => menu.hidePopover(), { capture: true });
}
