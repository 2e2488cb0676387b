import { testSidecarVectors } from '../support/sidecar-vectors.ts';

testSidecarVectors('node');
