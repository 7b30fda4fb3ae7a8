import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { asNobody, newFolder, removeFolder } from './processes.js';

/** A key and a certificate of 127.0.0.1, which nobody but the tests trusts. */
export interface Certificate extends Disposable {
  readonly keyFile: string;
  readonly certFile: string;
  readonly key: string;
  readonly cert: string;
}

/** Makes a certificate that signs itself, for a day. Needs the program openssl. */
export function newCertificate(): Certificate {
  const folder = newFolder('certificate');
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  const subject = ['-subj', '/CN=flowstate_test', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'];
  const files = ['-keyout', keyFile, '-out', certFile];
  execFileSync('openssl', ['req', ...kind, ...subject, ...files], { ...asNobody, stdio: 'ignore' });
  const [key, cert] = [readFileSync(keyFile, 'utf8'), readFileSync(certFile, 'utf8')];
  return { keyFile, certFile, key, cert, [Symbol.dispose]: () => removeFolder(folder) };
}
