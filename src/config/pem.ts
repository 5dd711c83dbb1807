import { createPrivateKey, X509Certificate } from 'node:crypto';

const CERTIFICATE = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----/;
const PRIVATE_KEY = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----/;
const ENCRYPTED = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;

/** What keeps a text from being certificates, in words that follow the name of its file. */
export function certificateProblem(text: string): string | undefined {
  if (!CERTIFICATE.test(text)) {
    return PRIVATE_KEY.test(text) ? 'has a private key instead of a certificate' : 'has no certificate in PEM form';
  }
  try {
    new X509Certificate(text);
    return undefined;
  } catch {
    return 'has no certificate in PEM form';
  }
}

/** What keeps a text from being the private key of a certificate, in words that follow the name of its file. */
export function privateKeyProblem(text: string, certificate: string): string | undefined {
  if (ENCRYPTED.test(text)) {
    return 'is encrypted, and the broker does not ask for a passphrase: `openssl pkey -in FILE -out NEWFILE` decrypts it';
  }
  if (!PRIVATE_KEY.test(text)) {
    return CERTIFICATE.test(text) ? 'has a certificate instead of a private key' : 'has no private key in PEM form';
  }
  try {
    const key = createPrivateKey(text);
    return new X509Certificate(certificate).checkPrivateKey(key) ? undefined : 'does not match the certificate';
  } catch {
    return 'has no private key that can be read';
  }
}
