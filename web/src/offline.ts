/** The service worker that keeps the page's files. */

const INSTALL_PATIENCE_MS = 60_000;
const CLAIM_PATIENCE_MS = 4_000;

/** Start it and wait until it sees the page's requests, so that the model is fetched once and kept. */
export async function startOffline(): Promise<void> {
  const container = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (import.meta.env.DEV || container === undefined) return;
  const controls = new Promise<void>((resolve) => {
    if (container.controller) resolve();
    container.addEventListener("controllerchange", () => resolve(), { once: true });
  });
  try {
    const registration = await container.register("./service-worker.js");
    // A first visit on a slow network waits for the install, or the model would not be kept. A page that was
    // reloaded past its worker is never claimed.
    const patienceMs = registration.active === null ? INSTALL_PATIENCE_MS : CLAIM_PATIENCE_MS;
    await Promise.race([controls, failed(registration.installing), passed(patienceMs)]);
  } catch (error) {
    console.warn("no service worker, so the page needs the network:", error);
  }
}

/** Resolves when the worker cannot be installed. */
function failed(worker: ServiceWorker | null): Promise<void> {
  return new Promise((resolve) => {
    worker?.addEventListener("statechange", () => worker.state === "redundant" && resolve());
  });
}

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
