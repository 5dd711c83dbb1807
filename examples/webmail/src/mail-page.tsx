import type { Child, FC } from 'hono/jsx';
import type { Result } from 'imap-broker/client';
import { hasRemotePictures, shownContentIds } from './body.js';
import { type Folder, folderTitle, Icon, type IconName, Shell } from './layout.js';
import { href, hrefOf, type MessagePlace, type Place } from './place.js';
import { dated, hue, initials, shortDate, sized } from './words.js';

type Row = Result<'message.list'>['messages'][number];
type Message = Result<'message.get'>['messages'][number];
type Relative = Result<'message.thread'>['messages'][number];
type Address = Message['envelope']['from'][number];

/** A message that is open, with the other messages of its conversation; `message` is missing where it is gone. */
export interface Opened {
  message: Message | undefined;
  thread: Relative[];
}

export interface MailPageProps {
  user: string;
  place: Place;
  folders: Folder[];
  list: Result<'message.list'>;
  opened: Opened | undefined;
  timeZone: string | undefined;
  note: string | undefined;
  pictures: boolean;
}

export const MailPage: FC<MailPageProps> = (props) => {
  const { user, place, folders, opened, note } = props;
  return (
    <Shell user={user} folders={folders} current={place.folder} q={place.q} note={note}>
      <main class={place.message ? 'panes with-message' : 'panes'}>
        <List {...props} />
        <section id="message" aria-label="Message">
          {opened?.message ? (
            <Opened {...props} at={place.message as MessagePlace} message={opened.message} thread={opened.thread} />
          ) : (
            <div class="empty">
              <Icon name="all" />
              {opened ? <h1>This message is not here any more.</h1> : <p>Choose a message to read it here.</p>}
            </div>
          )}
        </section>
      </main>
    </Shell>
  );
};

const List: FC<MailPageProps> = ({ place, folders, list, timeZone }) => {
  const { folder, q, cursor, message } = place;
  const current = folders.find(({ name }) => name === folder);
  const title = current ? folderTitle(current) : folder;
  // In Sent and Drafts the recipients tell more than the sender.
  const outgoing = current?.specialUse === 'sent' || current?.specialUse === 'drafts';
  const Title = message ? 'h2' : 'h1';
  const items = list.total === 1 ? 'message' : 'messages';
  return (
    <section id="list" aria-label="List of messages">
      <form method="post" action="/act">
        <Where mailbox={folder} uidValidity={list.uidValidity} back={href({ ...place, message: undefined })} />
        <div class="list-head">
          <Title>{title}</Title>
          <p>{q ? `${list.total} found for “${q}”` : `${list.total} ${items}`}</p>
          <div class="tools selection">
            <Actions id="move-list" folders={folders} folder={folder} />
          </div>
        </div>
        {list.messages.length === 0 ? <p class="nothing">{q ? 'Nothing was found.' : 'There is no mail here.'}</p> : ''}
        <ol class="rows">
          {list.messages.map((row) => (
            <Line
              row={row}
              outgoing={outgoing}
              open={row.uid === message?.uid && folder === message.mailbox}
              to={href({ ...place, message: { mailbox: folder, uidValidity: list.uidValidity, uid: row.uid } })}
              timeZone={timeZone}
            />
          ))}
        </ol>
      </form>
      {cursor || list.nextCursor ? (
        <nav class="pages" aria-label="Pages">
          {cursor ? (
            <a href={href({ folder, q })}>
              <Icon name="first" /> Newest
            </a>
          ) : (
            <span />
          )}
          {list.nextCursor ? (
            <a href={href({ folder, q, cursor: list.nextCursor })} rel="next">
              Older <Icon name="next" />
            </a>
          ) : (
            ''
          )}
        </nav>
      ) : (
        ''
      )}
    </section>
  );
};

