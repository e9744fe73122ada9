// What is unread, and the button that makes it read.

import { write } from '../api.js';
import { el, fill, icon, speak } from '../dom.js';
import { failed, toast, warnings } from './notes.js';

export function notifications(retry) {
  const element = el('section', { class: 'card', 'aria-labelledby': 'notifications-title' });
  let page;

  function show(shown) {
    page = shown;
    const unread = page.unreadNotifications;
    const notes = warnings(page, ['unreadNotifications'], retry);
    fill(element,
      el('div', { class: 'head' },
        el('h2', { id: 'notifications-title', tabindex: '-1' }, 'Notifications'),
        unread.length > 0 && el('span', { class: 'count', 'aria-label': `${unread.length} unread` }, String(unread.length))),
      notes,
      unread.length > 0 && el('ul', { class: 'plain notifications' }, unread.map(item)),
      unread.length === 0 && notes.length === 0 && el('p', { class: 'faint' }, 'You have read everything.'));
  }

  function item(notification) {
    return el('li', {},
      el('p', { dir: 'auto' }, notification.title),
      el('button', {
        class: 'quiet', type: 'button', id: `read-${notification.id}`,
        'aria-label': `Mark as read: ${notification.title}`,
        on: { click: () => markRead(notification) },
      }, icon('check')));
  }

  /** Shown as read at once, and as unread again should that not work. */
  async function markRead(notification) {
    const before = page.unreadNotifications;
    show({ ...page, unreadNotifications: before.filter((other) => other !== notification) });
    element.querySelector('h2').focus();
    speak('Marked as read');
    try {
      await write(`/notifications/${encodeURIComponent(notification.id)}/read`);
    } catch (problem) {
      show({ ...page, unreadNotifications: before.filter((other) => other === notification || page.unreadNotifications.includes(other)) });
      toast(failed('This could not be marked as read.', problem), { bad: true });
    }
  }

  return { element, show };
}
