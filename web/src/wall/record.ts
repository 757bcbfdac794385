// One record as it is shown: asked of the server, then its place, the facts beside it, and its rows.
import {
  cell,
  community,
  node,
  outageTrace,
  point,
  ticketTrace,
  type CellRecord,
  type CommunityRecord,
  type NodeRecord,
  type OutageTrace,
  type PointRecord,
  type TicketTrace,
} from '../lib/api';
import { count, decimal, moment } from '../lib/format';
import { word } from '../lib/i18n.svelte';
import type { Messages } from '../lib/messages/zh';
import type { Topic } from '../lib/wire';
import type { RecordOf } from './panel';
import type { Cell, RecordList } from './records';
import type { Wall } from './wall.svelte';

export type Answer =
  | { of: 'ticket'; record: TicketTrace }
  | { of: 'outage'; record: OutageTrace }
  | { of: 'point'; record: PointRecord }
  | { of: 'node'; record: NodeRecord }
  | { of: 'community'; record: CommunityRecord }
  | { of: 'cell'; record: CellRecord };

/** The topic whose row of the same key says that there is more to read. */
export const TOPIC_OF: Record<RecordOf, Topic> = {
  ticket: 'tickets',
  outage: 'outages',
  point: 'rooms',
  node: 'network',
  community: 'sentiment',
  cell: 'arrears',
};

/** Throws what `lib/api` throws. */
export async function ask(of: RecordOf, id: string): Promise<Answer> {
  switch (of) {
    case 'ticket':
      return { of, record: await ticketTrace(id) };
    case 'outage':
      return { of, record: await outageTrace(id) };
    case 'point':
      return { of, record: await point(id) };
    case 'node':
      return { of, record: await node(id) };
    case 'community':
      return { of, record: await community(id) };
    case 'cell':
      return { of, record: await cell(id) };
  }
}

export interface Detail {
  place: string;
  facts: string[];
  /** Null where the record is a trace. */
  list: RecordList | null;
}

interface Column {
  name: string;
  number?: boolean;
}

function listOf<Row>(columns: Column[], rows: Row[], cells: (row: Row) => Cell[]): RecordList {
  return { title: '', columns, total: rows.length, rows: rows.map((row, i) => ({ key: String(i), cells: cells(row) })) };
}

/** `id`: of the record; a cell's begins with its size in metres. */
export function detailOf(answer: Answer, id: string, wall: Wall, t: Messages): Detail {
  const when = (unix: number): Cell => ({ text: moment(unix, wall.now, wall.session.company.timezone, t) });
  const figure = (n: number | null, unit: string, digits = 1): Cell => ({
    text: n === null ? t.dash : `${decimal(n, digits)} ${unit}`,
    number: true,
  });
  switch (answer.of) {
    case 'ticket': {
      const { ticket } = answer.record;
      const facts = [word(t.kind, ticket.kind), t.state[ticket.state], t.reports(count(ticket.reports))];
      if (ticket.crew_name !== null) facts.push(ticket.crew_name);
      return { place: ticket.address, facts, list: null };
    }
    case 'outage': {
      const { outage } = answer.record;
      const end = outage.ended_at === null ? outage.expected_end_at : outage.ended_at;
      return {
        place: `${outage.name} (${t.nodeKind[outage.node_kind]})`,
        facts: [
          word(t.cause, outage.cause),
          t.buildings(count(outage.buildings)),
          t.households(count(outage.households)),
          t.since(when(outage.opened_at).text),
          outage.ended_at === null ? t.expectedEnd(when(end).text) : t.endedAt(when(end).text),
        ],
        list: null,
      };
    }
    case 'point': {
      const bound = wall.figure('rooms')?.bound_c ?? null;
      const columns = [{ name: t.colRead }, { name: t.colTemperature, number: true }];
      const list = listOf(columns, answer.record.readings, (row) => {
        const celsius = figure(row.celsius, '°C');
        return [when(row.read_at), bound !== null && row.celsius < bound ? { ...celsius, tone: 'cold' } : celsius];
      });
      const facts = bound === null ? [] : [`${t.colBound} ${decimal(bound)} °C`];
      return { place: answer.record.address, facts: [...facts, t.latestReadings(list.total)], list };
    }
    case 'node': {
      const { record } = answer;
      const numbers = [t.colSupply, t.colReturn, t.colFlow, t.colMakeup, t.colPressure];
      const list = listOf(
        [{ name: t.colRead }, ...numbers.map((name) => ({ name, number: true }))],
        record.readings,
        (row) => {
          const low = record.supply_low_c !== null && row.supply_c !== null && row.supply_c < record.supply_low_c;
          return [
            when(row.read_at),
            { ...figure(row.supply_c, '°C'), ...(low ? { tone: 'yellow' as const } : {}) },
            figure(row.return_c, '°C'),
            figure(row.flow_m3h, 'm³/h'),
            figure(row.makeup_m3h, 'm³/h', 2),
            figure(row.pressure_kpa, 'kPa', 0),
          ];
        },
      );
      const facts = record.supply_low_c === null ? [] : [`${t.colBound} ${decimal(record.supply_low_c)} °C`];
      return {
        place: `${record.name} (${t.nodeKind[record.kind]})`,
        facts: [...facts, t.latestReadings(list.total)],
        list,
      };
    }
    case 'community': {
      const columns = [{ name: t.colSaid }, { name: t.colValue, number: true }, { name: t.colTopic }, { name: t.colChannel }];
      const list = listOf(columns, answer.record.mentions, (row) => [
        when(row.said_at),
        { text: decimal(row.value, 2), number: true },
        { text: word(t.sentimentTopic, row.topic) },
        { text: word(t.channel, row.channel) },
      ]);
      return { place: answer.record.name, facts: [answer.record.district, t.latestMentions(list.total)], list };
    }
    case 'cell': {
      const [latest] = answer.record.rounds;
      const share = (band: number | null): string => (band === null ? t.cellHidden : t.bands[band - 1]!);
      const columns = [{ name: t.colPublished }, { name: t.arrearsShare }, { name: t.colRule }];
      return {
        place: t.cellBand(Number(id.split(':')[0]), share(latest?.band ?? null)),
        facts: [t.arrearsRule(''), t.cellWhy],
        list: listOf(columns, answer.record.rounds, (row) => [
          when(row.at),
          { text: share(row.band) },
          { text: row.policy ?? t.dash },
        ]),
      };
    }
  }
}
