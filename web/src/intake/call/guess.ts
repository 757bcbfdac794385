// What a seat means by what was typed into the caller's field: a phone, a household number, a name or an address.
import type { Wanted } from '../types';

const PHONE = /^(?:(?:86)?1\d{10}|0\d{9,11}|\d{7,8})$/;
const HAN = /[\u3400-\u9fff]/;

/** Looks to be tried in this order until one finds somebody; none for an address or for nothing. */
export function guesses(text: string): Wanted[] {
  const plain = text.normalize('NFKC').trim();
  const digits = plain.replace(/[\s()+.-]/g, '');
  if (/^\d{5,}$/.test(digits)) {
    const [phone, household]: Wanted[] = [{ phone: digits }, { household: plain.replace(/\s/g, '') }];
    return PHONE.test(digits) ? [phone!, household!] : [household!, phone!];
  }
  if (plain === '' || isAddress(plain)) return [];
  return !HAN.test(plain) && /\d/.test(plain) ? [{ household: plain }] : [{ name: plain }];
}

/** Words with a number among them: a street and a door, no name. */
export function isAddress(text: string): boolean {
  const plain = text.normalize('NFKC').trim();
  const numbered = /[\d一二三四五六七八九十百]+\s*(?:号|栋|幢|座|楼|单元|室|门|#)/.test(plain);
  return numbered || (/\d/.test(plain) && (HAN.test(plain) || /\p{L}{2,}\s|\s\p{L}{2,}/u.test(plain)));
}

/** The phone in it, if it is one; what is kept with the ticket as the caller's. */
export function phoneIn(text: string): string | null {
  const digits = text.normalize('NFKC').replace(/[\s()+.-]/g, '');
  return PHONE.test(digits) ? digits : null;
}

const bare = (phone: string): string => phone.normalize('NFKC').replace(/\D/g, '').replace(/^86(?=1\d{10}$)/, '');

/** The same number, however the two were written. */
export const samePhone = (one: string | null, other: string): boolean => one !== null && bare(one) !== '' && bare(one) === bare(other);

/** For what goes into an address of ours: phones stay out of it. */
export const withoutPhones = (text: string): string =>
  text.normalize('NFKC').replace(/(?<!\d)(?:1\d{10}|0\d{9,11})(?!\d)/g, ' ').trim();

/** `#call?phone=…` as a telephone system hands a call over: the view, and the number if there is one. */
export function parseHash(hash: string): { view: string; phone: string | null } {
  const [view = '', query = ''] = hash.replace(/^#/, '').split(/\?(.*)/s);
  const phone = new URLSearchParams(query).get('phone')?.trim() ?? '';
  return { view, phone: phone === '' ? null : phone };
}
