// The camera: what its state is, and that nobody's camera stays on.
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Lens } from '../../src/crew/lens.svelte';

class Track extends EventTarget {
  stopped = false;
  lit = false;
  stop(): void {
    this.stopped = true;
  }
  getCapabilities = (): { torch: boolean } => ({ torch: true });
  async applyConstraints(of: { advanced: { torch: boolean }[] }): Promise<void> {
    this.lit = of.advanced[0]?.torch === true;
  }
}
const streamOf = (track: Track): MediaStream => ({ getTracks: () => [track], getVideoTracks: () => [track] }) as unknown as MediaStream;

let tracks: Track[] = [];
let refusal: string | null = null;
beforeEach(() => {
  tracks = [];
  refusal = null;
  const getUserMedia = async (): Promise<MediaStream> => {
    if (refusal !== null) throw new DOMException('', refusal);
    const track = new Track();
    tracks.push(track);
    return streamOf(track);
  };
  vi.stubGlobal('navigator', { mediaDevices: { getUserMedia } });
});
const made = (): Lens => new Lens(async () => undefined);

describe('the camera', () => {
  it('is live once the picture runs, and off when nobody looks', async () => {
    const lens = made();
    await lens.open();
    expect(lens.state).toBe('live');
    lens.close();
    expect([lens.state, tracks[0]?.stopped]).toEqual(['resting', true]);
  });

  it('stops a stream that comes after it was closed', async () => {
    const lens = made();
    const opening = lens.open();
    lens.close();
    await opening;
    expect([lens.state, tracks.map((track) => track.stopped)]).toEqual(['resting', [true]]);
  });

  it('says that it was cut off, and goes on after another try with the torch as it was', async () => {
    const lens = made();
    await lens.open();
    await lens.turnTorch();
    tracks[0]?.dispatchEvent(new Event('ended'));
    expect([lens.state, tracks[0]?.stopped]).toEqual(['lost', true]);
    await lens.open();
    expect([lens.state, lens.torch, tracks[1]?.lit]).toEqual(['live', 'on', true]);
  });

  it('tells a camera that is not allowed from one that is not there', async () => {
    const lens = made();
    const states: string[] = [];
    for (const name of ['NotAllowedError', 'NotReadableError', 'NotFoundError']) {
      refusal = name;
      await lens.open();
      states.push(lens.state);
    }
    expect(states).toEqual(['refused', 'lost', 'none']);
  });
});
