// The phone's camera: open while it is looked through, let go of otherwise, and why it does not open.

/** refused: not allowed; lost: another app took it, or it was pulled off; none: no camera answers. */
export type LensState = 'opening' | 'live' | 'resting' | 'refused' | 'lost' | 'none';

const WANTED: MediaStreamConstraints = {
  audio: false,
  video: { facingMode: { ideal: 'environment' }, width: { ideal: 4032 }, height: { ideal: 3024 } },
};

function whyNot(error: unknown): LensState {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError' || name === 'SecurityError') return 'refused';
  return name === 'NotReadableError' || name === 'AbortError' ? 'lost' : 'none';
}

const stopAll = (stream: MediaStream | null): void => {
  for (const track of stream?.getTracks() ?? []) track.stop();
};

export class Lens {
  state = $state<LensState>('opening');
  torch = $state<'none' | 'off' | 'on'>('none');
  readonly #show: (stream: MediaStream) => Promise<void>;
  #stream: MediaStream | null = null;
  /** Rises with every opening and closing: what an earlier one still hears does not count. */
  #round = 0;
  /** The torch is wanted, also by the next opening. */
  #lit = false;

  /** `show`: keeps its promise once the picture runs. */
  constructor(show: (stream: MediaStream) => Promise<void>) {
    this.#show = show;
  }

  async open(): Promise<void> {
    this.close('opening');
    const round = this.#round;
    try {
      const stream = await navigator.mediaDevices.getUserMedia(WANTED);
      if (round !== this.#round) return stopAll(stream);
      this.#stream = stream;
      this.#watch(stream, round);
      await this.#show(stream);
      if (round !== this.#round) return;
      this.state = 'live';
    } catch (error) {
      if (round === this.#round) this.close(whyNot(error));
      return;
    }
    if (this.#lit && this.torch === 'off') await this.turnTorch();
  }

  close(state: LensState = 'resting'): void {
    this.#round += 1;
    stopAll(this.#stream);
    this.#stream = null;
    this.torch = 'none';
    this.state = state;
  }

  async turnTorch(): Promise<void> {
    const [track, on] = [this.#stream?.getVideoTracks()[0], this.torch !== 'on'];
    this.#lit = on;
    if (track === undefined) return;
    try {
      await track.applyConstraints({ advanced: [{ torch: on } as MediaTrackConstraintSet] });
      this.torch = on ? 'on' : 'off';
    } catch {
      this.torch = 'none';
    }
  }

  #watch(stream: MediaStream, round: number): void {
    const track = stream.getVideoTracks()[0];
    if (track === undefined) return;
    const can = (track.getCapabilities?.() ?? {}) as { torch?: boolean };
    this.torch = can.torch === true ? 'off' : 'none';
    const lost = (): void => {
      if (round === this.#round) this.close('lost');
    };
    track.addEventListener('ended', lost);
    track.addEventListener('mute', lost);
  }
}
