import { readFileSync } from 'node:fs';
import { getConnInfo } from '@hono/node-server/conninfo';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { csrf } from 'hono/csrf';
import { HTTPException } from 'hono/http-exception';
import { secureHeaders } from 'hono/secure-headers';
import { type Client, RpcError, type SessionClient } from 'imap-broker/client';
import { actOn } from './actions.js';
import { frameDocument, framePolicy } from './body.js';
import { DraftError, emptyDraft, replyTo } from './compose.js';
import { endsSession, type Told, told } from './errors.js';
import { ComposePage, ErrorPage, LoginPage } from './forms.js';
import { page, STYLES } from './layout.js';
import { live } from './live.js';
import { MailPage, type Opened } from './mail-page.js';
import { href, type MessagePlace, messageOf, ownPath, placeOf } from './place.js';
import { draftOf, fileInSent } from './send.js';
import { forget, note, remember, signedOf, takeNote } from './session.js';
import { knownZone } from './words.js';

interface Env {
  Variables: { mail: SessionClient; user: string; timeZone: string | undefined };
}
type Ctx = Context<Env>;

const FIELDS = ['envelope', 'flags', 'internalDate', 'hasAttachment', 'preview'] as const;
const FILES: Record<string, string> = {
  ...Object.fromEntries(STYLES.map((name) => [name, 'text/css'])),
  'app.js': 'text/javascript',
  'icon.svg': 'image/svg+xml',
};

/** The webmail, for the users of one IMAP server in the configuration of the broker. */
export function webmail(client: Client, server: string): Hono<Env> {
  const app = new Hono<Env>();
  app.use(
    secureHeaders({
      // Of pages; the document in the frame has a stricter one.
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'"],
        connectSrc: ["'self'"],
        frameSrc: ["'self'"],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
      originAgentCluster: false,
      overwrite: false,
      referrerPolicy: 'same-origin',
    }),
    csrf(),
    bodyLimit({ maxSize: 1024 * 1024 }),
  );
  for (const [name, type] of Object.entries(FILES)) {
    const text = readFileSync(new URL(`../public/${name}`, import.meta.url), 'utf8');
    app.get(`/${name}`, (c) => c.body(text, 200, { 'content-type': type, 'cache-control': 'no-cache' }));
  }
  // Mail stays out of the caches of browsers and proxies, also behind the back button after signing out.
  app.use(async (c, next) => {
    await next();
    c.header('cache-control', 'no-store');
  });
  app.onError((error, c) => failed(error, c as Ctx));
  signingIn(app, client, server);
  reading(app, client);
  writing(app);
  return app;
}

function signingIn(app: Hono<Env>, client: Client, server: string): void {
  app.get('/login', (c) => c.html(page('Sign in', <LoginPage next={ownPath(c.req.query('next'))} />)));

  app.post('/login', async (c) => {
    const form = await formOf(c);
    const [user, password] = [`${form.get('user') ?? ''}`, `${form.get('password') ?? ''}`];
    const next = ownPath(form.get('next'));
    const again = (problem: string, status: Told['status']) =>
      c.html(page('Sign in', <LoginPage next={next} user={user} problem={problem} />), status);
    try {
      // Behind a reverse proxy the address would be in a header that the proxy sets.
      const clientIp = getConnInfo(c).remote.address;
      const opened = await client.session.open({ server, user, auth: { password }, clientIp });
      const timeZone = knownZone(`${form.get('zone') ?? ''}`);
      const kept = remember(c, { user, timeZone }, opened);
      return kept ? c.redirect(next, 303) : again('This password is too long.', 400);
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      const { status, title, words } = told(error);
      if (error.kind === 'INVALID_PARAMS') return again('The mail server refuses this user name and password.', 401);
      return again(status === 401 ? words : `${title}. ${words}`, status);
    }
  });

  // Behind here all pages are of a user.
  app.use(async (c, next) => {
    const signed = signedOf(c);
    if (!signed) {
      const back = c.req.method === 'GET' && c.req.path === '/' ? pathOf(c) : '/';
      return c.redirect(`/login?${new URLSearchParams({ next: back })}`, 303);
    }
    let { session } = signed;
    if (Date.now() > signed.renewAt && c.req.path === '/') {
      const renewed = await client.session.renew({ session });
      remember(c, signed, renewed);
      session = renewed.session;
    }
    c.set('user', signed.user);
    c.set('timeZone', signed.timeZone);
    c.set('mail', client.withSession(session));
    await next();
  });

  app.post('/logout', async (c) => {
    await c.var.mail.session.close();
    forget(c);
    return c.redirect('/login', 303);
  });
}

