// Tokens made and read by hand, so that the tests can also make wrong ones.

import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';

const encode = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** The one key of the demo: domain services take tokens that are signed with it, and no others. */
export function demoKey(seed = 1) {
  const secret = createHash('sha256').update(`triptych demo-shop signing key${seed}`).digest();
  // PKCS #8 for Ed25519 is this head and the 32 bytes (RFC 8410, section 7).
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), secret]);
  return named(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }), 'EdDSA');
}

export function newKey() {
  return named(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, 'ES256');
}

/** A key with its name, which is its thumbprint (RFC 7638), and its private JWK. */
function named(key, alg) {
  const { kty, crv, x, y } = createPublicKey(key).export({ format: 'jwk' });
  const id = createHash('sha256').update(JSON.stringify(y ? { crv, kty, x, y } : { crv, kty, x })).digest('base64url');
  return { key, alg, id, jwk: { ...key.export({ format: 'jwk' }), kid: id, alg, use: 'sig' } };
}

export function makeToken({ key, alg, id }, type, claims) {
  const signed = `${encode({ alg, typ: type, kid: id })}.${encode(claims)}`;
  const hash = alg === 'EdDSA' ? null : 'sha256';
  return `${signed}.${sign(hash, Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

/** What a token says; not whether it is true. */
export function claimsOf(token) {
  return JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString());
}

export function isSignedBy({ key, alg }, token) {
  const [header, claims, signature] = token.split('.');
  const hash = alg === 'EdDSA' ? null : 'sha256';
  return verify(hash, Buffer.from(`${header}.${claims}`), { key: createPublicKey(key), dsaEncoding: 'ieee-p1363' }, Buffer.from(signature ?? '', 'base64url'));
}
