import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError, parseConfig } from '../../src/config/load.js';
import { certificates } from '../support/certificates.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'imap-broker-pem-'));
  const { cert, key, ca } = certificates();
  const encrypted = { format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' } as const;
  const files = {
    'cert.pem': cert,
    'key.pem': key,
    'both.pem': `${cert}${key}`,
    'ca.pem': ca,
    'encrypted.pem': createPrivateKey(key).export({ ...encrypted, type: 'pkcs8' }),
    'encrypted-ec.pem': createPrivateKey(key).export({ ...encrypted, type: 'sec1' }),
    'other.pem': generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }),
    'broken.pem': key.replace(/\n.*\n/, '\nAAAA\n'),
    'text.pem': 'nothing here\n',
    'cert.der': new X509Certificate(cert).raw,
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function problems(cert: string, key: string, clientCa?: string): readonly string[] {
  const text = `[[listener]]
host = "0.0.0.0"
port = 7143
tls_cert_file = "${cert}"
tls_key_file = "${key}"
${clientCa === undefined ? '' : `client_ca_file = "${clientCa}"`}
[[server]]
name = "main"
host = "imap.example.com"
[[tenant]]
name = "webmail"
token_hashes = ["${'a'.repeat(64)}"]
`;
  try {
    parseConfig(text, folder);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((one) => one.replaceAll(folder, 'FOLDER'));
    throw error;
  }
}

const decrypt = 'the broker does not ask for a passphrase: `openssl pkey -in FILE -out NEWFILE` decrypts it';

describe('what is said of a listener’s', () => {
  it.each([
    ['key that is encrypted', 'cert.pem', 'encrypted.pem', `tls_key_file: encrypted.pem is encrypted, and ${decrypt}`],
    [
      'key that is encrypted in the old form',
      'cert.pem',
      'encrypted-ec.pem',
      `tls_key_file: encrypted-ec.pem is encrypted, and ${decrypt}`,
    ],
    [
      'key that is a certificate',
      'cert.pem',
      'cert.pem',
      'tls_key_file: cert.pem has a certificate instead of a private key',
    ],
    [
      'certificate that is a key',
      'key.pem',
      'cert.pem',
      'tls_cert_file: key.pem has a private key instead of a certificate',
    ],
    ['key of another certificate', 'cert.pem', 'other.pem', 'tls_key_file: other.pem does not match the certificate'],
    ['key that is broken', 'cert.pem', 'broken.pem', 'tls_key_file: broken.pem has no private key that can be read'],
    ['key that is none', 'cert.pem', 'text.pem', 'tls_key_file: text.pem has no private key in PEM form'],
    ['certificate that is none', 'text.pem', 'key.pem', 'tls_cert_file: text.pem has no certificate in PEM form'],
    ['certificate in DER', 'cert.der', 'key.pem', 'tls_cert_file: cannot read FOLDER/cert.der: it is not UTF-8 text'],
  ])('%s', (_what, cert, key, problem) => {
    const line = problem.startsWith('tls_cert_file') ? 4 : 5;
    expect(problems(cert, key)).toEqual([`line ${line}: listener[0].${problem}`]);
  });

  it('authority that is none', () => {
    expect(problems('cert.pem', 'key.pem', 'key.pem')).toEqual([
      'line 6: listener[0].client_ca_file: key.pem has a private key instead of a certificate',
    ]);
  });

  it('certificate and key that belong together: nothing, in one file as well', () => {
    expect(problems('cert.pem', 'key.pem', 'ca.pem')).toEqual([]);
    expect(problems('both.pem', 'both.pem')).toEqual([]);
  });
});