function reading(app: Hono<Env>, client: Client): void {
  app.get('/', async (c) => {
    const { mail, user, timeZone } = c.var;
    const place = placeOf(c);
    const { folder, q, cursor, message } = place;
    // Where the browser leaves the page before it is there, the broker drops the work.
    const { signal } = c.req.raw;
    // What changed is shown in the list and the folders alone; the open message stays as it is.
    const changesOnly = c.req.header('x-changes') !== undefined;
    const [{ mailboxes: folders }, list, opened] = await Promise.all([
      mail.mailbox.list({ counts: true }, { signal }),
      mail.message.list(
        { mailbox: folder, filter: q ? { text: q } : undefined, cursor, fields: [...FIELDS] },
        { signal },
      ),
      message && !changesOnly ? open(mail, message, signal) : undefined,
    ]);
    const unseen = folders.find(({ name }) => name === folder)?.counts?.unseen;
    const words = changesOnly ? undefined : takeNote(c);
    const props = { user, place, folders, list, opened, note: words, timeZone };
    return c.html(
      page(
        `${unseen ? `(${unseen}) ` : ''}${opened?.message?.envelope.subject || folder}`,
        <MailPage {...props} pictures={c.req.query('pictures') === '1'} />,
        `/live?${new URLSearchParams({ folder, since: list.state ?? '' })}`,
      ),
    );
  });

  app.get('/live', (c) => {
    const { folder = 'INBOX', since = '' } = c.req.query();
    return live(c, client, c.var.mail, { folder, since });
  });

  app.get('/body', async (c) => {
    const at = messageOf(c);
    const { signal } = c.req.raw;
    // The page has just opened the message, so that the broker mostly has it.
    const { messages } = await c.var.mail.message.get({ ...address(at), maxAgeMs: 60_000 }, { signal });
    c.header('content-security-policy', framePolicy(c.req.query('pictures') === '1'));
    c.header('referrer-policy', 'no-referrer');
    return messages[0] ? c.html(await frameDocument(c.var.mail, at, messages[0])) : c.notFound();
  });

  app.get('/part', async (c) => {
    const { part = '' } = c.req.query();
    const { fileName, decodedSize, body } = await c.var.mail.message.part({ ...messageOf(c), part });
    // A file is saved, never shown by the browser as a page of this webmail.
    c.header('content-type', 'application/octet-stream');
    c.header('content-disposition', `attachment; filename*=UTF-8''${fileNameOf(fileName)}`);
    c.header('content-security-policy', "sandbox; default-src 'none'");
    if (decodedSize !== null) c.header('content-length', `${decodedSize}`);
    return c.body(body);
  });
}

function writing(app: Hono<Env>): void {
  app.post('/act', async (c) => {
    const form = await formOf(c);
    note(c, await actOn(c.var.mail, form));
    return c.redirect(ownPath(form.get('back')), 303);
  });

  app.get('/compose', async (c) => {
    const { mail, user, timeZone } = c.var;
    const answers = c.req.query('uid') !== undefined;
    const [{ mailboxes: folders }, answered] = await Promise.all([
      mail.mailbox.list({ counts: true }),
      answers ? mail.message.get({ ...address(messageOf(c)), headers: ['References'] }) : undefined,
    ]);
    const message = answered?.messages[0];
    const draft = message ? replyTo(message, user, c.req.query('to') === 'all', timeZone) : emptyDraft();
    const query = message ? new URL(c.req.url).search : '';
    return c.html(page('Write', <ComposePage user={user} folders={folders} draft={draft} answered={query} />));
  });

  app.post('/send', async (c) => {
    const { mail, user } = c.var;
    const form = await formOf(c);
    const draft = draftOf(form);
    const answered = `${form.get('answered') ?? ''}`;
    const { mailboxes: folders } = await mail.mailbox.list({ counts: true });
    try {
      note(c, await fileInSent(mail, folders, draft, user, answered));
      return c.redirect('/', 303);
    } catch (error) {
      const problem =
        error instanceof DraftError ? error.message : error instanceof RpcError ? told(error).words : undefined;
      if (problem === undefined || (error instanceof RpcError && endsSession(error))) throw error;
      // What was written is not lost.
      const props = { user, folders, draft, answered, problem };
      return c.html(page('Write', <ComposePage {...props} />), 422);
    }
  });
}

