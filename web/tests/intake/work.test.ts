// A command is sent under one key until the server has decided, and under a new one after that.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../../src/lib/api';
import { Work } from '../../src/intake/queue/work.svelte';

const server = vi.hoisted(() => ({ ask: vi.fn(), newKey: vi.fn() }));
vi.mock('../../src/intake/api', () => server);

let keys = 0;
beforeEach(() => {
  keys = 0;
  server.ask.mockReset();
  server.newKey.mockImplementation(() => `key-${++keys}`);
});
const sent = (): string[] => server.ask.mock.calls.map((call) => (call[3] as { key: string }).key);

describe('a command', () => {
  it('keeps its key while nobody answers', async () => {
    const work = new Work();
    server.ask.mockRejectedValueOnce(new ApiError(0, 'unreachable', '', ''));
    expect(await work.send('/api/x', { a: 1 })).toBeNull();
    expect(work.problem).toBeInstanceOf(ApiError);
    server.ask.mockResolvedValueOnce({ ok: true });
    expect(await work.send('/api/x', { a: 1 })).toEqual({ ok: true });
    expect(sent()).toEqual(['key-1', 'key-1']);
    expect(work.problem).toBeNull();
  });

  it('takes a new key once it was refused, and for other words', async () => {
    const work = new Work();
    server.ask.mockRejectedValueOnce(new ApiError(409, 'version_conflict', '', ''));
    await work.send('/api/x', { a: 1 });
    server.ask.mockRejectedValueOnce(new ApiError(503, 'database_unavailable', '', ''));
    await work.send('/api/x', { a: 1 });
    server.ask.mockResolvedValue({});
    await work.send('/api/x', { a: 2 });
    await work.send('/api/x', { a: 2 });
    expect(sent()).toEqual(['key-1', 'key-2', 'key-3', 'key-4']);
  });

  it('is not sent twice at once', async () => {
    const work = new Work();
    let answer = (_: unknown): void => undefined;
    server.ask.mockReturnValueOnce(new Promise((done) => (answer = done)));
    const first = work.send('/api/x', {});
    expect(await work.send('/api/x', {})).toBeNull();
    answer({ n: 1 });
    expect(await first).toEqual({ n: 1 });
    expect(server.ask).toHaveBeenCalledTimes(1);
  });
});
