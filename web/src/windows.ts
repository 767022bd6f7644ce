/** Overlapping windows over a token sequence: no token is left out. */

export interface Window {
  readonly start: number;
  readonly end: number;
}

/** A window with less room than this for the text says nothing about it. */
export const MIN_ROOM = 8;

/** Cover `numTokens` tokens with windows of at most `room`; neighbours share `overlap`, the last is full. */
export function planWindows(numTokens: number, room: number, overlap: number): Window[] {
  if (room < 1 || overlap < 0 || overlap >= room) throw new Error(`no windows of ${room} tokens share ${overlap}`);
  if (numTokens <= room) return [{ start: 0, end: numTokens }];
  const windows: Window[] = [];
  for (let start = 0; start < numTokens - room; start += room - overlap) windows.push({ start, end: start + room });
  windows.push({ start: numTokens - room, end: numTokens });
  return windows;
}

/** Plan how a text is read: whole where it fits, else in windows that share a quarter, at most 128 tokens. */
export function planReading(numTokens: number, room: number): Window[] {
  return planWindows(numTokens, room, numTokens <= room ? 0 : Math.min(Math.floor(room / 4), 128));
}

/** Split labels into runs that share a row, in order: a run ends where its labels would pass the budget. */
export function splitLabels(costs: readonly number[], budget: number): Window[] {
  const runs: Window[] = [];
  let start = 0;
  let taken = 0;
  costs.forEach((cost, place) => {
    if (taken > 0 && taken + cost > budget) {
      runs.push({ start, end: place });
      start = place;
      taken = 0;
    }
    taken += cost;
  });
  runs.push({ start, end: costs.length });
  return runs;
}
