/** Runs expected.py: what the Python package says to the cases. */

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("./expected.py", import.meta.url));
export const MODEL = fileURLToPath(new URL("../dist/model", import.meta.url));

export function expected(what, folder = MODEL) {
  const python = process.env.PYTHON ?? "python3";
  return JSON.parse(execFileSync(python, [SCRIPT, folder, what], { maxBuffer: 2 ** 28, encoding: "utf8" }));
}
