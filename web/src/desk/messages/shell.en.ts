// The words of the desk's top, in English.
import type { ShellWords } from './shell.zh';

export const en: ShellWords = {
  page: 'Dispatch',
  views: 'Views',
  viewDispatch: 'Dispatch',
  viewEvidence: 'Evidence',
  viewHandover: 'Handover',
  viewReport: 'Morning report',
  viewPhones: 'Phones',
  wall: 'Wall',
  intake: 'Intake',
  role: { administrator: 'administrator', manager: 'manager', seat: 'seat', wall: 'wall' },
  reds: 'Red',
  near: 'due in 15 min',
  overdue: 'overdue',
  photosWait: (n) => `Tickets whose photos wait for a person: ${n}`,
  freeCrews: 'free crews',
  lost: (duration) => `The server has not answered for ${duration}. This is the picture from before; reconnecting.`,
  signedOut: 'You are signed out; the picture no longer changes.',
  viewBroken: 'This view could not be loaded. Check the network and load the page again.',
  roleNeeded: 'This account cannot use the dispatch desk',
  roleNeededWhy: (user) => `The desk is for seats, managers and administrators; the account “${user}” is none of them.`,
};
