import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificates {
  /** PEM of the authority that signed the certificate. */
  ca: string;
  cert: string;
  key: string;
}

let cached: Certificates | undefined;

/** A certificate for localhost and 127.0.0.1, signed by an authority made for this process alone. */
export function certificates(): Certificates {
  cached ??= make();
  return cached;
}

function make(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'imap-broker-cert-'));
  const at = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  try {
    openssl(
      ...['req', '-x509', ...newKey, '-days', '2', '-subj', '/CN=Test authority'],
      ...['-keyout', at('ca.key'), '-out', at('ca.pem')],
    );
    openssl('req', ...newKey, '-subj', '/CN=localhost', '-keyout', at('key.pem'), '-out', at('request.pem'));
    writeFileSync(at('names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
    openssl(
      ...['x509', '-req', '-days', '2', '-in', at('request.pem'), '-CA', at('ca.pem'), '-CAkey', at('ca.key')],
      ...['-CAcreateserial', '-extfile', at('names'), '-out', at('cert.pem')],
    );
    const read = (name: string) => readFileSync(at(name), 'utf8');
    return { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
