// The hash of a topic against vectors computed by the Python that ARCHITECTURE.md describes.
import { describe, expect, it } from 'vitest';
import { TopicHash } from '../src/lib/live/hash';

const digest = (rows: [string, number][]): string => {
  const hash = new TopicHash();
  for (const [key, version] of rows) hash.add(key, version);
  return hash.digest();
};

describe('TopicHash', () => {
  it.each<[string, [string, number][]]>([
    ['0000000000000000', []],
    ['9b0b17f5ca44f98b', [['a', 1]]],
    ['8f6acb7c8410cd78', [['260114-000123', 7]]],
    ['c1092a82675c8985', [['道里区', 2 ** 53 - 1]]],
    ['b4bcb9e2f3445c01', [['a', 1], ['b', 2], ['道里区', 3]]],
    ['dcfe712f5ab81ac0', Array.from({ length: 1000 }, (_, i): [string, number] => [`k${i}`, i * i])],
  ])('is %s', (expected, rows) => {
    expect(digest(rows)).toBe(expected);
    expect(digest([...rows].reverse())).toBe(expected);
  });

  it('forgets a removed row without a trace', () => {
    const hash = new TopicHash();
    hash.add('a', 1);
    hash.add('b', 2);
    hash.remove('a', 1);
    expect(hash.digest()).toBe(digest([['b', 2]]));
  });
});
