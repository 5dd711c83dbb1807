/** Keys that may change while the broker runs, of entries by name (`server.main.port`) or by number (`server[0].port`). */
const LIVE = /^((pool|limits|cache|server|tenant|log)\b|allowed_(origins|hosts)$|session\.(ttl|max_age)_seconds$)/;
const CERTIFICATE = /^(listener\b.*|monitor)\.(tls_cert_file|tls_key_file|client_ca_file)$/;

/** Whether a new value of a key holds after a reload, without a restart. */
export function isLive(key: string): boolean {
  return LIVE.test(key);
}

/** Whether a key names a certificate's file: one that the same listener, or the monitor, has already is read again. */
export function isCertificate(key: string): boolean {
  return CERTIFICATE.test(key);
}

/** What tells a listener from others: where it listens. */
export function placeOf(entry: Partial<Record<'systemd' | 'unix' | 'host' | 'port', unknown>>): string {
  return String(entry.systemd ?? entry.unix ?? `${entry.host}:${entry.port}`);
}
