/** The worker: one engine, called through messages. */
import { GyeotError } from '../core/index.js';
import { engineService } from './service.js';
import { serve } from './rpc.js';
import type { Port } from './rpc.js';

const scope = globalThis as unknown as Port & { name?: string };

// ONNX Runtime starts its threads from the script that holds it, this one; those are not for us.
if (!scope.name?.startsWith('em-pthread')) serve(scope, engineService());

export { GyeotError };
