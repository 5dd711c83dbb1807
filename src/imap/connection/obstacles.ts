import type { ServerOptions } from '../login/server-options.js';

/** Why a server cannot be used as it is configured. */
export type Obstacle =
  | 'no-such-host'
  | 'refused'
  | 'silent'
  | 'no-tls'
  | 'no-starttls'
  | 'tls-first'
  | 'self-signed'
  | 'unknown-authority'
  | 'wrong-name'
  | 'expired'
  | 'not-yet-valid'
  | 'other';

/** Which step of a probe failed, and why. */
interface Reason {
  step: string;
  detail: string;
}

/** By what is in the detail of the failed step; the first that fits. */
const OBSTACLES: ReadonlyArray<readonly [RegExp, Obstacle]> = [
  [/\bENOTFOUND\b/, 'no-such-host'],
  [/\bECONNREFUSED\b/, 'refused'],
  [/\bDEPTH_ZERO_SELF_SIGNED_CERT\b/, 'self-signed'],
  [
    /\b(?:SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT\w*|UNABLE_TO_VERIFY_LEAF_SIGNATURE)\b/,
    'unknown-authority',
  ],
  [/\bERR_TLS_CERT_ALTNAME_INVALID\b/, 'wrong-name'],
  [/\bCERT_HAS_EXPIRED\b/, 'expired'],
  [/\bCERT_NOT_YET_VALID\b/, 'not-yet-valid'],
  [/\b(?:ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG|EPROTO)\b/, 'no-tls'],
  [/^STARTTLS was refused/, 'no-starttls'],
];

/** What the failed step of a probe means. */
export function obstacleOf({ step, detail }: Reason, { tls }: Pick<ServerOptions, 'tls'>): Obstacle {
  const [, found] = OBSTACLES.find(([words]) => words.test(detail)) ?? [];
  if (found !== undefined) return found;
  if (!/no answer within/.test(detail)) return 'other';
  // A server that waits for TLS says nothing before it.
  return step === 'greeting' && tls !== 'implicit' ? 'tls-first' : 'silent';
}

/** The key of the configuration that helps, in words that follow the detail. */
const ADVICE: Partial<Record<Obstacle, string>> = {
  'no-tls': 'the port does not begin with TLS: tls = "starttls" may be right',
  'no-starttls': 'tls = "implicit" and port = 993 may be right',
  'tls-first': 'the port may begin with TLS: tls = "implicit" may be right',
  'self-signed': 'ca_file names a file with certificates to trust',
  'unknown-authority': 'ca_file names a file with authorities to trust',
  'wrong-name': 'servername is the name that the certificate must carry',
};

/** The detail of a failed step, and which key of the configuration may help. */
export function withAdvice(step: Reason, server: Pick<ServerOptions, 'tls'>): string {
  const advice = ADVICE[obstacleOf(step, server)];
  return advice === undefined ? step.detail : `${step.detail} (${advice})`;
}
