import type { FC } from 'hono/jsx';
import type { Draft } from './compose.js';
import type { Told } from './errors.js';
import { type Folder, Icon, Shell } from './layout.js';

export const LoginPage: FC<{ next: string; user?: string; problem?: string | undefined }> = ({
  next,
  user,
  problem,
}) => (
  <main class="card">
    <img src="/icon.svg" alt="" width="48" height="48" />
    <h1>Webmail</h1>
    {problem ? (
      <p class="problem" role="alert">
        {problem}
      </p>
    ) : (
      <p class="lead">Sign in with your mail account.</p>
    )}
    <form method="post" action="/login">
      <input type="hidden" name="next" value={next} />
      <input type="hidden" name="zone" />
      <label>
        User name
        <input
          name="user"
          value={user ?? ''}
          required
          maxlength={320}
          autocomplete="username"
          autocapitalize="none"
          spellcheck={false}
        />
      </label>
      <label>
        Password
        <input name="password" type="password" required maxlength={500} autocomplete="current-password" />
      </label>
      <button type="submit" class="primary">
        Sign in
      </button>
    </form>
  </main>
);

export const ErrorPage: FC<{ told: Told }> = ({ told }) => (
  <main class="card">
    <img src="/icon.svg" alt="" width="48" height="48" />
    <h1>{told.title}</h1>
    <p role="alert">{told.words}</p>
    {told.retry ? <p class="lead">This page tries again by itself.</p> : ''}
    <a class="primary" href="/">
      To the inbox
    </a>
  </main>
);

interface ComposeProps {
  user: string;
  folders: Folder[];
  draft: Draft;
  /** Query of the message that is answered. */
  answered: string;
  problem?: string | undefined;
}
export const ComposePage: FC<ComposeProps> = ({ user, folders, draft, answered, problem }) => (
  <Shell user={user} folders={folders} current="INBOX">
    <main class="compose">
      <form method="post" action="/send">
        <h1>{draft.inReplyTo ? 'Reply' : 'New message'}</h1>
        {problem ? (
          <p class="problem" role="alert">
            {problem}
          </p>
        ) : (
          ''
        )}
        {(['key', 'inReplyTo', 'references'] as const).map((name) => (
          <input type="hidden" name={name} value={draft[name]} />
        ))}
        <input type="hidden" name="answered" value={answered} />
        <label>
          <span>To</span>
          <input name="to" value={draft.to} required maxlength={5000} autocomplete="email" autofocus={!draft.to} />
        </label>
        <label>
          <span>Cc</span>
          <input name="cc" value={draft.cc} maxlength={5000} autocomplete="email" />
        </label>
        <label>
          <span>Subject</span>
          <input name="subject" value={draft.subject} maxlength={900} />
        </label>
        <textarea name="text" aria-label="Text" rows={16} autofocus={Boolean(draft.to)}>
          {`\n${draft.text}`}
        </textarea>
        <div class="send">
          <button type="submit" class="primary">
            <Icon name="sent" /> Send
          </button>
          <p>This example puts the message into the folder for sent mail. It does not deliver it.</p>
        </div>
      </form>
    </main>
  </Shell>
);
