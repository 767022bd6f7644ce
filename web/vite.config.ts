import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { defineConfig, type Plugin } from "vite";

/** Writes the service worker with the hash of every built file. */
function serviceWorker(): Plugin {
  let folder = "dist";
  return {
    name: "labelwise-service-worker",
    apply: "build",
    configResolved: (config) => {
      folder = join(config.root, config.build.outDir);
    },
    closeBundle: () => {
      const files: Record<string, string> = {};
      for (const path of readdirSync(folder, { recursive: true, encoding: "utf8" }).sort()) {
        const file = join(folder, path);
        if (path === "service-worker.js" || !statSync(file).isFile()) continue;
        files[relative(folder, file)] = createHash("sha256").update(readFileSync(file)).digest("hex");
      }
      const source = readFileSync("src/service-worker.js", "utf8");
      writeFileSync(join(folder, "service-worker.js"), `const FILES = ${JSON.stringify(files, null, 1)};\n\n${source}`);
    },
  };
}

/** Sizes that the page shows: what a browser without WebGPU loads besides the model. */
function runtimeBytes(): number {
  const folder = "node_modules/onnxruntime-web/dist";
  return ["ort-wasm-simd-threaded.wasm", "ort-wasm-simd-threaded.mjs", "ort.wasm.min.mjs"]
    .map((name) => statSync(join(folder, name)).size)
    .reduce((sum, size) => sum + size, 0);
}

/** Some static hosts do not know that .mjs is JavaScript. */
function assetFileNames({ names }: { readonly names: readonly string[] }): string {
  return names[0]?.endsWith(".mjs") ? "assets/[name]-[hash].js" : "assets/[name]-[hash][extname]";
}

export default defineConfig({
  // Relative addresses: the folder works wherever it is put.
  base: "./",
  define: {
    __RUNTIME_BYTES__: JSON.stringify(runtimeBytes()),
    __GPU_RUNTIME_BYTES__: statSync("node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.jspi.wasm").size,
  },
  resolve: { conditions: ["onnxruntime-web-use-extern-wasm", "module", "browser", "production"] },
  worker: { format: "es", rollupOptions: { output: { assetFileNames } } },
  build: {
    target: "es2023",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1000,
    rollupOptions: { output: { assetFileNames } },
  },
  plugins: [serviceWorker()],
});
