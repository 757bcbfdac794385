// The five layers of the wall and the topics that each is made of.
import type { Messages } from '../lib/messages/zh';
import type { Topic } from '../lib/wire';

export const LAYERS = ['arrears', 'tickets', 'crews', 'rooms', 'sentiment'] as const;
export type Layer = (typeof LAYERS)[number];

export const LAYER_TOPICS: Record<Layer, readonly Topic[]> = {
  arrears: ['arrears'],
  tickets: ['tickets'],
  crews: ['crews', 'positions'],
  rooms: ['rooms'],
  sentiment: ['sentiment'],
};

export function layerName(layer: Layer, t: Messages): string {
  const names: Record<Layer, string> = {
    arrears: t.layerArrears,
    tickets: t.layerTickets,
    crews: t.layerCrews,
    rooms: t.layerRooms,
    sentiment: t.layerSentiment,
  };
  return names[layer];
}

/** In rotation the tickets stay; the other layers take turns with the camera's stops. */
const TURNS: readonly Layer[] = ['crews', 'rooms', 'sentiment', 'arrears'];

export const turn = (step: number): Layer => TURNS[step % TURNS.length] ?? 'crews';
