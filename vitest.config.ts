import { defineConfig, type ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  resolve: {
    alias: { '#frame-module': new URL('src/engine/wasm/frame-module.ts', import.meta.url).pathname },
  },
  test: {
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    include: ['test/**/*.test.ts'],
    exclude: ['**/node_modules/**', 'test/ci/**'],
    testTimeout: 60_000,
  },
});

export default config;
