import { html } from 'hono/html';
import type { Child, FC } from 'hono/jsx';
import type { Result } from 'imap-broker/client';
import { href } from './place.js';

export type Folder = Result<'mailbox.list'>['mailboxes'][number];

/** Strokes on a square of 24. */
const ICONS = {
  inbox: 'M3 13h5l1.5 3h5l1.5-3h5M5.5 5h13L21 13v6H3v-6z',
  flagged: 'm12 3 2.8 5.8 6.2.9-4.5 4.4 1.1 6.2-5.6-3-5.6 3 1.1-6.2L3 9.7l6.2-.9z',
  drafts: 'M4 20h4L19 9l-4-4L4 16zM13 7l4 4',
  sent: 'M21 3 10 14M21 3l-7 18-4-7-7-4z',
  archive: 'M3 4h18v4H3zM5 8v12h14V8M10 12h4',
  all: 'M3 6h18v12H3zM3 7l9 6 9-6',
  junk: 'M12 3.5 21.5 20h-19zM12 10v4M12 17v.1',
  trash: 'M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13',
  folder: 'M3 6h6l2 2h10v11H3z',
  clip: 'M19.5 11.5 12 19a5 5 0 0 1-7-7l8-8a3.4 3.4 0 0 1 4.8 4.8l-7.9 7.9a1.7 1.7 0 0 1-2.4-2.4l7-7',
  reply: 'M9 6 3.5 11.5 9 17M3.5 11.5H14a6 6 0 0 1 6 6V19',
  replyAll: 'M7 7l-5 5 5 5M12 7l-5 5 5 5M7 12h8a6 6 0 0 1 6 6v1',
  menu: 'M4 6h16M4 12h16M4 18h16',
  search: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM20.5 20.5 16 16',
  back: 'm15 5-7 7 7 7',
  next: 'm9 5 7 7-7 7',
  first: 'M6 5v14M18 5l-7 7 7 7',
  unread: 'M3 6h18v12H3zM3 7l9 6 9-6',
  read: 'M3 10l9-6 9 6v10H3zM3 10l9 6 9-6',
  move: 'M3 6h6l2 2h10v11H3zM9 13.5h6.5M13 10.5l3 3-3 3',
  download: 'M12 4v11M7 10.5l5 5 5-5M5 20h14',
  picture: 'M3 5h18v14H3zM3 16l5-5 4 4 3-3 6 5M15.5 9v.1',
  out: 'M14 4H5v16h9M10 12h11M17 8l4 4-4 4',
} as const;
export type IconName = keyof typeof ICONS;

export const Icon: FC<{ name: IconName }> = ({ name }) => (
  <svg class={`icon icon-${name}`} viewBox="0 0 24 24" aria-hidden="true">
    <path d={ICONS[name]} />
  </svg>
);

/** In this order, for a later one overrides what an earlier one says. */
export const STYLES = ['base.css', 'frame.css', 'list.css', 'message.css', 'forms.css'] as const;

/** A whole document. `live` is the address of the events that keep it up to date. */
export function page(title: string, content: Child, live = '', refresh?: number) {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        ${refresh ? html`<meta http-equiv="refresh" content="${refresh}" />` : ''}
        <title>${title}</title>
        <link rel="icon" href="/icon.svg" />
        ${STYLES.map((name) => html`<link rel="stylesheet" href="/${name}" />`)}
        <script src="/app.js" type="module"></script>
      </head>
      <body data-live="${live}">
        ${content}
      </body>
    </html>`;
}

/** The frame of all pages of a user: the bar, the folders and what is shown beside them. */
export const Shell: FC<{
  user: string;
  folders: Folder[];
  current: string;
  q?: string | undefined;
  note?: string | undefined;
  children?: Child;
}> = ({ user, folders, current, q, note, children }) => (
  <>
    <header class="bar">
      <button type="button" class="plain menu-button" popovertarget="folders" aria-label="Folders">
        <Icon name="menu" />
      </button>
      <a class="brand" href="/" aria-label="Webmail: to the inbox">
        <img src="/icon.svg" alt="" width="26" height="26" />
        <span>Webmail</span>
      </a>
      <search>
        <form action="/">
          <input type="hidden" name="folder" value={current} />
          <Icon name="search" />
          <input
            type="search"
            name="q"
            value={q ?? ''}
            maxlength={200}
            placeholder={`Search in ${leafOf(folders, current)}`}
            aria-label="Search"
          />
        </form>
      </search>
      <span class="user">{user}</span>
      <form method="post" action="/logout">
        <button type="submit" class="plain" title="Sign out" aria-label="Sign out">
          <Icon name="out" />
        </button>
      </form>
    </header>
    <nav id="folders" popover="auto" aria-label="Folders">
      <a class="primary" href="/compose">
        <Icon name="drafts" /> Write
      </a>
      <ul id="folder-list">
        {withDepths(folders).map(([folder, depth]) => (
          <FolderLine folder={folder} depth={depth} current={folder.name === current} />
        ))}
      </ul>
    </nav>
    {children}
    <div id="status" role="status">
      {note ? <p class="note">{note}</p> : ''}
    </div>
  </>
);

const FolderLine: FC<{ folder: Folder; depth: number; current: boolean }> = ({ folder, depth, current }) => {
  const { name, selectable, specialUse, counts } = folder;
  const unseen = counts?.unseen ?? 0;
  const content = (
    <>
      <Icon name={specialUse ?? 'folder'} />
      <span class="leaf">{folderTitle(folder)}</span>
      {unseen > 0 && specialUse !== 'trash' ? (
        <span class="count">
          {unseen}
          <span class="hidden"> unread</span>
        </span>
      ) : (
        ''
      )}
    </>
  );
  return (
    <li class={`depth-${Math.min(depth, 4)}`}>
      {selectable ? (
        <a href={href({ folder: name })} aria-current={current ? 'page' : undefined}>
          {content}
        </a>
      ) : (
        <span class="closed">{content}</span>
      )}
    </li>
  );
};

export function folderTitle({ specialUse, leaf }: Folder): string {
  return specialUse === 'inbox' ? 'Inbox' : leaf;
}

function leafOf(folders: Folder[], name: string): string {
  const folder = folders.find((one) => one.name === name);
  return folder ? folderTitle(folder) : name;
}

/** Folders with how deep each is. The broker lists a folder behind its parent. */
function withDepths(folders: Folder[]): [folder: Folder, depth: number][] {
  const depths = new Map<string, number>();
  return folders.map((folder) => {
    const depth = folder.parent === null ? 0 : 1 + (depths.get(folder.parent) ?? -1);
    depths.set(folder.name, depth);
    return [folder, depth];
  });
}
