// The server's reasons and findings in words: its codes read `danger:跑水`, `history:2`, `kind_given`.
import { word } from '../lib/i18n.svelte';
import type { CodeWords } from './messages/codes.zh';

/** `said` is what stands behind the code where the server sends it apart. */
export function reasonText(code: string, said: string, c: CodeWords): string {
  const [head = '', behind = ''] = code.split(/:(.*)/s);
  const argument = behind === '' ? said : behind;
  switch (head) {
    case 'danger':
      return argument === '' ? word(c.reason, head) : c.reasonDanger(argument);
    case 'kind':
      return c.reasonKind(argument);
    case 'history':
    case 'repeated_fault':
      return argument === '' ? word(c.reason, head) : c.reasonHistory(argument);
    case 'reports':
    case 'many_reports':
      return argument === '' ? word(c.reason, head) : c.reasonReports(argument);
    case 'outage':
      return argument === '' ? word(c.reason, head) : c.reasonOutage(argument);
    case 'proposed':
      return word(c.reasonProposed, argument);
    case 'household':
      return word(c.reason, argument);
    default:
      return argument === '' ? word(c.reason, head) : `${word(c.reason, head)} ${argument}`;
  }
}

/** What a check found or wanted. */
export function findingText(check: string, text: string, c: CodeWords): string {
  const photos = /^(\d+) photos$/.exec(text)?.[1];
  if (photos !== undefined) return c.findingPhotos(photos);
  if (text === '') return c.findingNothing;
  if (check === 'temporary_days') return c.findingDays(text);
  return text
    .split(', ')
    .map((part) => word(c.finding, part))
    .join(' ');
}
