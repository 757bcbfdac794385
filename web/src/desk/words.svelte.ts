// The words of the desk in the viewer's language: one object per part (each a pair of files in messages/), read in its
// components as `w`, and the codes of the field and of dispatch as `c`.
import { i18n } from '../lib/i18n.svelte';
import { en as boardEn } from './messages/board.en';
import { zh as boardZh, type BoardWords } from './messages/board.zh';
import { en as codesEn } from './messages/codes.en';
import { zh as codesZh, type DispatchCodes } from './messages/codes.zh';
import { en as evidenceEn } from './messages/evidence.en';
import { zh as evidenceZh } from './messages/evidence.zh';
import { en as panelEn } from './messages/panel.en';
import { zh as panelZh, type PanelWords } from './messages/panel.zh';
import { en as formsEn } from './messages/forms.en';
import { zh as formsZh, type FormWords } from './messages/forms.zh';
import { en as phonesEn } from './messages/phones.en';
import { zh as phonesZh } from './messages/phones.zh';
import { en as shellEn } from './messages/shell.en';
import { zh as shellZh, type ShellWords } from './messages/shell.zh';
import { en as shiftEn } from './messages/shift.en';
import { zh as shiftZh } from './messages/shift.zh';
import { en as whatifEn } from './messages/whatif.en';
import { zh as whatifZh } from './messages/whatif.zh';

export type { BoardWords, DispatchCodes, FormWords, PanelWords, ShellWords };

class Words {
  phones = $derived(i18n.language === 'en' ? phonesEn : phonesZh);
  shell = $derived(i18n.language === 'en' ? shellEn : shellZh);
  board = $derived(i18n.language === 'en' ? boardEn : boardZh);
  evidence = $derived(i18n.language === 'en' ? evidenceEn : evidenceZh);
  panel = $derived(i18n.language === 'en' ? panelEn : panelZh);
  forms = $derived(i18n.language === 'en' ? formsEn : formsZh);
  shift = $derived(i18n.language === 'en' ? shiftEn : shiftZh);
  whatif = $derived(i18n.language === 'en' ? whatifEn : whatifZh);
  codes = $derived(i18n.language === 'en' ? codesEn : codesZh);
}

export const words = new Words();
