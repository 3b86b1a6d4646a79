import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

// In development the API comes from a running server (`make up`); its certificate is its own.
const server = process.env['SEAWALL_URL'] ?? 'https://localhost:8443'

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  build: {
    target: 'es2022',
    chunkSizeWarningLimit: 1200,
  },
  server: { proxy: { '/api': { target: server, secure: false, changeOrigin: true } } },
})
