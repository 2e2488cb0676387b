import { testStreamedVectors } from './support/vectors-streamed.ts';

testStreamedVectors('node');
