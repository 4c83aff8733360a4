// SPDX-License-Identifier: Apache-2.0
// Certificates for tests of TLS, made by the openssl command.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

// Why tests of TLS are skipped, or false.
export const noOpenssl = hasOpenssl() ? false : 'there is no openssl command';

function hasOpenssl() {
    try {
        execFileSync('openssl', ['version'], { stdio: 'ignore' });
        return true;
    } catch {
        return false;
    }
}

// Writes a new key and a certificate for it to `folder`; the flags that name them.
export function writeCertificate(folder, name = 'localhost') {
    const [key, cert] = ['key.pem', 'cert.pem'].map((file) => join(folder, file));
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt',
        'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${name}`,
        '-keyout', key, '-out', cert], { stdio: 'ignore' });
    return ['--cert', cert, '--key', key];
}