interface LineProps {
  row: Row;
  outgoing: boolean;
  open: boolean;
  to: string;
  timeZone: string | undefined;
}
const Line: FC<LineProps> = ({ row, outgoing, open, to, timeZone }) => {
  const { uid, envelope, flags = [], internalDate, hasAttachment, preview } = row;
  const people = (outgoing ? envelope?.to : envelope?.from) ?? [];
  const names = people.map(nameOf).join(', ') || '(no name)';
  const subject = envelope?.subject || '(no subject)';
  const date = envelope?.date ?? internalDate;
  const seen = open || flags.includes('\\Seen');
  return (
    <li class={`row${seen ? '' : ' unseen'}${open ? ' open' : ''}`} id={`row-${uid}`}>
      <label class="pick">
        <input type="checkbox" name="uid" value={`${uid}`} aria-label={`Select ${subject.slice(0, 80)}`} />
        <Avatar address={people[0]} />
      </label>
      <a href={to} aria-current={open ? 'true' : undefined}>
        <span class="who">
          {seen ? '' : <span class="hidden">Unread: </span>}
          {names}
        </span>
        {date ? <time datetime={date}>{shortDate(date, timeZone)}</time> : ''}
        <span class="subject">{subject}</span>
        <span class="marks">
          {flags.includes('\\Answered') ? <Mark icon="reply" label="Answered" /> : ''}
          {hasAttachment ? <Mark icon="clip" label="Has attachments" /> : ''}
          {flags.includes('\\Flagged') ? <Mark icon="flagged" label="Starred" /> : ''}
        </span>
        <span class="preview">{preview ?? ''}</span>
      </a>
    </li>
  );
};

const Mark: FC<{ icon: IconName; label: string }> = ({ icon, label }) => (
  <span class="mark">
    <Icon name={icon} />
    <span class="hidden">{label}</span>
  </span>
);

const Avatar: FC<{ address: Address | undefined }> = ({ address }) => (
  <span class={`avatar hue-${hue(address?.address ?? '')}`} aria-hidden="true">
    {initials(address ? nameOf(address) : '')}
  </span>
);

/** Which messages a form is about; the uids are its checkboxes, or one hidden field. */
const Where: FC<{ mailbox: string; uidValidity: number; uid?: number; back: string }> = (where) => (
  <>
    <input type="hidden" name="folder" value={where.mailbox} />
    <input type="hidden" name="v" value={`${where.uidValidity}`} />
    <input type="hidden" name="back" value={where.back} />
    {where.uid ? <input type="hidden" name="uid" value={`${where.uid}`} /> : ''}
  </>
);

/** What can be done with messages; of one message it is known whether it has a star. */
const Actions: FC<{ id: string; folders: Folder[]; folder: string; starred?: boolean }> = ({
  id,
  folders,
  folder,
  starred,
}) => (
  <>
    {starred === undefined ? <Do action="seen" icon="read" label="Mark as read" /> : ''}
    <Do action="unseen" icon="unread" label="Mark as unread" />
    {starred === true ? (
      <Do action="unflagged" icon="flagged" label="Take the star away" />
    ) : (
      <Do action="flagged" icon="flagged" label="Star" />
    )}
    <button type="button" class="plain" popovertarget={id} title="Move" aria-label="Move">
      <Icon name="move" />
    </button>
    <div id={id} class="menu" popover="auto">
      <h2>Move to</h2>
      {folders
        .filter(({ selectable, name }) => selectable && name !== folder)
        .map((one) => (
          <button type="submit" name="move" value={one.name}>
            <Icon name={one.specialUse ?? 'folder'} /> {folderTitle(one)}
          </button>
        ))}
    </div>
    <Do action="trash" icon="trash" label="Delete" />
  </>
);

const Do: FC<{ action: string; icon: IconName; label: string }> = ({ action, icon, label }) => (
  <button type="submit" class={`plain do-${action}`} name="action" value={action} title={label} aria-label={label}>
    <Icon name={icon} />
  </button>
);

