/** Takes web/screenshot.png of the built page; with an argument, that file, and with more: tab, width, "dark". */

import { browse, open, serve } from "../tests/page.mjs";

const [path = "screenshot.png", tab = "classify", width = "820", scheme = "light"] = process.argv.slice(2);
const server = await serve();
const { context, close } = await browse({ colorScheme: scheme, viewport: { width: Number(width), height: 700 }, deviceScaleFactor: 1 });
const page = await open(context, server.url);
await page.click(`#tab-${tab}`);
await page.waitForFunction((name) => document.querySelector(`#${name}-result`).matches(":not(.is-stale):not(:empty)"), tab);
// A second run: the first one on a text also warms the network up.
await page.locator(`#panel-${tab} textarea`).first().press("End");
await page.locator(`#panel-${tab} textarea`).first().pressSequentially(" ");
await page.waitForTimeout(300);
await page.waitForFunction((name) => document.querySelector(`#${name}-result`).matches(":not(.is-stale):not(:empty)"), tab);
await page.evaluate(() => document.activeElement.blur());
await page.screenshot({ path, fullPage: true });
await close();
await server.stop();
