// What the resident's page is told: GET /api/t/{token}.
export type Step = 'accept' | 'dispatch' | 'handle' | 'verify' | 'close';

export interface FollowView {
  company: string;
  timezone: string;
  kind: string;
  level: 'red' | 'yellow' | 'blue';
  state: string;
  step: Step;
  steps: { step: Step; at: number | null }[];
  crew_distance_m: number | null;
  arrive_from: number | null;
  arrive_until: number | null;
  waits_for: 'parts' | 'appointment' | null;
  updated_at: number;
  ended: boolean;
}
