// The words of the resident's page, in English.
import type { Words } from './words.zh';

export const en: Words = {
  title: 'Your repair',
  kindOf: (kind) => `Report: ${kind}`,
  steps: { accept: 'Taken in', dispatch: 'Crew arranged', handle: 'Crew at work', verify: 'Call-back', close: 'Done' },
  now: {
    received: 'We have your report and are checking it.',
    accepted: 'We are arranging a crew for you.',
    dispatched: 'A crew has been arranged and will set out.',
    confirmed: 'The crew is on its way.',
    handling: 'The crew is at work.',
    verifying: 'The crew has finished; we will call you back.',
    closed: 'This repair is done. Thank you.',
    cancelled: 'This report has ended.',
  },
  distance: (text) => `The crew is about ${text} away`,
  metres: (n) => `${n} m`,
  kilometres: (n) => `${n} km`,
  window: 'Expected arrival',
  between: (from, until) => `${from}–${until}`,
  waits: { parts: 'We are waiting for a part and come as soon as it is here.', appointment: 'The visit is set for the time agreed with you.' },
  updated: (time) => `Updated ${time}`,
  stale: (time) => `No connection now; this is how it stood at ${time}`,
  gone: 'This link has ended',
  goneWhy: 'A link ends a day after the repair is done. If something is still wrong, call your heating company’s service line.',
  busy: 'Too many looks; please wait a minute.',
  loading: 'Looking…',
  unreachable: 'No connection now; please try again later.',
  privacy: 'This page shows no name, phone or address.',
};
