// How `make slides` has Marp make a page of a deck: in the course's theme, whole in one file, nothing from elsewhere.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Marp } from '@marp-team/marp-core'

const slides = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'slides')
const diagram = /^diagrams\/[a-z0-9-]+\.svg$/

const escaped = (text) => text.replace(/[&<>"]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[sign])

// A picture is put into the page itself: a deck can be passed on as one file, and its texts can be measured.
function inline(markdown) {
  const usual = markdown.renderer.rules.image
  markdown.renderer.rules.image = (tokens, index, options, env, renderer) => {
    const source = tokens[index].attrGet('src')
    if (!diagram.test(source)) return usual(tokens, index, options, env, renderer)
    const svg = readFileSync(join(slides, source), 'utf-8').replace(/^[\s\S]*?(?=<svg)/, '')
    const label = escaped(renderer.renderInlineAsText(tokens[index].children, options, env))
    return `<span class="diagram">${svg.replace('<svg ', `<svg role="img" aria-label="${label}" `)}</span>`
  }
}

export default {
  engine: (options) => new Marp({ ...options, emoji: { shortcode: false, unicode: false }, math: false }).use(inline),
  themeSet: [join(slides, 'theme.css')],
  html: true,
  lang: 'en',
  bespoke: { osc: true, progress: true, transition: false },
}
