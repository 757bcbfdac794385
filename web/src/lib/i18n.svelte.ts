// Which language the screen speaks; chosen by ?lang=, then by the last choice on this machine, else Chinese.
import { en } from './messages/en';
import { zh, type Messages } from './messages/zh';

export type Language = 'zh' | 'en';
const STORED = 'heatops.language';

function initial(): Language {
  const asked = new URLSearchParams(location.search).get('lang') ?? localStorage.getItem(STORED);
  return asked === 'en' ? 'en' : 'zh';
}

class I18n {
  language = $state<Language>(initial());
  t = $derived<Messages>(this.language === 'en' ? en : zh);

  use(language: Language): void {
    this.language = language;
    localStorage.setItem(STORED, language);
  }
}

export const i18n = new I18n();

/** The word for a code, or the code itself: an unknown code is shown, never hidden. */
export function word(words: Record<string, string>, code: string): string {
  return words[code] ?? code;
}
