// Crews' names in the order people count in: 3 组 before 11 组, and 二班 before 十一班.
const numeric = new Intl.Collator('zh', { numeric: true });
const DIGITS = '〇一二三四五六七八九';

/** 二十三 as 23; the numerals that crews are counted by stay below a hundred. */
function counted(numeral: string): string {
  const at = numeral.indexOf('十');
  const digits = (of: string): number => [...of].reduce((sum, one) => sum * 10 + DIGITS.indexOf(one), 0);
  if (at === -1) return String(digits(numeral));
  return String((at === 0 ? 1 : digits(numeral.slice(0, at))) * 10 + digits(numeral.slice(at + 1)));
}

const key = (name: string): string => name.replace(/[〇一二三四五六七八九]*十[〇一二三四五六七八九]?|[〇一二三四五六七八九]+/g, counted);

const keys = new Map<string, string>();
function kept(name: string): string {
  let found = keys.get(name);
  if (found === undefined) {
    found = key(name);
    keys.set(name, found);
  }
  return found;
}

export const byName = (a: string, b: string): number => numeric.compare(kept(a), kept(b));
