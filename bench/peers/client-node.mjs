// The published SDK, so that a case may ask for it by name before anything else loads it.
import '@aws-crypto/client-node';
