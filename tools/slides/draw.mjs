// Draws the diagrams: `node tools/slides/draw.mjs [--check]` makes slides/diagrams/NAME.svg of each NAME.dot.
// With --check it changes nothing and names those that are stale.
import { readdirSync, readFileSync, writeFileSync, existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { instance } from '@viz-js/viz'

const folder = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'slides', 'diagrams')
const fonts = 'Liberation Sans, Arial, Helvetica, sans-serif'
const ink = '#1d2433'
const look = {
  graphAttributes: { bgcolor: 'transparent', fontname: 'Arial', fontsize: 17, fontcolor: ink, nodesep: 0.4, ranksep: 0.55, pad: 0.1 },
  nodeAttributes: {
    fontname: 'Arial', fontsize: 18, fontcolor: ink, shape: 'box', style: 'rounded,filled', fillcolor: '#ffffff',
    color: '#0b6b6b', penwidth: 1.6, margin: '0.2,0.12',
  },
  edgeAttributes: { fontname: 'Arial', fontsize: 16, fontcolor: ink, color: '#4a5568', penwidth: 1.5, arrowsize: 0.8 },
}

const viz = await instance()
const check = process.argv.includes('--check')
let stale = 0
for (const name of readdirSync(folder).filter((name) => name.endsWith('.dot')).sort()) {
  const text = readFileSync(join(folder, name), 'utf-8')
  const drawn = viz.renderString(text, { format: 'svg', ...look })
  const svg = drawn.slice(drawn.indexOf('<svg')).replaceAll('font-family="Arial"', `font-family="${fonts}"`)
    .replace(/<!--[\s\S]*?-->\n?/g, '')
  const path = join(folder, name.replace(/dot$/, 'svg'))
  if (existsSync(path) && readFileSync(path, 'utf-8') === svg) continue
  stale += 1
  console.log(`${check ? 'stale' : 'drawn'}: slides/diagrams/${name.replace(/dot$/, 'svg')}`)
  if (!check) writeFileSync(path, svg)
}
process.exit(check && stale ? 1 : 0)
