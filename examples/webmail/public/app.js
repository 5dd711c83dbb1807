// What the pages do beyond links and forms: they follow what changes, and keep the place in the list.

const status = document.querySelector('#status');
const list = document.querySelector('#list');

// The login takes the time zone of the reader along: the server writes times as they are there.
const zone = document.querySelector('input[name=zone]');
if (zone) zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Says something in passing, or until it is taken back with empty words. */
function say(words, kind) {
  status?.querySelector(`.${kind}`)?.remove();
  if (!words) return;
  const line = Object.assign(document.createElement('p'), { className: kind, textContent: words });
  status?.append(line);
}

// Changes: the page is asked for again, and its list and folders take the place of those that are shown.
let fetching = false;
let again = false;
async function refresh() {
  again = true;
  if (fetching) return;
  fetching = true;
  try {
    while (again) {
      again = false;
      const answer = await fetch(location.href, { headers: { 'x-changes': '1' } });
      if (answer.redirected || answer.status === 401 || answer.status === 404) return location.reload();
      if (answer.ok) show(new DOMParser().parseFromString(await answer.text(), 'text/html'));
    }
  } catch {
    // Offline: the stream of events says so, and asks for the list again when it is back.
  } finally {
    fetching = false;
  }
}

function show(fresh) {
  const checked = [...document.querySelectorAll('#list input:checked')].map(({ value }) => value);
  const focused = document.activeElement?.closest('.row')?.id;
  const wasCheckbox = document.activeElement?.matches('input');
  for (const place of ['#list .rows', '#folder-list', '#list .list-head > p', '#list .pages']) {
    const next = fresh.querySelector(place);
    if (next) document.querySelector(place)?.replaceWith(next);
  }
  for (const box of document.querySelectorAll('#list input[name=uid]')) box.checked = checked.includes(box.value);
  if (focused) document.querySelector(`#${focused} ${wasCheckbox ? 'input' : 'a'}`)?.focus({ preventScroll: true });
  const count = /^\(\d+\) /;
  document.title = (count.exec(fresh.title)?.[0] ?? '') + document.title.replace(count, '');
}

// A browser has few connections for one site: a tab that is not seen gives its stream back.
let events;
function follow() {
  events?.close();
  events = undefined;
  if (document.hidden || !document.body.dataset.live) return;
  events = new EventSource(document.body.dataset.live);
  let lost = false;
  events.onopen = () => {
    say('', 'lost');
    if (lost) refresh();
    lost = false;
  };
  events.onerror = () => {
    lost = true;
    say('The connection is lost. Trying again …', 'lost');
    // After an answer that is no stream, as that of a proxy, the browser does not try again by itself.
    if (events?.readyState === EventSource.CLOSED) setTimeout(() => refresh().then(follow), 3000);
  };
  events.addEventListener('broker', ({ data }) => {
    say(data === 'away' ? 'The mail service does not answer. Trying again …' : '', 'away');
  });
  events.addEventListener('changed', refresh);
  events.addEventListener('mail', ({ data }) => say(data, 'note'));
  events.addEventListener('ended', () => location.reload());
}
document.addEventListener('visibilitychange', () => {
  follow();
  if (!document.hidden && document.body.dataset.live) refresh();
});
addEventListener('pagehide', () => events?.close());
addEventListener('pageshow', follow);

// The list stays where it was scrolled to when another of its messages is opened.
const query = new URLSearchParams(location.search);
const key = `scroll ${query.get('folder')} ${query.get('q')} ${query.get('cursor')}`;
if (list) {
  list.scrollTop = Number(sessionStorage.getItem(key));
  addEventListener('pagehide', () => sessionStorage.setItem(key, `${list.scrollTop}`));
}
