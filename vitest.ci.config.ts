import { defineConfig, type ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/ci/**/*.test.ts'],
    testTimeout: 600_000,
    reporters: ['default', './test/support/vectors-reporter.ts'],
  },
});

export default config;
