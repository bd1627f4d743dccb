// The part of the WebAssembly interface that is used here. Node's types leave it to the DOM's,
// which this program does not have.

export interface WasmMemory {
  /** Replaced, and the old one emptied, when the memory grows. */
  readonly buffer: ArrayBuffer;
}

export interface WasmGlobal {
  readonly value: unknown;
}

/** A compiled module; opaque. */
export interface WasmModule {
  readonly brand: "WebAssembly.Module";
}

interface WebAssemblyInterface {
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Instance: new (
    module: WasmModule,
    imports: object,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
  readonly Global: { [Symbol.hasInstance](value: unknown): value is WasmGlobal };
}

export const { WebAssembly } = globalThis as unknown as {
  readonly WebAssembly: WebAssemblyInterface;
};
