// Looks at the site: node tools/site/look.mjs FOLDER [PAGE...]
// Opens each page at the width of a phone and of a desk, and there in the dark too, and prints what is wrong as JSON: { page: [problem...] }.
// A problem is a rule of axe that is broken, a page that is wider than the window, or a request to another host.
import { readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { browser } from '../browser.mjs'

const VIEWS = [[360, 'light'], [1280, 'light'], [1280, 'dark']]
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf-8')

const below = (folder) => readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? below(join(folder, entry.name)) : entry.name.endsWith('.html') ? [join(folder, entry.name)] : [])

const [folder, ...named] = process.argv.slice(2)
const pages = named.length ? named.map((name) => join(folder, name)) : below(folder).sort()
const found = {}
const chromium = await browser()
try {
  const page = await chromium.newPage()
  let asked = []
  page.on('request', (request) => asked.push(request.url()))
  for (const path of pages) {
    const name = relative(folder, path)
    found[name] = []
    for (const [width, scheme] of VIEWS) {
      asked = []
      await page.setViewport({ width, height: 800 })
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
      await page.goto(pathToFileURL(path).href, { waitUntil: 'load' })
      await page.evaluate(axe)
      const { violations } = await page.evaluate(() => axe.run({ resultTypes: ['violations'] }))
      for (const { id, nodes } of violations)
        found[name].push(`${width} px, ${scheme}: ${id}: ${nodes.length} times, first ${nodes[0].target.join(' ')}: ${nodes[0].failureSummary.split('\n').slice(1).join(' ').trim()}`)
      const wide = await page.evaluate(() => document.documentElement.scrollWidth)
      if (wide > width) found[name].push(`${width} px: the page is ${wide} px wide`)
      for (const url of asked.filter((url) => !/^(file|data|blob):/.test(url))) found[name].push(`request: ${url}`)
    }
  }
} finally {
  await chromium.close()
}
console.log(JSON.stringify(found, null, 2))
