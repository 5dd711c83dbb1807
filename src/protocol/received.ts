import { z } from 'zod';
import { contract, type MethodName } from './contract.js';
import { type NotificationName, notifications } from './events.js';
import { protocolLimits } from './limits.js';

// What a client relies on of all that a broker sends. Client and broker need not be of one version, so everything else
// may differ.

/** The `error` member of an answer. Kinds may be added to the protocol. */
const wireError = z.object({
  code: z.number(),
  message: z.string(),
  data: z.object({
    kind: z.string(),
    executed: z.enum(['no', 'maybe', 'yes']),
    retryAfterMs: z.number().min(0).optional(),
    field: z.string().optional(),
    imap: z.object({ status: z.string(), code: z.string().optional(), text: z.string() }).optional(),
  }),
});

/** What a client sends back in events.resume, which would be refused with other values. */
const position = {
  topic: z.string().max(200),
  epoch: contract['events.resume'].params.shape.epoch,
  seq: contract['events.resume'].params.shape.after,
};
const begun = {
  ...position,
  mailboxes: contract['watch.start'].result.shape.mailboxes.max(protocolLimits.watchedPerAccount),
  folders: z.boolean().optional(),
};

const { result: resumed } = contract['events.resume'];

const carried = contract['message.source'].result
  .pick({ stream: true, data: true })
  .refine(({ stream, data }) => (stream === null) !== (data === null), 'either a stream or data');
/** Where the bytes of an answer are. */
export type Carried = z.output<typeof carried>;

/** The results that a client itself acts upon. */
const results: Partial<Record<MethodName, z.ZodType>> = {
  'watch.start': contract['watch.start'].result.extend(begun),
  'events.resume': resumed.extend({ ...begun, missing: resumed.shape.missing.max(protocolLimits.watchedPerAccount) }),
  'message.part': carried,
  'message.source': carried,
};

/** `$/credit` of a broker, which may have more members in a later version; that of a caller may not. */
const credit = z.object(notifications['$/credit'].params.shape);

/** The members that all events have. Types may be added to the protocol. */
const anyEvent = z.object({ ...position, type: z.string(), mailbox: z.string().optional() });
const eventTypes: ReadonlySet<string> = new Set(
  notifications.event.params.options.flatMap(({ shape }) => [...shape.type.values]),
);

/** What is wrong with the error of an answer; undefined where nothing is wrong. */
export function wrongError(error: unknown): string | undefined {
  return wrong(wireError, error);
}

/** What is wrong with a result, as far as a client acts upon the result; undefined where nothing is wrong. */
export function wrongResult(method: MethodName, result: unknown): string | undefined {
  const schema = results[method];
  return schema && wrong(schema, result);
}

/** What is wrong with the params of a notification; undefined where nothing is wrong. */
export function wrongNotification(name: NotificationName, params: unknown): string | undefined {
  if (name === '$/credit') return wrong(credit, params);
  const { params: schema } = notifications[name];
  if (name !== 'event') return wrong(schema, params);
  const complaint = wrong(anyEvent, params);
  return complaint ?? (eventTypes.has((params as { type: string }).type) ? wrong(schema, params) : undefined);
}

function wrong(schema: z.ZodType, value: unknown): string | undefined {
  const [issue] = schema.safeParse(value).error?.issues ?? [];
  return issue && [...issue.path.map(String), issue.message].join(': ');
}
