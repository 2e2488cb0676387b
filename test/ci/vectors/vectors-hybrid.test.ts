import { runVectors } from './run.ts';

runVectors('node', 'hybrid');
