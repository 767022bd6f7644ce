/** Results as bars and as a marked answer; each returns one sentence for the status line. */

import type { Classification, Entailment } from "../model.ts";
import type { Answer } from "../spans.ts";
import { make } from "./elements.ts";

const percent = new Intl.NumberFormat("en", { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 });

interface Bar {
  readonly name: string;
  readonly score: number;
  readonly isAccepted: boolean;
}

export function showClassification(place: HTMLElement, found: Classification): string {
  showBars(place, "Labels by score", found.labels.map(({ label, ...rest }) => ({ name: label, ...rest })), found.windowsRead);
  const accepted = found.labels.filter((label) => label.isAccepted);
  const best = accepted.map(({ label, score }) => `${label} ${percent.format(score)}`).join(", ");
  return `${best || "No label reaches its threshold"}.${windowsNote(found.windowsRead)}`;
}

export function showEntailment(place: HTMLElement, found: Entailment): string {
  const bars = found.scores.map(({ role, score }) => ({ name: named(role), score, isAccepted: role === found.label }));
  showBars(place, "Classes by score", bars, found.windowsRead);
  const score = found.scores.find(({ role }) => role === found.label)!.score;
  return `${named(found.label)} ${percent.format(score)}.${windowsNote(found.windowsRead)}`;
}

export function showAnswer(place: HTMLElement, found: Answer, context: string): string {
  const text = found.text || "No answer in this context";
  const marked = make("p", "context", context.slice(0, found.start));
  if (found.text) marked.append(make("mark", "", found.text));
  marked.append(context.slice(found.end));
  place.replaceChildren(make("p", "answer", text, make("small", "", percent.format(found.score))), marked);
  return `${text}, ${percent.format(found.score)}.${windowsNote(found.windowsRead)}`;
}

function showBars(place: HTMLElement, name: string, bars: readonly Bar[], windowsRead: number): void {
  const items = bars.map((bar) => {
    const filled = make("span", "");
    filled.style.width = percent.format(bar.score);
    const track = make("div", "bar", filled);
    track.setAttribute("aria-hidden", "true");
    return make(
      "li",
      bar.isAccepted ? "is-accepted" : "",
      make("span", "name", bar.name),
      make("span", "score", percent.format(bar.score)),
      track,
    );
  });
  const list = make("ul", "bars", ...items);
  list.setAttribute("aria-label", name);
  place.replaceChildren(list);
  if (windowsRead > 1) place.append(make("p", "help", windowsNote(windowsRead)));
}

function named(role: string): string {
  return role.charAt(0).toUpperCase() + role.slice(1).replace("_", " ");
}

function windowsNote(windowsRead: number): string {
  return windowsRead === 1 ? "" : ` The text is long and was read in ${windowsRead} windows.`;
}
