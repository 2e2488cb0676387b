// Copies the kernel beside its loader in dist: workerd imports it as a module.
import { copyFileSync } from 'node:fs';

copyFileSync('src/engine/wasm/frame.wasm', 'dist/engine/wasm/frame.wasm');
