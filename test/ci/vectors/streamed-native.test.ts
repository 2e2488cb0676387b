import { runStreamed } from './streamed.ts';

runStreamed('node', 'native');
