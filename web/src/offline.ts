/** The service worker that keeps the page's files. */

const PATIENCE_MS = 4000;

/** Start it and wait until it sees the page's requests, so that the model is fetched once and kept. */
export async function startOffline(): Promise<void> {
  const container = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (import.meta.env.DEV || container === undefined) return;
  const controls = new Promise<void>((resolve) => {
    if (container.controller) resolve();
    container.addEventListener("controllerchange", () => resolve(), { once: true });
  });
  const patience = new Promise<void>((resolve) => setTimeout(resolve, PATIENCE_MS));
  try {
    await container.register("./service-worker.js");
    await Promise.race([controls, patience]);
  } catch (error) {
    console.warn("no service worker, so the page needs the network:", error);
  }
}
