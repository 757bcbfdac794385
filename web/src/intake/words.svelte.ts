// The words of the intake page in the viewer's language: one object per view (a view adds its pair of files in messages/),
// read in its components as `w`, and the codes that all of them read as `c`.
import { i18n } from '../lib/i18n.svelte';
import { en as callEn } from './messages/call.en';
import { zh as callZh } from './messages/call.zh';
import { en as codesEn } from './messages/codes.en';
import { zh as codesZh } from './messages/codes.zh';
import { en as shellEn } from './messages/shell.en';
import { zh as shellZh, type ShellWords } from './messages/shell.zh';

export type { ShellWords };

class Words {
  shell = $derived(i18n.language === 'en' ? shellEn : shellZh);
  codes = $derived(i18n.language === 'en' ? codesEn : codesZh);
  call = $derived(i18n.language === 'en' ? callEn : callZh);
}

export const words = new Words();
