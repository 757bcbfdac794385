// What survives a reload and nothing else: kept in this tab only, for one person at one company.
export interface Keeper {
  load<Value>(name: string): Value | null;
  save(name: string, value: unknown): void;
  drop(name: string): void;
}

const PREFIX = 'heatops.intake.';

/** `owner` names the person and the company; what somebody else left in this tab is thrown away unread. */
export function keeper(owner: string, storage: Storage): Keeper {
  if (storage.getItem(`${PREFIX}owner`) !== owner) {
    for (const key of Object.keys(storage)) if (key.startsWith(PREFIX)) storage.removeItem(key);
    storage.setItem(`${PREFIX}owner`, owner);
  }
  return {
    load<Value>(name: string): Value | null {
      const text = storage.getItem(PREFIX + name);
      return text === null ? null : (JSON.parse(text) as Value);
    },
    save: (name, value) => storage.setItem(PREFIX + name, JSON.stringify(value)),
    drop: (name) => storage.removeItem(PREFIX + name),
  };
}
