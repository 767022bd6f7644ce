/** Labels as chips: typed, pasted with commas, taken away with a click or Backspace. */

import { byId, make } from "./elements.ts";

export class Chips {
  private readonly list = byId<HTMLUListElement>("chip-list");
  private readonly input = byId<HTMLInputElement>("new-label");
  private names: string[] = [];

  constructor(
    names: readonly string[],
    private readonly onChange: () => void,
  ) {
    this.names = [...names];
    this.input.addEventListener("keydown", (event) => this.onKey(event));
    this.input.addEventListener("input", () => {
      if (/[,\n]/.test(this.input.value)) this.addTyped();
    });
    this.input.addEventListener("change", () => this.addTyped());
    this.draw();
  }

  get labels(): readonly string[] {
    return this.names;
  }

  private onKey(event: KeyboardEvent): void {
    if (event.isComposing) return;
    if (event.key === "Enter") {
      event.preventDefault();
      this.addTyped();
    } else if (event.key === "Backspace" && this.input.value === "" && this.names.length > 0) {
      this.set(this.names.slice(0, -1));
    }
  }

  private addTyped(): void {
    const typed = this.input.value.split(/[,\n]/).map((name) => name.trim());
    this.input.value = "";
    const added = typed.filter((name) => name !== "");
    if (added.length > 0) this.set([...new Set([...this.names, ...added])]);
  }

  private remove(place: number): void {
    this.set(this.names.filter((_, other) => other !== place));
    const buttons = this.list.querySelectorAll("button");
    (buttons[Math.min(place, buttons.length - 1)] ?? this.input).focus();
  }

  private set(names: string[]): void {
    this.names = names;
    this.draw();
    this.onChange();
  }

  private draw(): void {
    this.list.replaceChildren(
      ...this.names.map((name, place) => {
        const button = make("button", "", "×");
        button.type = "button";
        button.setAttribute("aria-label", `Remove ${name}`);
        button.addEventListener("click", () => this.remove(place));
        return make("li", "", name, button);
      }),
    );
  }
}
