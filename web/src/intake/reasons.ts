// Why a request has its kind and level, in words: the server's codes read `danger:跑水`, `history:2`, `kind_given`.
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
    case 'household':
      return word(c.reason, argument);
    default:
      return argument === '' ? word(c.reason, head) : `${word(c.reason, head)} ${argument}`;
  }
}
