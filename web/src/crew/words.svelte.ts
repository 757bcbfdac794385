// The words of the crew's app in the viewer's language: read in its components as `w`, the field's codes as `c`.
import { i18n } from '../lib/i18n.svelte';
import { en as appEn } from './messages/app.en';
import { zh as appZh, type AppWords } from './messages/app.zh';
import { en as codesEn } from './messages/codes.en';
import { zh as codesZh, type CrewCodes } from './messages/codes.zh';

export type { AppWords, CrewCodes };

class Words {
  app = $derived(i18n.language === 'en' ? appEn : appZh);
  codes = $derived(i18n.language === 'en' ? codesEn : codesZh);
}

export const words = new Words();
