/** Tabs by the ARIA pattern: one is in the tab order, arrow keys, Home and End move between them. */

import { byId } from "./elements.ts";

export function startTabs(onSelect: (task: string) => void): void {
  const tabs = [...document.querySelectorAll<HTMLButtonElement>('[role="tab"]')];
  const select = (chosen: HTMLButtonElement): void => {
    for (const tab of tabs) {
      const isChosen = tab === chosen;
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
      byId(tab.getAttribute("aria-controls")!).hidden = !isChosen;
    }
    onSelect(chosen.id.replace("tab-", ""));
  };
  tabs.forEach((tab, place) => {
    tab.addEventListener("click", () => select(tab));
    tab.addEventListener("keydown", ({ key }) => {
      const places: Record<string, number> = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: -1 };
      const next = places[key] === undefined ? undefined : tabs.at(places[key] % tabs.length);
      if (next === undefined) return;
      next.focus();
      select(next);
    });
  });
}
