/** The worker: one engine, called through messages. */
import { GyeotError } from '../core/index.js';
import { engineService } from './service.js';
import { serve } from './rpc.js';
import type { Port } from './rpc.js';

// A thread of Node's has a port in place of a scope.
const scope = ('postMessage' in globalThis
  ? globalThis
  : process.getBuiltinModule('node:worker_threads').parentPort) as unknown as Port & { name?: string };

// ONNX Runtime starts its threads from the script that holds it, this one; those are not for us.
if (!scope.name?.startsWith('em-pthread')) serve(scope, engineService());

export { GyeotError };
