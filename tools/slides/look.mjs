// Looks at decks: node tools/slides/look.mjs [--png FOLDER] DECK.md...
// Prints as JSON, for each deck, how many slides it has and what is wrong: { deck: { slides, texts, problems: [...] } }.
// A problem is text that does not fit, text that cannot be told from what is behind it, text too small to project, a
// request to another place, or a slide for which the speaker sees no notes.
import { mkdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { browser } from '../browser.mjs'
import config from './marp.config.mjs'

// Runs in the page.
function examine() {
  const CONTRAST = 4.5, SMALLEST = 15, NEAR = 2
  const problems = []
  let texts = 0
  const numbers = (colour) => {
    const found = (colour.match(/[\d.]+/g) ?? []).map(Number)
    return { rgb: found.slice(0, 3), alpha: found.length > 3 ? found[3] : 1 }
  }
  const over = (top, below) => top.rgb.map((value, i) => value * top.alpha + below[i] * (1 - top.alpha))
  const light = (rgb) => {
    const [r, g, b] = rgb.map((value) => value / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const contrast = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b)
    return (high + 0.05) / (low + 0.05)
  }
  const shapeOf = (element) => element.closest('g.node, g.cluster')?.querySelector('path, polygon, ellipse, polyline')
  const behind = (element) => {
    const layers = []
    for (let at = element; at; at = at.parentElement) {
      const shape = at instanceof SVGElement && at.matches('g.node, g.cluster') ? at.querySelector('path, polygon, ellipse') : null
      const paint = shape ? getComputedStyle(shape).fill : at instanceof SVGElement ? '' : getComputedStyle(at).backgroundColor
      if (paint && paint !== 'none' && numbers(paint).alpha) layers.push(numbers(paint))
      if (layers.at(-1)?.alpha === 1) break
    }
    return layers.reduceRight((below, layer) => over(layer, below), [255, 255, 255])
  }
  const sections = [...document.querySelectorAll('section')]
  sections.forEach((section, index) => {
    const say = (kind, what) => problems.push({ slide: index + 1, kind, what: what.trim().slice(0, 90) })
    const page = section.getBoundingClientRect()
    const rim = parseFloat(getComputedStyle(section).paddingRight) - NEAR
    const foot = section.querySelector(':scope > footer')?.getBoundingClientRect().top ?? page.bottom
    if (section.scrollHeight > section.clientHeight + NEAR) say('overflow', `the slide is ${section.scrollHeight} px high`)
    for (const box of section.querySelectorAll('pre, table, code, svg, li, p, h1, h2'))
      if (!(box instanceof SVGElement) && box.scrollWidth > box.clientWidth + NEAR && box.clientWidth)
        say('overflow', box.textContent)
    const walker = document.createTreeWalker(section, NodeFilter.SHOW_TEXT)
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement
      if (!node.data.trim() || element.closest('title, style, script')) continue
      texts += 1
      const range = document.createRange()
      range.selectNodeContents(node)
      const place = range.getBoundingClientRect()
      const low = element.closest('footer') ? page.bottom : foot
      if (place.right > page.right - rim || place.left < page.left + rim || place.bottom > low || place.top < page.top)
        if (!element.closest('footer, header')) say('overflow', node.data)
      const style = getComputedStyle(element)
      const drawn = element instanceof SVGElement
      const scale = drawn ? element.getScreenCTM().a : 1
      if (parseFloat(style.fontSize) * scale < SMALLEST) say('small', `${node.data}: ${(parseFloat(style.fontSize) * scale).toFixed(1)} px`)
      const shape = drawn && shapeOf(element)?.getBoundingClientRect()
      if (shape && (place.left < shape.left || place.right > shape.right || place.bottom > shape.bottom + NEAR))
        say('overflow', `in the diagram: ${node.data}`)
      const ground = behind(element)
      const found = contrast(over(numbers(drawn ? style.fill : style.color), ground), ground)
      if (found < CONTRAST) say('contrast', `${node.data}: ${found.toFixed(2)}`)
    }
  })
  return { slides: sections.length, texts, problems }
}

const words = process.argv.slice(2)
const png = words[0] === '--png' ? words.splice(0, 2)[1] : ''
const found = {}
const chromium = await browser()
try {
  const page = await chromium.newPage()
  await page.setViewport({ width: 1280, height: 720 })
  const asked = []
  page.on('request', (request) => asked.push(request.url()))
  for (const deck of words) {
    const name = basename(deck, '.md')
    const marp = config.engine({ html: config.html, inlineSVG: false, script: false })
    marp.themeSet.add(readFileSync(config.themeSet[0], 'utf-8'))
    const { html, css, comments } = marp.render(readFileSync(deck, 'utf-8'))
    asked.length = 0
    await page.setContent(`<style>body{margin:0}${css}</style>${html}`, { waitUntil: 'load' })
    found[name] = await page.evaluate(examine)
    comments.forEach((notes, index) => {
      if (!notes.join('').trim()) found[name].problems.push({ slide: index + 1, kind: 'notes', what: 'no speaker notes' })
    })
    for (const url of asked.filter((url) => !/^(data|about):/.test(url))) found[name].problems.push({ slide: 0, kind: 'request', what: url })
    if (png) {
      mkdirSync(png, { recursive: true })
      for (const [index, slide] of (await page.$$('section')).entries())
        await slide.screenshot({ path: join(png, `${name}-${String(index + 1).padStart(2, '0')}.png`) })
    }
  }
} finally {
  await chromium.close()
}
console.log(JSON.stringify(found, null, 2))
