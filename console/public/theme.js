// Runs before the first paint, so that a dark page never flashes white. The same key as src/shell/preferences.ts.
;(function () {
  var choice = null
  try {
    choice = localStorage.getItem('seawall.theme')
  } catch {
    choice = null
  }
  var dark = choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
})()
