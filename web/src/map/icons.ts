// The marks of the map, drawn on demand by name, so that a lost drawing context or a new style only asks again.
import type { Level } from '../lib/wire';
import { COLD, GREY, INK, LEVEL, OK, RED, TEXT, YELLOW } from './colors';

/** Drawn at three pixels a point: sharp on a 4K wall as well. */
export const PIXEL_RATIO = 3;
/** How finely the ring round a ticket shows the share of its response time that is used up. */
export const AGE_STEPS = 8;

type Pen = CanvasRenderingContext2D;

export interface Mark {
  width: number;
  height: number;
  data: Uint8ClampedArray<ArrayBuffer>;
}

export const ticketIcon = (level: Level, age: number, overdue: boolean): string =>
  `ticket:${level}:${age}:${overdue ? 'late' : 'due'}`;
export const clusterIcon = (level: Level, overdue: boolean): string => `cluster:${level}:${overdue ? 'late' : 'due'}`;
export const crewIcon = (state: string, moving: boolean, lost: boolean): string =>
  `crew:${state}:${moving ? 'arrow' : 'still'}:${lost ? 'lost' : 'seen'}`;
export const outageIcon = (late: boolean): string => `outage:${late ? 'late' : 'due'}`;
export const ROOM_ICON = 'room';
export const PILL_ICON = 'pill';
/** Appended to a name for the greyed form of a stale layer. */
export const STALE = ':grey';

function canvas(size: number, draw: (pen: Pen) => void): Mark {
  const side = size * PIXEL_RATIO;
  const element = new OffscreenCanvas(side, side);
  // Drawn by the processor: reading a mark back from the graphics side takes a hundred times as long.
  const pen = element.getContext('2d', { willReadFrequently: true }) as unknown as Pen;
  pen.scale(PIXEL_RATIO, PIXEL_RATIO);
  pen.translate(size / 2, size / 2);
  pen.lineJoin = 'round';
  draw(pen);
  return { width: side, height: side, data: pen.getImageData(0, 0, side, side).data as Uint8ClampedArray<ArrayBuffer> };
}

function shape(pen: Pen, level: Level, r: number): void {
  pen.beginPath();
  if (level === 'red') {
    // Raised a little: the centre of mass of the triangle lies on the place.
    pen.moveTo(0, -r * 1.12);
    pen.lineTo(r * 1.08, r * 0.78);
    pen.lineTo(-r * 1.08, r * 0.78);
    pen.closePath();
  } else if (level === 'yellow') {
    pen.rect(-r, -r, 2 * r, 2 * r);
  } else {
    pen.arc(0, 0, r, 0, 2 * Math.PI);
  }
}

function filled(pen: Pen, level: Level, r: number, color: string, edge: string, edgeWidth: number): void {
  shape(pen, level, r);
  pen.lineWidth = edgeWidth * 2;
  pen.strokeStyle = edge;
  pen.stroke();
  pen.fillStyle = color;
  pen.fill();
}

const TICKET_RADIUS: Record<Level, number> = { red: 15, yellow: 9, blue: 6.5 };

function ticket(level: Level, age: number, overdue: boolean, grey: boolean): Mark {
  const r = TICKET_RADIUS[level];
  const color = grey ? GREY : LEVEL[level];
  const ring = level === 'red' ? r * 1.62 : level === 'yellow' ? r * 1.85 : r * 1.75;
  return canvas(Math.ceil(ring * 2 + 14), (pen) => {
    const centre = level === 'red' ? r * -0.05 : 0;
    if (!overdue && age > 0) {
      pen.beginPath();
      pen.arc(0, centre, ring, -Math.PI / 2, -Math.PI / 2 + (2 * Math.PI * age) / AGE_STEPS);
      pen.lineWidth = 4.5;
      pen.strokeStyle = INK;
      pen.stroke();
      pen.lineWidth = level === 'blue' ? 1.8 : 2.4;
      pen.strokeStyle = color;
      pen.stroke();
    }
    filled(pen, level, r, color, overdue ? TEXT : INK, overdue ? 2.6 : 2);
    if (overdue) {
      // The "!" in ink on the mark itself: seen without the colour.
      const unit = level === 'red' ? r * 0.9 : r * 1.05;
      pen.fillStyle = INK;
      const top = level === 'red' ? -unit * 0.42 : -unit * 0.66;
      pen.beginPath();
      pen.roundRect(-unit * 0.15, top, unit * 0.3, unit * 0.78, unit * 0.12);
      pen.roundRect(-unit * 0.15, top + unit * 0.98, unit * 0.3, unit * 0.3, unit * 0.12);
      pen.fill();
    }
  });
}

const CLUSTER_RADIUS: Record<Level, number> = { red: 19, yellow: 11, blue: 11.5 };