/** A message with its conversation. To open it is to read it: the broker sets \Seen in the same round trip. */
async function open(mail: SessionClient, at: MessagePlace, signal: AbortSignal): Promise<Opened> {
  const [{ messages }, thread] = await Promise.all([
    mail.message.get({ ...address(at), markSeen: true }, { signal }),
    // Without its conversation the message can be read all the same.
    mail.message.thread({ ...at, fields: [...FIELDS] }, { signal }).catch(() => ({ messages: [] })),
  ]);
  const seen = new Set<string>();
  // A message that is in two folders is shown once, as the one that is open where that is one of them.
  const once = thread.messages.filter(({ mailbox, uid, envelope }) => {
    const id = envelope?.messageId ?? `${mailbox} ${uid}`;
    const isOpen = mailbox === at.mailbox && uid === at.uid;
    if (!isOpen && (seen.has(id) || id === messages[0]?.envelope.messageId)) return false;
    seen.add(id);
    return true;
  });
  return { message: messages[0], thread: once };
}

function address({ mailbox, uidValidity, uid }: MessagePlace) {
  return { mailbox, uidValidity, uids: [uid] };
}

function failed(error: Error, c: Ctx): Response | Promise<Response> {
  if (error instanceof HTTPException) return error.getResponse();
  const shown: Told =
    error instanceof RpcError ? told(error) : { status: 500, title: 'Sorry', words: 'Something went wrong here.' };
  // What a page cannot explain is for the log, unless the browser has left: then the request was cancelled.
  if (shown.status === 500 && !c.req.raw.signal.aborted) {
    const what = error instanceof RpcError ? `${error.kind}: ${error.message}` : error.stack;
    process.stderr.write(`${c.req.method} ${c.req.path}: ${what}\n`);
  }
  const reading = c.req.method === 'GET';
  if (error instanceof RpcError && endsSession(error)) {
    // What a page asks for beside itself keeps the cookie: the page that comes next says why the person must sign in.
    const beside = c.req.header('x-changes') !== undefined || c.req.path === '/body';
    if (!beside) forget(c);
    const next = reading && c.req.path === '/' ? pathOf(c) : '/';
    return c.html(page('Sign in', <LoginPage next={next} problem={shown.words} />), 401);
  }
  // The folder was replaced: what its address says of messages and pages is void.
  if (error instanceof RpcError && error.kind === 'STATE_CHANGED' && reading && c.req.path === '/') {
    return c.redirect(href({ folder: placeOf(c).folder }), 303);
  }
  const { retry = false } = shown;
  return c.html(
    page(shown.title, <ErrorPage told={{ ...shown, retry: retry && reading }} />, '', retry && reading ? 5 : 0),
    shown.status,
  );
}

/** The fields of a form; none where the body is not a form. */
function formOf(c: Context): Promise<FormData> {
  return c.req.formData().catch(() => new FormData());
}

function pathOf(c: Context): string {
  const { pathname, search } = new URL(c.req.url);
  return `${pathname}${search}`;
}

/** A file name for a header (RFC 8187): without what a file system takes for a path, at most 150 characters. */
function fileNameOf(name: string | null): string {
  // By way of bytes, so that half a character (a lone surrogate) becomes a whole one.
  const plain = Buffer.from((name ?? '').replace(/[/\\\p{Cc}\p{Cf}]/gu, '_').slice(0, 150)).toString();
  return encodeURIComponent(plain || 'attachment').replace(/['()*]/g, (one) => `%${one.charCodeAt(0).toString(16)}`);
}
