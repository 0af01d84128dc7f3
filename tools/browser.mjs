// Debian's Chromium, without a window; the caller closes it.
import { existsSync } from 'node:fs'
import puppeteer from 'puppeteer-core'

const places = [process.env.CHROME_PATH, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

export async function browser() {
  const executablePath = places.find((path) => path && existsSync(path))
  if (!executablePath) throw new Error('there is no Chromium: apt-get install chromium, or set CHROME_PATH')
  // the pages are our own; as root, and in a container, Chromium's own sandbox does not start
  return puppeteer.launch({ executablePath, args: ['--no-sandbox', '--disable-dev-shm-usage', '--font-render-hinting=none'] })
}