function cluster(level: Level, overdue: boolean, grey: boolean): Mark {
  const r = CLUSTER_RADIUS[level];
  return canvas(r * 2 + 16, (pen) => {
    const color = grey ? GREY : LEVEL[level];
    // A second edge behind the mark: more than one stands here.
    shape(pen, level, r + 3);
    pen.lineWidth = 5;
    pen.strokeStyle = INK;
    pen.stroke();
    pen.lineWidth = overdue ? 2.6 : 1.6;
    pen.strokeStyle = overdue ? TEXT : color;
    pen.fillStyle = INK;
    pen.fill();
    pen.stroke();
    filled(pen, level, r, color, INK, 0.8);
  });
}

const CREW_COLOR: Record<string, string> = { free: OK, dispatched: TEXT, en_route: TEXT, on_site: '#a3b8cf' };

function crew(state: string, arrow: boolean, lost: boolean, grey: boolean): Mark {
  return canvas(34, (pen) => {
    const color = grey ? GREY : lost ? YELLOW : (CREW_COLOR[state] ?? TEXT);
    const body = new Path2D(arrow ? 'M0-12 8.5 10 0 5.5-8.5 10Z' : 'M0-9 8 0 0 9-8 0Z');
    pen.lineWidth = 4;
    pen.strokeStyle = INK;
    pen.stroke(body);
    pen.fillStyle = lost ? INK : color;
    pen.fill(body);
    if (!lost) return;
    pen.save();
    pen.clip(body);
    pen.lineWidth = 2;
    pen.strokeStyle = color;
    pen.beginPath();
    for (let x = -30; x <= 30; x += 4.5) {
      pen.moveTo(x - 16, 16);
      pen.lineTo(x + 16, -16);
    }
    pen.stroke();
    pen.restore();
    pen.lineWidth = 1.8;
    pen.strokeStyle = color;
    pen.stroke(body);
  });
}

function outage(late: boolean, grey: boolean): Mark {
  return canvas(60, (pen) => {
    const color = grey ? GREY : late ? RED : TEXT;
    pen.setLineDash([5, 4]);
    pen.lineWidth = 2.2;
    pen.strokeStyle = color;
    pen.beginPath();
    pen.arc(0, 0, 26, 0, 2 * Math.PI);
    pen.stroke();
    pen.setLineDash([]);
    // A closed valve: two triangles meeting, and a bar across the stem.
    pen.fillStyle = INK;
    pen.beginPath();
    pen.arc(0, 0, 17, 0, 2 * Math.PI);
    pen.fill();
    pen.fillStyle = color;
    pen.beginPath();
    pen.moveTo(-11, -4);
    pen.lineTo(0, 2.5);
    pen.lineTo(11, -4);
    pen.lineTo(11, 9);
    pen.lineTo(0, 2.5);
    pen.lineTo(-11, 9);
    pen.closePath();
    pen.fill();
    pen.fillRect(-1.2, -8, 2.4, 10);
    pen.fillRect(-6, -10, 12, 3);
  });
}

function room(grey: boolean): Mark {
  return canvas(18, (pen) => {
    pen.beginPath();
    pen.arc(0, 0, 4.2, 0, 2 * Math.PI);
    pen.lineWidth = 5;
    pen.strokeStyle = INK;
    pen.stroke();
    pen.fillStyle = INK;
    pen.fill();
    pen.lineWidth = 2.2;
    pen.strokeStyle = grey ? GREY : COLD;
    pen.stroke();
  });
}

/** The plate under a count of cold rooms; MapLibre stretches its middle to the text. */
function pill(grey: boolean): Mark {
  return canvas(24, (pen) => {
    pen.beginPath();
    pen.roundRect(-10, -10, 20, 20, 10);
    pen.fillStyle = '#0c1c28';
    pen.fill();
    pen.lineWidth = 1.8;
    pen.strokeStyle = grey ? GREY : COLD;
    pen.stroke();
  });
}

/** How an image stretches, in its own pixels; only the pill does. */
export function stretching(name: string): object {
  if (!name.startsWith(PILL_ICON)) return {};
  const [from, to] = [11 * PIXEL_RATIO, 13 * PIXEL_RATIO];
  return { stretchX: [[from, to]], stretchY: [[from, to]], content: [6 * PIXEL_RATIO, 4 * PIXEL_RATIO, 18 * PIXEL_RATIO, 20 * PIXEL_RATIO] };
}

/** The mark of this name, or null when no mark is called that. */
export function draw(name: string): Mark | null {
  const grey = name.endsWith(STALE);
  const [what, first = '', second = '', third = ''] = (grey ? name.slice(0, -STALE.length) : name).split(':');
  switch (what) {
    case 'ticket':
      return ticket(first as Level, Number(second), third === 'late', grey);
    case 'cluster':
      return cluster(first as Level, second === 'late', grey);
    case 'crew':
      return crew(first, second === 'arrow', third === 'lost', grey);
    case 'outage':
      return outage(first === 'late', grey);
    case ROOM_ICON:
      return room(grey);
    case PILL_ICON:
      return pill(grey);
    default:
      return null;
  }
}
