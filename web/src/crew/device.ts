// The phone's own key, which never leaves it, and what it signs.
import { keepFirst, kept } from './db';
import type { Fix } from './types';

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const;

async function pair(): Promise<CryptoKeyPair> {
  const found = await kept<CryptoKeyPair>('key');
  if (found !== undefined) return found;
  return keepFirst('key', await crypto.subtle.generateKey(CURVE, false, ['sign', 'verify']));
}

/** The public half, as the server keeps it. */
export async function publicKey(): Promise<{ kty: string; crv: string; x: string; y: string }> {
  const { crv = '', kty = '', x = '', y = '' } = await crypto.subtle.exportKey('jwk', (await pair()).publicKey);
  return { kty, crv, x, y };
}

export const base64url = (bytes: ArrayBuffer): string =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

export async function sha256(bytes: ArrayBuffer): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

export interface Signed {
  nonce: string;
  sha256: string;
  captured_at_ms: number;
  ticket: string;
  slot: string;
  visit: string | null;
  fix: Fix | null;
}

/** What is signed of a photo; the server builds the same text. */
export const textOf = (of: Signed): string => {
  const where = of.fix === null ? ',,' : `${of.fix.lon},${of.fix.lat},${of.fix.accuracy_m}`;
  return ['heatops-photo-1', of.nonce, of.sha256, of.captured_at_ms, of.ticket, of.slot, of.visit ?? '', where].join('\n');
};

/** ECDSA P-256 with SHA-256, raw r||s, base64url without padding. */
export async function sign(of: Signed): Promise<string> {
  const key = (await pair()).privateKey;
  const bytes = new TextEncoder().encode(textOf(of));
  return base64url(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key, bytes));
}
