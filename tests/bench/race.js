/**
 * How contestants are timed, in Node and in the browser alike: they take turns after a warm-up, and
 * each figure is a median with its spread (half the distance between the quartiles).
 */

/** Measurements to `{ median, spread }`. */
export function summarize(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share) => {
    const place = share * (sorted.length - 1);
    const low = Math.floor(place);
    return sorted[low] + (place - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
  };
  return { median: at(0.5), spread: (at(0.75) - at(0.25)) / 2 };
}

/**
 * Runs each contestant `warmup` times, then `rounds` times in turn. A contestant is
 * `{ name, run }`, where `run` gives its measurement (or no number: then it is timed, in ms).
 */
export async function race(contestants, rounds, { warmup = 1 } = {}) {
  const results = contestants.map(({ name }) => ({ name, values: [] }));
  for (let round = -warmup; round < rounds; round++) {
    for (const [place, contestant] of contestants.entries()) {
      const begun = performance.now();
      const value = await contestant.run();
      const taken = performance.now() - begun;
      if (round >= 0) results[place].values.push(typeof value === 'number' ? value : taken);
    }
  }
  return results.map(({ name, values }) => ({ name, ...summarize(values) }));
}

/** Result over reference with the spread of both, or null where that spread drowns it. */
export function ratio(result, reference) {
  const value = result.median / reference.median;
  const spread = value * (result.spread / result.median + reference.spread / reference.median);
  return spread >= value ? null : { value, spread };
}
