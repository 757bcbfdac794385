// A lost drawing context reloads the page as the last resort, and never in a circle.
import { expect, it } from 'vitest';
import { CONTEXT_PATIENCE_MS, patience } from '../src/map/last-resort';

it('waits twenty seconds, and ten minutes from the last reload', () => {
  const now = 5_000_000;
  expect(patience(null, now)).toBe(CONTEXT_PATIENCE_MS);
  expect(patience(now - 60_000, now)).toBe(540_000);
  expect(patience(now - 595_000, now)).toBe(CONTEXT_PATIENCE_MS);
  expect(patience(now - 3_600_000, now)).toBe(CONTEXT_PATIENCE_MS);
});

it('does not wait for a clock that was set back', () => {
  expect(patience(9_000_000, 5_000_000)).toBe(CONTEXT_PATIENCE_MS);
});
