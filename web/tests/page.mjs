/** The built page in headless Chromium: a server for dist/, which can be switched off, and a browser. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

export const DIST = fileURLToPath(new URL("../dist", import.meta.url));
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".wasm": "application/wasm" };
const FLAGS = [
  "--no-sandbox",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
export const NO_GPU = ["--disable-gpu"];
/** WebGPU by SwiftShader, which Chromium brings along: it computes on the CPU, far slower than WebAssembly. */
export const EMULATED_GPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];
export const READY_MS = Number(process.env.READY_MS ?? 120_000);

/**
 * Serve dist/ on a free port; `requests` are the paths that were asked for. `stub` runs first in the worker, and
 * the tokenizer comes late by `delayMs`.
 */
export async function serve({ stub = "", delayMs = 0 } = {}) {
  const requests = [];
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname));
    requests.push(path);
    const file = join(DIST, path.endsWith("/") ? `${path}index.html` : path);
    if (!file.startsWith(DIST) || !existsSync(file)) return response.writeHead(404).end();
    const content = readFileSync(file);
    const body = /\/worker-[^/]*\.js$/.test(path) ? Buffer.concat([Buffer.from(stub), content]) : content;
    response.writeHead(200, {
      "content-type": TYPES[extname(file)] ?? "application/octet-stream",
      "content-length": body.length,
    });
    setTimeout(() => response.end(body), path.endsWith("/tokenizer.json") ? delayMs : 0);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () => new Promise((resolve) => (server.close(resolve), server.closeAllConnections()));
  return { url: `http://127.0.0.1:${server.address().port}/`, requests, stop };
}

/** Start Chromium with an empty profile. */
export async function browse({ gpu = NO_GPU, ...options } = {}) {
  const profile = mkdtempSync(join(tmpdir(), "labelwise-web-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    headless: true,
    args: [...FLAGS, ...gpu],
    viewport: { width: 900, height: 900 },
    ...options,
  });
  const close = async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  };
  return { context, close };
}

/** Open the page and wait until the model has answered. */
export async function open(context, url) {
  const page = await context.newPage();
  page.problems = [];
  page.remarks = [];
  page.on("pageerror", (error) => page.problems.push(error.message));
  page.on("console", (message) => (message.type() === "error" ? page.problems : page.remarks).push(message.text()));
  await page.goto(url);
  await ready(page);
  return page;
}

export async function ready(page) {
  const isReady = () => window.labelwise !== undefined && document.querySelector(".bars") !== null;
  try {
    await page.waitForFunction(isReady, undefined, { timeout: READY_MS });
  } catch (error) {
    const status = await page.locator("#status").innerText();
    throw new Error(`the page says "${status}" (${page.problems.join("; ")})`, { cause: error });
  }
}
