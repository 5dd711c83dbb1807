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

let cached: (Certificates & { caKey: string }) | undefined;

/** A certificate for localhost and 127.0.0.1, signed by an authority made for this process alone. */
export function certificates(): Certificates {
  return authority();
}

function authority(): Certificates & { caKey: string } {
  cached ??= make();
  return cached;
}

/** A certificate that a client shows under a name, signed by the same authority, or by itself alone. */
export function clientCertificate(name: string, { selfSigned = false } = {}): { cert: string; key: string } {
  const signer = selfSigned ? undefined : authority();
  return inFolder((at, openssl) => {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', at('key.pem')];
    if (signer) {
      writeFileSync(at('ca.pem'), signer.ca);
      writeFileSync(at('ca.key'), signer.caKey);
      openssl('req', ...key, '-subj', `/CN=${name}`, '-out', at('request.pem'));
      openssl(
        ...['x509', '-req', '-days', '2', '-in', at('request.pem'), '-CA', at('ca.pem'), '-CAkey', at('ca.key')],
        ...['-CAcreateserial', '-out', at('cert.pem')],
      );
    } else {
      openssl('req', '-x509', ...key, '-days', '2', '-subj', `/CN=${name}`, '-out', at('cert.pem'));
    }
    return { cert: readFileSync(at('cert.pem'), 'utf8'), key: readFileSync(at('key.pem'), 'utf8') };
  });
}

/** A server's certificate for one name, signed by the same authority, that has ended a day ago or ends in so many days. */
export function serverCertificate(name: string, days: number): { cert: string; key: string } {
  const signer = authority();
  return inFolder((at, openssl) => {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', at('key.pem')];
    writeFileSync(at('ca.pem'), signer.ca);
    writeFileSync(at('ca.key'), signer.caKey);
    writeFileSync(at('names'), `subjectAltName=DNS:${name}\n`);
    openssl('req', ...key, '-subj', `/CN=${name}`, '-out', at('request.pem'));
    openssl(
      ...['x509', '-req', '-days', `${days}`, '-in', at('request.pem'), '-CA', at('ca.pem'), '-CAkey', at('ca.key')],
      ...['-CAcreateserial', '-extfile', at('names'), '-out', at('cert.pem')],
    );
    return { cert: readFileSync(at('cert.pem'), 'utf8'), key: readFileSync(at('key.pem'), 'utf8') };
  });
}

type Openssl = (...args: string[]) => void;

function inFolder<T>(work: (at: (name: string) => string, openssl: Openssl) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'imap-broker-cert-'));
  try {
    return work(
      (name) => join(folder, name),
      (...args) => execFileSync('openssl', args, { stdio: 'pipe' }),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function make(): Certificates & { caKey: string } {
  return inFolder((at, openssl) => {
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
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
    return { ca: read('ca.pem'), caKey: read('ca.key'), cert: read('cert.pem'), key: read('key.pem') };
  });
}
