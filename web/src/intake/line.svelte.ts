// Whether the server answers this page, since when it has not, and whether it still knows who sits here.
class Line {
  /** Milliseconds of this machine's clock; null while the server answers. */
  lostAt = $state<number | null>(null);
  /** The session is over: nothing can be taken in until somebody signs in again. */
  signedOut = $state(false);

  up(): void {
    this.lostAt = null;
    this.signedOut = false;
  }

  down(): void {
    this.lostAt ??= Date.now();
  }

  out(): void {
    this.lostAt = null;
    this.signedOut = true;
  }
}

export const line = new Line();
