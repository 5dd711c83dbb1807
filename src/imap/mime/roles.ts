import type { AttachmentRole, Structure } from '../../protocol/models.js';

const signatures = new Set([
  'application/pgp-signature',
  'application/pkcs7-signature',
  'application/x-pkcs7-signature',
]);
const sealed = new Set(['application/pkcs7-mime', 'application/x-pkcs7-mime', 'application/pgp-encrypted']);

/** The position of a part in its message. */
export interface Place {
  /** Subtype of the multipart around it. */
  multipart: string;
  /** Whether the part is within a multipart/related, at any depth, and is not its root. */
  embedded: boolean;
  /** Whether a body shows the part. */
  shown: boolean;
}

/** The role of a part that is no text of the body, as far as the structure of the message shows it. */
export function roleOf(part: Structure, { multipart, embedded, shown }: Place): AttachmentRole {
  const { type, disposition, fileName, contentId } = part;
  const attached = disposition === 'attachment';
  if (signatures.has(type)) return 'signature';
  if (multipart === 'encrypted' || sealed.has(type)) return 'encrypted';
  // The machine-readable part of a bounce or receipt, and the message that the report is about (RFC 6522).
  if (multipart === 'report') return 'report';
  if (type === 'text/calendar' && !attached && (multipart === 'alternative' || fileName === null)) return 'calendar';
  if (multipart === 'alternative' && type.startsWith('text/') && !attached) return 'alternative';
  if (embedded && !attached && (isMedia(part) || contentId !== null)) return 'inline';
  return shown && (disposition === 'inline' || fileName === null) ? 'inline' : 'attachment';
}

/** Whether a part is an image, audio or video, which can be shown between texts. */
export function isMedia({ type }: Pick<Structure, 'type'>): boolean {
  return /^(image|audio|video)\//.test(type);
}
