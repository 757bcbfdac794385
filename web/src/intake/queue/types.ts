// What a list's frame is told: the lists one may choose among, and what can be done with the row that is selected.
export interface Filter {
  id: string;
  key: string;
  name: string;
  count?: string | undefined;
  /** Some of it is past its time. */
  late?: boolean;
}

export interface Act {
  key: string;
  name: string;
  run(): void;
  /** Why it cannot be done now. */
  off?: string | null;
  testid?: string;
}
