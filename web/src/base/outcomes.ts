// What was asked for and how it ended, told in a corner of every screen (parts/outcomes.tsx).
import { Problem } from './session';
import { Store } from './store';

export interface Outcome {
  id: number;
  kind: 'news' | 'problem';
  text: string;
  requestId: string | undefined;
}

const most = 3;
const newsLifetime = 8_000;
let last = 0;
export const outcomes = new Store<Outcome[]>([]);

function tell(kind: Outcome['kind'], text: string, requestId?: string) {
  const outcome = { id: ++last, kind, text, requestId };
  outcomes.set((now) => [...now, outcome].filter((each, index, all) => each.kind !== kind || all.slice(index).filter((other) => other.kind === kind).length <= most));
  return outcome.id;
}

export const dismiss = (id: number) => outcomes.set((now) => now.filter((each) => each.id !== id));

export function tellNews(text: string) {
  const id = tell('news', text);
  setTimeout(() => dismiss(id), newsLifetime);
}

/** Stays until it is dismissed. `what` says what could not be done. */
export function tellProblem(what: string, problem: unknown) {
  tell('problem', `${what}: ${sentenceOf(problem)}`, problem instanceof Problem ? problem.requestId : undefined);
}

export function sentenceOf(problem: unknown): string {
  if (problem instanceof Problem && problem.details.length > 0) {
    const fields = problem.details.filter((each) => each.problem).map((each) => (each.field ? `${each.field}: ${each.problem}` : each.problem));
    if (fields.length > 0) return `${problem.message.replace(/\.?$/, '.')} ${fields.join('; ')}`;
  }
  return problem instanceof Error ? problem.message : String(problem);
}
export const requestOf = (problem: unknown) => (problem instanceof Problem ? problem.requestId : undefined);
