import { runStreamed } from './streamed.ts';

runStreamed('node', 'wasm');
