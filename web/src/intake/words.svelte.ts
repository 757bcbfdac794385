// The words of the intake page in the viewer's language: one object per view (a view adds its pair of files in messages/),
// read in its components as `w`, and the codes that all of them read as `c`.
import { i18n } from '../lib/i18n.svelte';
import { en as callEn } from './messages/call.en';
import { zh as callZh } from './messages/call.zh';
import { en as codesEn } from './messages/codes.en';
import { zh as codesZh } from './messages/codes.zh';
import { en as shellEn } from './messages/shell.en';
import { zh as shellZh, type ShellWords } from './messages/shell.zh';
import { en as addressesEn } from './messages/addresses.en';
import { zh as addressesZh } from './messages/addresses.zh';
import { en as casesEn } from './messages/cases.en';
import { zh as casesZh } from './messages/cases.zh';
import { en as contradictionsEn } from './messages/contradictions.en';
import { zh as contradictionsZh } from './messages/contradictions.zh';
import { en as importsEn } from './messages/imports.en';
import { zh as importsZh } from './messages/imports.zh';
import { en as queueEn } from './messages/queue.en';
import { zh as queueZh, type QueueWords } from './messages/queue.zh';
import { en as remindersEn } from './messages/reminders.en';
import { zh as remindersZh } from './messages/reminders.zh';
import { en as suspensionsEn } from './messages/suspensions.en';
import { zh as suspensionsZh } from './messages/suspensions.zh';

export type { QueueWords, ShellWords };

class Words {
  shell = $derived(i18n.language === 'en' ? shellEn : shellZh);
  codes = $derived(i18n.language === 'en' ? codesEn : codesZh);
  call = $derived(i18n.language === 'en' ? callEn : callZh);
  queue = $derived(i18n.language === 'en' ? queueEn : queueZh);
  suspensions = $derived(i18n.language === 'en' ? suspensionsEn : suspensionsZh);
  addresses = $derived(i18n.language === 'en' ? addressesEn : addressesZh);
  cases = $derived(i18n.language === 'en' ? casesEn : casesZh);
  contradictions = $derived(i18n.language === 'en' ? contradictionsEn : contradictionsZh);
  imports = $derived(i18n.language === 'en' ? importsEn : importsZh);
  reminders = $derived(i18n.language === 'en' ? remindersEn : remindersZh);
}

export const words = new Words();
