// What the calls about reminders answer; counts are residents, times are Unix seconds.
export interface Campaign {
  id: string;
  version: number;
  purpose: string;
  season: string;
  days_before: number;
  by: string;
  /** null until it is gathered who is written to. */
  recipients: number | null;
  without_phone: number;
  sent: number;
  delivered: number;
  failed: number;
  never_reached: number;
  started_at: number;
  deadline_at: number;
  ended_at: number | null;
}

export interface NeverReached {
  items: { household: string; why: string }[];
  next: string | null;
  total: number;
}

export interface CampaignRecord extends Campaign {
  waiting: number;
  households_never_reached: NeverReached;
}

export interface Preview {
  purpose: string;
  season: string;
  days_before: number;
  recipients: number;
  without_phone: number;
  text_zh: string;
  text_en: string;
  deadline: string;
  due: boolean;
}

/** The rules by which reminders go out; local times HH:MM. */
export interface Rules {
  reminders: { days_before: number[]; send_from: string; send_until: string };
}

/** Whether messages are sent at this local time, HH:MM. */
export const sending = (rules: Rules['reminders'], time: string): boolean => rules.send_from <= time && time < rules.send_until;

export interface Part {
  name: 'delivered' | 'sent' | 'waiting' | 'failed' | 'without_phone';
  n: number;
}

/**
 * How the recipients of a campaign stand, each counted once. A message that was delivered was sent before, so
 * `sent` here are those of which nothing more is known.
 */
export function parts(one: Campaign, waiting: number): Part[] {
  return [
    { name: 'delivered', n: one.delivered },
    { name: 'sent', n: Math.max(one.sent - one.delivered, 0) },
    { name: 'waiting', n: waiting },
    { name: 'failed', n: one.failed },
    { name: 'without_phone', n: one.without_phone },
  ];
}
