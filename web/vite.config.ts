import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const server = process.env.AGENTDB9_URL ?? 'http://127.0.0.1:8000';

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: {
    alias: {
      '@': here('src'),
      // What radix-ui locks the page's scrolling with would write a <style> element, which the policy refuses.
      'react-style-singleton': here('src/base/style_singleton.ts'),
    },
  },
  build: {
    target: 'es2023',
    // A file within another one would need data: in the policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 800,
  },
  server: {
    // Cookies and origins are the page's own: the server sees requests as if they came to it directly.
    proxy: Object.fromEntries(['/api', '/healthz', '/readyz', '/page.json'].map((path) => [path, {
      target: server, changeOrigin: true, ws: true, headers: { origin: server },
    }])),
  },
  test: { include: ['tests/**/*.test.ts'], setupFiles: ['tests/setup.ts'], environment: 'node' },
});
