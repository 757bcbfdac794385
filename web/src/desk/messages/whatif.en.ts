// The words of the what-if panel, in English.
import type { WhatIfWords } from './whatif.zh';

export const en: WhatIfWords = {
  title: 'What if',
  hypothetical: 'Hypothetical: changes no plan',
  crewsDown: 'Crews down',
  districtsClosed: 'Districts closed',
  moreCrews: 'More crews',
  like: (name) => `like ${name}`,
  howMany: 'How many',
  add: 'Add…',
  run: 'Work it out',
  running: 'Working it out…',
  now: 'Now',
  then: 'Then',
  change: 'Change',
  nobody: 'nobody',
  unplanned: (n) => `${n} that nobody can take`,
  changes: (n) => `${n} changed`,
  late: (n) => `${n} newly late`,
  tickets: (n) => n,
  more: (n) => `${n} more`,
  figure: {
    served: 'Tickets planned',
    unplanned: 'Tickets unplanned',
    late_red: 'Red late',
    late_yellow: 'Yellow late',
    late_blue: 'Blue late',
    travel_s: 'Travel in all',
    cost: 'Cost (as driving time)',
  },
};
