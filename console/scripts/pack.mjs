// After the build: pack every file for browsers that take it, hold the first load to its budget, and only then put the new
// console in the old one's place, whole: a server that runs meanwhile is never without.
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const folder = fileURLToPath(new URL('../dist', import.meta.url))
const served = fileURLToPath(new URL('../../src/seawall/server/static', import.meta.url))
const FIRST_LOAD = 400 * 1024

const packed = new Map()
for (const name of readdirSync(folder, { recursive: true })) {
  const file = join(folder, name)
  if (!statSync(file).isFile() || !/\.(js|css|html|svg|json)$/.test(name)) continue
  const content = readFileSync(file)
  const br = brotliCompressSync(content, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 9, [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
  })
  packed.set(name.replaceAll('\\', '/'), br.length)
  if (content.length < 1024) continue
  writeFileSync(`${file}.br`, br)
  writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }))
}
const index = readFileSync(join(folder, 'index.html'), 'utf8')
const named = [...index.matchAll(/(?:src|href)="\/([^"]+)"/g)].map((found) => found[1])
const first = ['index.html', ...named].reduce((sum, name) => sum + (packed.get(name) ?? 0), 0)
console.log(`first load: ${Math.round(first / 1024)} KB packed, the budget is ${FIRST_LOAD / 1024} KB`)
if (first > FIRST_LOAD) process.exit(1)

const old = `${folder}.old`
rmSync(old, { recursive: true, force: true })
if (existsSync(served)) renameSync(served, old)
renameSync(folder, served)
rmSync(old, { recursive: true, force: true })
