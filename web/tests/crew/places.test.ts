// Where the phone is at the door: a position of this moment, or none.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Places } from '../../src/crew/places.svelte';

vi.mock('../../src/crew/db', () => ({ addFix: async () => 1, fixCount: async () => 1, kept: async () => 'phone', keep: async () => 1, fixes: async () => [] }));

let answer: GeolocationPosition | null = null;
let asked: PositionOptions[] = [];
let heard: (position: GeolocationPosition) => void = () => undefined;
const at = (timestamp: number): GeolocationPosition =>
  ({ timestamp, coords: { longitude: 126.6, latitude: 45.7, accuracy: 6 } }) as GeolocationPosition;

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  vi.stubGlobal('window', { setInterval, clearInterval, addEventListener: () => undefined, removeEventListener: () => undefined });
  answer = null;
  asked = [];
  const geolocation = {
    watchPosition: (yes: typeof heard) => ((heard = yes), 1),
    clearWatch: () => undefined,
    getCurrentPosition: (yes: typeof heard, no: () => void, options: PositionOptions) => {
      asked.push(options);
      if (answer === null) no();
      else yes(answer);
    },
  };
  vi.stubGlobal('navigator', { geolocation });
});

describe('the place of a check-in', () => {
  it('is the one just heard, or one asked for anew, never an old one', async () => {
    const places = new Places((ms) => ms);
    places.start(() => false);
    expect([await places.exact(), places.unheard(Date.now())]).toEqual([null, true]);
    heard(at(1_000_000));
    expect((await places.exact())?.at_ms).toBe(1_000_000);
    expect(asked.length).toBe(1);
    vi.setSystemTime(1_030_000);
    expect([await places.exact(), places.unheard(Date.now())]).toEqual([null, false]);
    answer = at(1_030_000);
    expect((await places.exact())?.at_ms).toBe(1_030_000);
    expect(asked.at(-1)).toMatchObject({ maximumAge: 0, timeout: 8000 });
  });

  it('is that of the phone although its clock is not that of the satellites', async () => {
    const places = new Places((ms) => ms);
    answer = at(400_000);
    expect((await places.exact())?.at_ms).toBe(400_000);
  });
});
