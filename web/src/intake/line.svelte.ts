// Whether the server answers this page, and since when it has not.
class Line {
  /** Milliseconds of this machine's clock; null while the server answers. */
  lostAt = $state<number | null>(null);
  lost = $derived(this.lostAt !== null);

  up(): void {
    this.lostAt = null;
  }

  down(): void {
    this.lostAt ??= Date.now();
  }
}

export const line = new Line();
