/** Runs expected.py: what the Python package says to the cases. */

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("./expected.py", import.meta.url));
export const MODEL = fileURLToPath(new URL("../dist/model", import.meta.url));
/** The model as the package ships it; the page's files were made from it. */
const SOURCE = process.env.MODEL_DIR ?? fileURLToPath(new URL("../../src/labelwise/checkpoints/bundled", import.meta.url));

export function expected(what, folder = SOURCE) {
  const python = process.env.PYTHON ?? "python3";
  return JSON.parse(execFileSync(python, [SCRIPT, folder, what], { maxBuffer: 2 ** 28, encoding: "utf8" }));
}
