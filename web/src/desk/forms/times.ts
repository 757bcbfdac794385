// Times as a person types them: HH:MM of the city's day, or a date before it.
const HM = /^(\d{1,2})[:：.]?(\d{2})$/;

function parts(unix: number, zone: string): Record<string, number> {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23',
  });
  return Object.fromEntries(format.formatToParts(new Date(unix * 1000)).map((part) => [part.type, Number(part.value)]));
}

/** How far the city's clocks are from UTC at a time, in seconds. */
function offset(unix: number, zone: string): number {
  const p = parts(unix, zone);
  return Date.UTC(p['year']!, p['month']! - 1, p['day'], p['hour'], p['minute'], p['second']) / 1000 - Math.floor(unix);
}

/** HH:MM to Unix seconds: today's, or, where that has passed, tomorrow's. Null: no time. */
export function soonest(typed: string, now: number, zone: string): number | null {
  const found = HM.exec(typed.trim());
  if (found === null) return null;
  const [hour, minute] = [Number(found[1]), Number(found[2])];
  if (hour > 23 || minute > 59) return null;
  const shift = offset(now, zone);
  const midnight = Math.floor((now + shift) / 86_400) * 86_400 - shift;
  const at = midnight + hour * 3600 + minute * 60;
  return at <= now ? at + 86_400 : at;
}

/** The next quarter of an hour, some hours on: what a form proposes. */
export const quarter = (now: number, hours: number): number => Math.ceil((now + hours * 3600) / 900) * 900;
