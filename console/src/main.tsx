import '@/shell/i18n'
import '@/shell/styles.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Root } from '@/shell/Root'

// A console that was open while the server was upgraded asks for files that are gone: load the new one, once.
window.addEventListener('vite:preloadError', (event) => {
  const last = Number(sessionStorage.getItem('seawall.reloaded') ?? 0)
  if (Date.now() - last < 30_000) return
  sessionStorage.setItem('seawall.reloaded', String(Date.now()))
  event.preventDefault()
  window.location.reload()
})

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <Root />
  </StrictMode>,
)
