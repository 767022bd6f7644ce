/** Bytes of the runtime on WebAssembly and on WebGPU, from vite.config.ts. */
declare const __RUNTIME_BYTES__: number;
declare const __GPU_RUNTIME_BYTES__: number;
