import type { RpcError } from 'imap-broker/client';

/** What a person is told of an error. */
export interface Told {
  status: 400 | 401 | 404 | 409 | 413 | 500 | 503;
  title: string;
  words: string;
  /** Whether the same page may work in a moment. */
  retry?: boolean;
}

/** Whether the person must sign in again. */
export function endsSession({ kind }: RpcError): boolean {
  return kind === 'SESSION_EXPIRED' || kind === 'IMAP_AUTH_FAILED' || kind === 'IMAP_TOKEN_EXPIRED';
}

/** An error in words: by its kind, which is what the broker promises. Its message is for logs. */
export function told(error: RpcError): Told {
  const { executed, imap } = error;
  // A write that was cut off may have been done. The broker never says `no` where that is not certain.
  const doubt = executed === 'maybe' ? ' Perhaps it was done all the same: look before you try again.' : '';
  const server = imap ? ` It says: “${imap.text}”` : '';
  switch (error.kind) {
    case 'SESSION_EXPIRED':
      return { status: 401, title: 'Signed out', words: 'Your session has ended. Please sign in again.' };
    case 'IMAP_AUTH_FAILED':
    case 'IMAP_TOKEN_EXPIRED':
      return { status: 401, title: 'Signed out', words: 'The mail server refuses this user name and password.' };
    case 'UPSTREAM_UNAVAILABLE':
      return busy('The mail server takes no login for now', `Please try again later.${server}`);
    case 'POOL_EXHAUSTED':
    case 'RATE_LIMITED':
      return busy('Too much at once', `The mail server is busy with your other requests.${doubt}`);
    case 'CONNECTION_LOST':
    case 'DEADLINE':
    case 'DRAINING':
    case 'UNREACHABLE':
      return busy('The mail service does not answer', `It may be about to come back.${doubt}`);
    case 'NOT_FOUND':
      return { status: 404, title: 'Not here any more', words: 'This folder or message does not exist any more.' };
    case 'STATE_CHANGED':
      return { status: 409, title: 'The folder has changed', words: 'The folder was replaced. Please open it again.' };
    case 'IMAP_NO':
      return { status: 409, title: 'The mail server refused', words: `It did not do this.${server}${doubt}` };
    case 'INVALID_PARAMS':
      return { status: 400, title: 'This does not work', words: 'The address of this page is not complete.' };
    case 'TOO_LARGE':
      return { status: 413, title: 'Too large', words: 'The mail server or the broker does not take this much.' };
    case 'UNAUTHENTICATED':
    case 'SERVER_NOT_ALLOWED':
    case 'FORBIDDEN':
      return wrong('The broker does not take this webmail. Are IMAP_BROKER_TOKEN and IMAP_SERVER right?');
    default:
      return wrong(`Something went wrong.${doubt}`);
  }
}

function busy(title: string, words: string): Told {
  return { status: 503, title, words, retry: true };
}

function wrong(words: string): Told {
  return { status: 500, title: 'Sorry', words };
}
