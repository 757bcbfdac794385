import { describe, expect, it } from 'vitest';
import type { EvidenceRow } from '../../src/lib/rows';
import { nextOf, waiting } from '../../src/desk/evidence/waiting';

const site = (more: Partial<EvidenceRow>): { row: EvidenceRow } => ({
  row: { verdict: 'review', slots: {}, needs_person: 'review', unjudged: false, level: 'blue', address: '', since: 1, ...more },
});

describe('the next one that waits', () => {
  const list = waiting([
    ['late', site({ since: 9 })], ['over', site({ needs_person: null })], ['red', site({ level: 'red', since: 50 })], ['early', site({ since: 2 })],
  ]);
  it('is the one after the one that is open, then the first again', () => {
    expect(list.map((one) => one.ticket)).toEqual(['red', 'early', 'late']);
    expect(nextOf(list, 'red')).toBe('early');
    expect(nextOf(list, 'late')).toBe('red');
  });
  it('is the first one where the open one waits no more, and none where no other waits', () => {
    expect(nextOf(list, 'over')).toBe('red');
    expect(nextOf(list.slice(0, 1), 'red')).toBeNull();
    expect(nextOf([], 'red')).toBeNull();
  });
});
