import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { kustoBridge } from './scripts/vite-kusto.ts';

/** Where `npm run dev` finds the API. */
const server = process.env.STEADFAST_SERVER ?? 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react()],
  server: { proxy: { '/api': server } },
  build: {
    target: 'es2022',
    // The content security policy allows neither data: fonts nor inline scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 6000,
    reportCompressedSize: false,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: 'monaco', test: /node_modules[\\/]monaco-editor/, priority: 30 },
            { name: 'echarts', test: /node_modules[\\/](echarts|zrender)/, priority: 20 },
            { name: 'react', test: /node_modules[\\/](react|react-dom|scheduler)[\\/]/, priority: 15 },
            {
              name: 'fluent',
              test: /node_modules[\\/](@fluentui|@griffel|@floating-ui|tabster|keyborg)/,
              priority: 10,
            },
            { name: 'tanstack', test: /node_modules[\\/]@tanstack/, priority: 9 },
          ],
        },
      },
    },
  },
  // Worker builds do not inherit `plugins`.
  worker: { format: 'es', plugins: () => [kustoBridge()] },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