interface OpenedProps extends MailPageProps {
  at: MessagePlace;
  message: Message;
  thread: Relative[];
}
const Opened: FC<OpenedProps> = ({ place, folders, timeZone, pictures, at, message, thread }) => {
  const { envelope, flags } = message;
  const index = thread.findIndex(({ mailbox, uid }) => mailbox === at.mailbox && uid === at.uid);
  const relative = (one: Relative) => <RelativeLine one={one} place={place} timeZone={timeZone} />;
  const shown = shownContentIds(message);
  const files = message.attachments.filter(({ role, contentId }) => role !== 'inline' || !shown.has(contentId ?? ''));
  return (
    <article>
      <div class="message-head">
        <div class="tools">
          <a class="plain back" href={href({ ...place, message: undefined })} aria-label="Back to the list">
            <Icon name="back" />
          </a>
          <a class="plain" href={hrefOf('/compose', at, { to: 'sender' })} title="Reply" aria-label="Reply">
            <Icon name="reply" />
          </a>
          <a class="plain" href={hrefOf('/compose', at, { to: 'all' })} title="Reply to all" aria-label="Reply to all">
            <Icon name="replyAll" />
          </a>
          <form method="post" action="/act" class="tools">
            <Where {...at} back={href({ ...place, message: undefined })} />
            <Actions id="move-message" folders={folders} folder={at.mailbox} starred={flags.includes('\\Flagged')} />
          </form>
        </div>
        <h1>{envelope.subject || '(no subject)'}</h1>
      </div>
      {index > 0 ? <Earlier lines={thread.slice(0, index).map(relative)} /> : ''}
      <div class="sender">
        <Avatar address={envelope.from[0]} />
        <p>
          <strong>{envelope.from.map(nameOf).join(', ') || '(no name)'}</strong>{' '}
          <span class="address">{envelope.from[0]?.name ? envelope.from[0].address : ''}</span>
          <span class="to">to {[...envelope.to, ...envelope.cc].map(nameOf).join(', ') || '(no name)'}</span>
        </p>
        <time datetime={envelope.date ?? message.internalDate}>
          {dated(envelope.date ?? message.internalDate, timeZone)}
        </time>
      </div>
      {files.length > 0 ? (
        <ul class="files" aria-label="Attachments">
          {files.map(({ part, fileName, decodedSize, encodedSize, message: attached }) => (
            <li>
              <a href={hrefOf('/part', at, { part })} download="">
                <Icon name="clip" />
                <span class="file">{fileName ?? attached?.envelope.subject ?? 'attachment'}</span>
                {/* Where the broker has not read it: base64 in lines, as files mostly are, is a third longer. */}
                <span class="size">{sized(decodedSize ?? encodedSize * 0.73)}</span>
              </a>
            </li>
          ))}
        </ul>
      ) : (
        ''
      )}
      {!pictures && hasRemotePictures(message) ? (
        <p class="hint">
          <Icon name="picture" /> Pictures from other servers are not loaded: they would tell the sender that you read
          this. <a href={`${href(place)}&pictures=1`}>Load them</a>
        </p>
      ) : (
        ''
      )}
      <iframe
        title="Text of the message"
        src={hrefOf('/body', at, pictures ? { pictures: '1' } : {})}
        sandbox="allow-popups allow-popups-to-escape-sandbox"
      />
      {index >= 0 && index < thread.length - 1 ? <ol class="thread">{thread.slice(index + 1).map(relative)}</ol> : ''}
    </article>
  );
};

/** The messages before the open one; where there are many, the last two of them and a fold with the rest. */
const Earlier: FC<{ lines: Child[] }> = ({ lines }) => (
  <>
    {lines.length > 3 ? (
      <details class="thread">
        <summary>{lines.length - 2} earlier messages</summary>
        <ol class="thread">{lines.slice(0, -2)}</ol>
      </details>
    ) : (
      ''
    )}
    <ol class="thread">{lines.length > 3 ? lines.slice(-2) : lines}</ol>
  </>
);

const RelativeLine: FC<{ one: Relative; place: Place; timeZone: string | undefined }> = ({ one, place, timeZone }) => {
  const { mailbox, uidValidity, uid, envelope, internalDate, preview } = one;
  const date = envelope?.date ?? internalDate;
  return (
    <li>
      <a href={href({ ...place, message: { mailbox, uidValidity, uid } })}>
        <Avatar address={envelope?.from[0]} />
        <strong>{envelope?.from.map(nameOf).join(', ') || '(no name)'}</strong>
        <span class="preview">{preview ?? envelope?.subject ?? ''}</span>
        {date ? <time datetime={date}>{shortDate(date, timeZone)}</time> : ''}
      </a>
    </li>
  );
};

function nameOf({ name, address }: Address): string {
  return name || address;
}
