// The words of the crews' phones, in English.
import type { PhoneWords } from './phones.zh';

export const en: PhoneWords = {
  find: 'Find a crew',
  noCrew: 'There is no such crew.',
  choose: 'Choose a crew on the left to give a code, and to see or end its phones.',
  give: 'Give a code',
  goodFor: (time) => `good for ${time}, once`,
  howTo: (where) => `Open ${where} on the crew's phone, go on to the crew's app and enter this code. A new code ends the one before.`,
  phones: 'Phones',
  since: (at, who) => `signed in ${at}, code given by ${who}`,
  ended: (at, who) => `ended ${at} by ${who}`,
  over: 'session over',
  out: 'ended',
  revoke: 'End',
  revokeSure: 'End this phone for good',
  none: 'No phone has signed in yet.',
};
