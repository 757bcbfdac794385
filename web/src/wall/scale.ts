// How large one point of the 1080-line layout is on this screen.

/** Layout pixels in one point: 1 at 1920 x 1080 and on a phone, 2 at 3840 x 2160. */
export function screenScale(): number {
  const stacked = matchMedia('(max-width: 1000px), (max-aspect-ratio: 1/1)').matches;
  return stacked ? 1 : parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
}
