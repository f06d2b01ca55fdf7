/** Encoders that travel in four bits a weight (src/gyeot_weights.h), made whole before they run. */
import { CoreModule } from '../core/index.js';

declare module '../core/module.js' {
  interface CoreExports {
    gyeot_weights_size(packed: number, packedSize: number, size: number, error: number): number;
    gyeot_weights_unpack(
      packed: number, packedSize: number, out: number, size: number, error: number,
    ): number;
  }
}

const magic = [0x47, 0x59, 0x57, 0x54]; // GYWT

function isPacked(bytes: Uint8Array): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}

/**
 * The ONNX file that packed bytes hold; bytes of any other kind come back as they are. The result is
 * a view of memory of an instance of its own, which goes when the view does: a heap cannot shrink.
 */
export async function unpackWeights(
  bytes: Uint8Array,
  core: WebAssembly.Module,
  file: string,
): Promise<Uint8Array> {
  if (!isPacked(bytes)) return bytes;
  const module = await CoreModule.load({ module: core });
  const { exports } = module;
  const packed = module.alloc(bytes.length);
  module.u8().set(bytes, packed);
  return module.scope((scope) => {
    const error = scope.error();
    const size = scope.alloc(4);
    module.check(exports.gyeot_weights_size(packed, bytes.length, size, error), error, file);
    const count = module.u32()[size >> 2]!;
    const out = module.alloc(count);
    module.check(exports.gyeot_weights_unpack(packed, bytes.length, out, count, error), error, file);
    return module.u8().subarray(out, out + count);
  });
}
