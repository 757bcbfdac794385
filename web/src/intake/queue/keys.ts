// Which key was pressed, as the views name keys; null while somebody types or chooses in a field.
const CODE = /^(?:Digit|Numpad|Key)(.)$/;
const FIELDS = new Set(['INPUT', 'TEXTAREA', 'SELECT']);

export const inField = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  FIELDS.has(target.tagName) &&
  !(target instanceof HTMLInputElement && ['checkbox', 'radio', 'file'].includes(target.type));

/** Letters and digits by their place, so that an input method for Chinese does not swallow them. */
export function keyOf(event: KeyboardEvent): string | null {
  if (event.altKey || event.ctrlKey || event.metaKey || event.isComposing || event.defaultPrevented) return null;
  if (inField(event.target)) return event.key === 'Escape' ? 'Escape' : null;
  if (event.code === 'Slash') return '/';
  return CODE.exec(event.code)?.[1] ?? event.key;
}
