// The words of the page's top, in English.
import type { ShellWords } from './shell.zh';

export const en: ShellWords = {
  page: 'Intake',
  views: 'Views',
  viewCall: 'Call',
  viewSuspensions: 'Suspensions',
  viewAddresses: 'Addresses',
  viewCases: 'Cases',
  viewContradictions: 'Contradictions',
  viewImports: 'Imports',
  viewReminders: 'Reminders',
  wall: 'Wall',
  waiting: (n) => `${n} need a person`,
  waitingLate: (n, late) => `${n} need a person, ${late} of them overdue`,
  lineLost: (since) => `No connection to the server for ${since}.`,
  lineLostHow: 'Go on typing: what was sent without an answer is sent again by itself and is never taken in twice. Keep this page open.',
  signedOut: 'Signed out: what you typed is kept; sign in again to go on.',
  unsent: (n) => `${n} to be sent again`,
  viewBroken: 'This view could not be loaded. Check the network and reload the page; nothing typed is lost.',
  roleNeeded: 'This account may not use intake',
  roleNeededWhy: (user) =>
    `Intake shows residents' names and phones and is open to seats, duty managers and administrators only; "${user}" is none of these.`,
  roleNeededHow: "Sign in with an account that is, or ask an administrator to change this one's role.",
};
