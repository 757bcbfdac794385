// How the parts of the wall reach what it knows.
import { getContext, setContext } from 'svelte';
import type { Wall } from './wall.svelte';

const KEY = Symbol('wall');

export const provideWall = (wall: Wall): Wall => setContext(KEY, wall);
export const useWall = (): Wall => getContext<Wall>(KEY);
