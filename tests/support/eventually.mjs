// Waiting for what comes about by itself: no sleep, but a predicate and a deadline.
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Asks until `predicate` answers something truthy and returns that. A predicate that throws has not come true
 * yet; what it threw last is told when the time is over.
 */
export async function eventually(what, predicate, { within = 15_000, every = 25 } = {}) {
  const deadline = Date.now() + within;
  let last;
  for (;;) {
    try {
      const answer = await predicate();
      if (answer) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() >= deadline) {
      const reason = last ? `; the last try: ${last.message}` : '';
      throw new Error(`${what} did not come true within ${within} ms${reason}`, { cause: last });
    }
    await pause(every);
  }
}
