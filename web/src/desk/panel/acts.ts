// What can be done with the selected ticket besides confirming, each with its letter.
import type { TicketRow } from '../../lib/wire';
import type { Board, Mode } from '../board/board.svelte';
import type { BoardWords } from '../words.svelte';

export interface Act {
  key: string;
  name: string;
  /** Its state does not allow it. */
  off: boolean;
  run(): void;
}

export function actsOf(board: Board, row: TicketRow | null, w: BoardWords): Act[] {
  const open = row !== null && !['verifying', 'closed', 'cancelled'].includes(row.state);
  const planned = row !== null && ['accepted', 'dispatched', 'confirmed'].includes(row.state);
  const held = row !== null && ['dispatched', 'confirmed', 'handling'].includes(row.state);
  const form = (key: string, name: string, mode: Mode, possible: boolean): Act => ({
    // What is asked for before the ticket has been read opens as soon as it has.
    key, name, off: !possible, run: () => board.toggle(mode),
  });
  return [
    form('O', w.actOther, 'other', planned),
    form('A', w.actAppoint, 'appoint', open),
    form('P', w.actPermit, 'permit', open),
    form('W', w.actParts, 'parts', open),
    form('L', w.actPin, 'pin', planned),
    form('E', w.actWork, 'work', open),
    form('D', w.actDisplace, 'displace', held),
    form('S', w.actLink, 'link', open),
    { key: 'T', name: w.actTrace, off: row === null, run: () => (board.tracing = !board.tracing) },
  ];
}
