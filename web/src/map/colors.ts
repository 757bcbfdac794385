// The colours that the map draws with; the same values as in styles/base.css.
import type { Level } from '../lib/wire';

export const INK = '#0a0f16';
export const TEXT = '#e9eff7';
export const GREY = '#8592a1';
export const PINK = '#ff9bd2';
export const COLD = '#6fd3ff';
export const OK = '#3fc79a';
export const RED = '#ff5a4f';
export const YELLOW = '#f4c34a';
export const BLUE = '#58b0ea';
export const LEVEL: Record<Level, string> = { red: RED, yellow: YELLOW, blue: BLUE };
/** Arrears bands 1-5, from few to many households. */
export const ARREARS = ['#2c2352', '#47337a', '#6c4a99', '#9b6dc4', '#cfa6e8'] as const;
