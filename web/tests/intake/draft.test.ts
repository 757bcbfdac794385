// What is sent of a call that was typed.
import { describe, expect, it } from 'vitest';
import {
  caseOf,
  emptyDraft,
  isEmpty,
  marked,
  midnight,
  proposeBody,
  requestBody,
  stopBody,
  stopOf,
  type Draft,
} from '../../src/intake/call/draft';
import type { Address, Proposal } from '../../src/intake/types';

const heard = (more: Partial<Address> = {}): Address => ({
  verdict: 'matched',
  score: 0.93,
  precision: 'building',
  building: { id: 'B7', address: '红旗大街7号', lon: 126.6, lat: 45.7 },
  unit: null,
  floor: null,
  flat: null,
  household: null,
  reasons: [],
  candidates: [],
  ...more,
});
const proposal = (more: Partial<Proposal> = {}): Proposal => ({
  kind: 'leak',
  level: 'red',
  reasons: [],
  dangers: [],
  place: null,
  ...more,
});
const draft = (more: Partial<Draft>): Draft => ({ ...emptyDraft(), ...more });

describe('draft', () => {
  it('leaves kind and level to the policy until a person says otherwise', () => {
    const body = requestBody(draft({ words: ' 立管跑水 ', household: 'H1', phone: '13800138000' }), proposal());
    expect(body).toEqual({
      source: 'phone',
      accepted: true,
      household: 'H1',
      words: '立管跑水',
      caller: { phone: '13800138000' },
    });
    const own = requestBody(draft({ words: 'x', kind: 'repair', level: 'yellow', separate: true }), proposal());
    expect(own).toMatchObject({ kind: 'repair', level: 'yellow', separate: true });
  });

  it('believes the chosen place over the household, the typed address over the heard one', () => {
    const place = { building: 'B9', address: '和兴路56号', score: 0.9 };
    expect(requestBody(draft({ household: 'H1', place }), null)).toMatchObject({ building: 'B9' });
    expect(requestBody(draft({ household: 'H1', place }), null)).not.toHaveProperty('household');
    expect(requestBody(draft({ place: { ...place, household: 'H5' } }), null)).toMatchObject({ household: 'H5' });
    const typed = requestBody(draft({ address: '红旗7号' }), proposal({ place: heard() }));
    expect(typed).toMatchObject({ address: '红旗7号' });
    expect(typed).not.toHaveProperty('building');
    expect(requestBody(draft({}), proposal({ place: heard() }))).toMatchObject({ building: 'B7' });
    expect(requestBody(draft({}), proposal({ place: heard({ household: 'H9' }) }))).toMatchObject({ household: 'H9' });
    const unsure = requestBody(draft({}), proposal({ place: heard({ verdict: 'ambiguous' }) }));
    expect(unsure).not.toHaveProperty('building');
  });

  it('asks the policy about what would be sent', () => {
    expect(proposeBody(draft({ words: 'x', household: 'H1', phone: '1', kind: 'leak' }))).toEqual({
      words: 'x',
      household: 'H1',
      phone: '1',
      kind: 'leak',
    });
    const place = { building: 'B9', address: '', score: 1 };
    expect(proposeBody(draft({ words: 'x', household: 'H1', place }))).toEqual({ words: 'x', building: 'B9' });
  });

  it('knows a case only of the sources that bring one', () => {
    expect(caseOf(draft({ source: '12345', caseNumber: ' 20260114-1 ' }))).toEqual({
      origin: 'hotline_12345',
      number: '20260114-1',
    });
    expect(caseOf(draft({ source: 'phone', caseNumber: '1' }))).toBeNull();
    expect(caseOf(draft({ source: '12345' }))).toBeNull();
  });

  it('applies for a stop only for a known household, with days only where they mean something', () => {
    const asked = proposal({ kind: 'suspension' });
    expect(stopOf(draft({ household: 'H1' }), asked)).toBe('suspension');
    expect(stopOf(draft({}), asked)).toBeNull();
    expect(stopOf(draft({ household: 'H1', kind: 'question' }), asked)).toBeNull();
    const days = draft({ household: 'H1', name: '王', stopFrom: '2026-01-20', stopUntil: '2026-03-01', certificate: '23' });
    expect(stopBody(days, 'suspension', 'H1', 'Asia/Shanghai')).toEqual({
      action: 'suspension',
      household: 'H1',
      applicant: { name: '王', certificate: '23' },
      source: 'phone',
      photos: [],
    });
    expect(stopBody(days, 'temporary_stop', 'H1', 'Asia/Shanghai')).toMatchObject({
      stop_from: Date.UTC(2026, 0, 19, 16) / 1000,
      stop_until: Date.UTC(2026, 1, 28, 16) / 1000,
    });
  });

  it('begins days in the city’s zone', () => {
    expect(midnight('2026-07-01', 'America/New_York')).toBe(Date.UTC(2026, 6, 1, 4) / 1000);
    expect(midnight('2026-01-01', 'UTC')).toBe(Date.UTC(2026, 0, 1) / 1000);
  });

  it('is empty until something is typed', () => {
    expect([isEmpty(emptyDraft()), isEmpty(draft({ words: 'x' })), isEmpty(draft({ source: 'app' }))]).toEqual([
      true,
      false,
      true,
    ]);
  });

  it('marks every danger where it stands, the longer word first', () => {
    const dangers: Proposal['dangers'] = [
      { word: '水', level: 'yellow' },
      { word: '跑水', level: 'red' },
    ];
    expect(marked('立管跑水，有水', dangers)).toEqual([
      { text: '立管', level: null },
      { text: '跑水', level: 'red' },
      { text: '，有', level: null },
      { text: '水', level: 'yellow' },
    ]);
    expect(marked('不热', [])).toEqual([{ text: '不热', level: null }]);
  });
});
