import { testOwnVectors } from './support/vectors-own.ts';

testOwnVectors('node');
